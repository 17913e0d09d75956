"""NCBA's Open Banking API on the wire, and what its answers mean (facts: NCBA 3, 4, 5).

No real answer of FloatPurchase or of the status query is public. So an answer is read in the
shapes that sister calls have, its code is looked up in the tables of the credentials, and
whatever they do not know is unknown. ``{"succeeded": true}`` without such a code is unknown too:
in sister calls it was seen to say only that the instruction was accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from services.domain.bank import (
    Failed,
    FloatOrder,
    NoAnswer,
    NotSent,
    Rejected,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)
from services.domain.business_days import NAIROBI, is_of_this_century
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.reconciliation import BankLine
from services.gateways.bank_answer import ParsedAnswer, answer_of, read_answer
from services.gateways.http_exchange import Reply
from services.gateways.ncba.collections_wire import Token, is_doubtful_status, safe_line
from services.gateways.openbanking.credentials import OpenBankingCredentials

TOKEN_LIFE_S = 900  # no expiry is told: so long a token is kept

# These speak of our credentials, our IP address or our URL, never of the purchase.
_ABOUT_US = frozenset({401, 403, 404})


class _Wire(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, coerce_numbers_to_str=True, str_strip_whitespace=True
    )


# --- Requests -----------------------------------------------------------------------------------


def bank_reference(reference: str) -> str:
    """Our reference as the bank has it, letters and digits only: ``FL7K3QF9``."""
    return reference.replace("-", "")


def purchase_body(order: FloatOrder, credentials: OpenBankingCredentials) -> dict[str, str]:
    """Raises ``ValueError`` on an amount that is not whole shillings."""
    if order.amount.currency != "KES":
        raise ValueError(f"float is bought in KES, not {order.amount.currency}")
    amount = str(order.amount.whole_units)
    reference = bank_reference(order.reference)
    return {
        "reqAgentName": credentials.agent_name,
        "reqCreditAmount": amount,
        "reqCustomerReference": reference,
        "reqDealReference": reference,
        "reqDebitAccountNumber": credentials.debit_account,
        "reqDebitAcCurrency": "KES",
        "reqDebitAmount": amount,
        "reqMobileNumber": order.phone.msisdn,
        "reqPayBillTillNo": order.short_code,
        "reqPaymentDescription": f"B2C float {reference}",
        "reqPaymentType": "FloatPurchase",
        "reqToAccountName": credentials.to_account_name or credentials.agent_name,
        "reqTransactionReferenceNo": reference,
        "reqTxnDate": order.ordered_at.astimezone(NAIROBI).strftime("%Y%m%d"),
        "senderCountry": credentials.country,
    }


def format_day(day: date) -> str:
    """``ddmmYYYY``, as the statement wants its days."""
    return day.strftime("%d%m%Y")


# --- Token --------------------------------------------------------------------------------------

# Printable ASCII: what cannot stand in a header must not be met while money is being sent.
_TokenText = Annotated[str, Field(pattern=r"^[!-~]+$")]


class _TokenGiven(_Wire):
    access_token: _TokenText | None = Field(default=None, alias="accessToken", repr=False)
    token_id: _TokenText | None = Field(default=None, alias="tokenID", repr=False)


def read_token(reply: Reply | NotSent | Unknown) -> Token | NotSent:
    """Whatever became of a token request, no money request has left yet."""
    if not isinstance(reply, Reply):
        return NotSent(f"token: {reply.why}")
    if reply.status // 100 != 2:
        return NotSent(f"token: {_http(reply)}")
    try:
        given = _TokenGiven.model_validate_json(reply.body)
    except ValidationError:  # its text repeats the input, which may hold a token
        return NotSent("token: an answer of unknown shape")
    texts = {text for text in (given.access_token, given.token_id) if text}
    if len(texts) != 1:
        said = _read_coded_answer(reply.body)
        return NotSent(f"token: an answer without one token {said.words if said else ''}".rstrip())
    return Token(texts.pop(), TOKEN_LIFE_S)


# --- What an answer says ------------------------------------------------------------------------

# Of NCBA's rails that only queue what they are given, whatever their code (facts: NCBA 6).
_QUEUED = frozenset({"hdrrefno", "hdrtranid", "unitid"})
_DUPLICATE = re.compile(r"\bduplicat\w*\b", re.IGNORECASE)
# What is asked after, and an empty list or object of it is that it was not found.
_FOUND = re.compile(r"^(?:data|(?:transaction|txn|payment|record|result|item)s?)$")
_OURS = re.compile(rf"FL-?[{ALPHABET}]{{{REFERENCE_LENGTH}}}")


class _Answer(_Wire):
    """The shapes seen of sister calls, of which an answer may have several at once."""

    result_code: str | None = Field(default=None, alias="resultCode")
    error_code: str | None = Field(default=None, alias="resErrorCode")
    succeeded: StrictBool | None = None
    data: object = None
    # The only name under which NCBA itself speaks of a transaction's id.
    transaction_id: str | None = Field(default=None, alias="transactionId")


class _Status(_Answer):
    """The status query's own, as one integrator saw it (facts: NCBA 6)."""

    code: str | None = Field(default=None, alias="Code")
    transaction: object = Field(default=None, alias="Transaction")


@dataclass(frozen=True, slots=True)
class _CodedAnswer:
    """``codes`` are those of a known shape, by which alone an answer is a yes or a no;
    ``everything`` is looked through for what says otherwise."""

    codes: frozenset[str]
    everything: ParsedAnswer
    bank_id: str | None = None

    @property
    def words(self) -> str:
        return safe_line("; ".join(dict.fromkeys(self.everything.words)))

    @property
    def summary(self) -> str:
        """Shows the code, so that its meaning can be asked for and set."""
        codes = self.codes or self.everything.codes
        code = f"code {'/'.join(sorted(codes))}" if codes else ""
        return safe_line(": ".join(part for part in (code, self.words) if part))

    @property
    def says_nothing(self) -> bool:
        said = self.everything
        return not (self.codes or said.flags or said.words)

    def is_success(self, yes: frozenset[str], no: frozenset[str]) -> bool | None:
        """``None`` for whatever is not in one table altogether, or contradicts itself."""
        said = self.everything
        if self.codes and self.codes | said.codes <= yes and not said.denies_success:
            return True
        says_yes = said.claims_success or said.doubts or (said.zero_codes | said.codes & yes) - no
        if self.codes and self.codes <= no and not says_yes:
            return False
        return None


def _read_coded_answer(body: bytes, shape: type[_Answer] = _Answer) -> _CodedAnswer | None:
    """``None`` when no known shape can be read. A blank code is a code that no table knows."""
    everything = read_answer(body)
    if everything is None:
        return None
    try:
        outer = shape.model_validate_json(body)
        inner = shape.model_validate(outer.data) if isinstance(outer.data, dict) else None
    except ValidationError:
        return None
    parts = [part for part in (outer, inner) if part]
    codes = [code for part in parts for code in (part.result_code, part.error_code)]
    codes += [part.code for part in parts if isinstance(part, _Status)]
    ids = {part.transaction_id for part in parts if part.transaction_id}
    known = frozenset(code for code in codes if code is not None)
    said = _CodedAnswer(known, everything, ids.pop() if len(ids) == 1 else None)
    return None if said.says_nothing else said


def _http(reply: Reply) -> str:
    said = read_answer(reply.body)
    return f"HTTP {reply.status} {_CodedAnswer(frozenset(), said).summary if said else ''}".rstrip()


def read_purchase(
    reply: Reply, credentials: OpenBankingCredentials, reference: str = ""
) -> Succeeded | Rejected | Unknown:
    """Any answer to the one POST: final or unknown, never sent again (facts: NCBA 4, 6).

    Beside a refusal ``reference``, our own, is an echo; any other id is a transaction's.
    The reason is always ``BANK_REFUSED``: the bank speaks of our account, and M-PESA's tables,
    which speak of the payer's, would explain it wrongly.
    """
    everything = read_answer(reply.body)
    if everything is not None and any(_DUPLICATE.search(text) for text in everything.texts):
        return Unknown(f"{_http(reply)}: a duplicate, so the first has arrived")
    if reply.status // 100 == 4:
        return _read_refusal(reply, everything, credentials, reference)
    if reply.status // 100 != 2:
        return Unknown(_http(reply))
    said = _read_coded_answer(reply.body)
    if said is None:
        return Unknown(f"HTTP {reply.status} of unknown shape")
    match said.is_success(credentials.success_codes, credentials.refusal_codes):
        case True if (
            reply.status == 202
            or said.codes & credentials.accepted_codes
            or said.everything.names & _QUEUED
        ):
            return Unknown(f"only accepted: {said.summary}")
        case True if _is_other_purchase(said.everything, reference):
            return Unknown(f"another purchase: {said.summary}")
        case True:
            return Succeeded(said.bank_id, said.words)
        case False if _has_foreign_id(said.everything, reference):
            return Unknown(f"refused, with an id: {said.summary}")
        case False:
            return Rejected(Reason.BANK_REFUSED, said.summary)
        case None:
            return Unknown(f"not known to be final: {said.summary}")


def _has_foreign_id(said: ParsedAnswer, reference: str) -> bool:
    """It has an id of something, which is not our own reference sent back."""
    return any(bank_reference(one) != bank_reference(reference) for one in said.ids)


def _is_other_purchase(said: ParsedAnswer, reference: str) -> bool:
    """It speaks of a purchase of ours, and not of the one with this ``reference``."""
    ours = {bank_reference(one) for one in said.ids if _OURS.fullmatch(one)}
    return not ours <= {bank_reference(reference)}


def _read_refusal(
    reply: Reply, said: ParsedAnswer | None, credentials: OpenBankingCredentials, reference: str
) -> Rejected | Unknown:
    """A 4xx: final where it gives a reason, or speaks of us, and nothing in it is doubtful."""
    known = said is not None and said.codes & credentials.refusal_codes
    if is_doubtful_status(reply.status, None if known else said):
        return Unknown(_http(reply))
    if said is not None:
        zeros = said.zero_codes - credentials.refusal_codes
        if zeros or said.codes & credentials.success_codes or said.claims_success:
            return Unknown(f"{_http(reply)}: a refusal that says success")
        if said.doubts or _has_foreign_id(said, reference):
            return Unknown(_http(reply))
    if known or (said is not None and said.words) or reply.status in _ABOUT_US:
        return Rejected(Reason.BANK_REFUSED, _http(reply))
    return Unknown(f"{_http(reply)} without a reason")


def read_status(
    reply: Reply | NotSent | Unknown, credentials: OpenBankingCredentials, reference: str = ""
) -> StatusAnswer:
    """Only codes in the status query's own tables are final, a "not found" included, and only
    where nothing beside them says otherwise, or speaks of another purchase than ``reference``."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    said = _read_coded_answer(reply.body, _Status)
    if reply.status // 100 != 2 or said is None:
        return NoAnswer(_http(reply))
    if _is_other_purchase(said.everything, reference):
        return StillOpen(f"another purchase: {said.summary}")
    match said.is_success(credentials.bought_codes, credentials.failed_codes):
        case True if any(
            _FOUND.search(name) and value in ([], {}) for name, value in said.everything.leaves
        ):
            return StillOpen(f"nothing found: {said.summary}")
        case True if "transaction" in said.everything.names and not said.everything.statuses:
            return StillOpen(f"a transaction without a status: {said.summary}")
        case True:
            return Succeeded(said.bank_id, said.words)
        case False:
            return Failed(said.summary)
        case None:
            return StillOpen(said.summary)


# --- Account ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """The answer's fields by name, as text for a person to read: which there are is not public."""

    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement: of ``credit`` and ``debit`` at least one is zero, neither is negative.

    Where our reference stands is not known (facts: NCBA 5), so every text comes along.
    """

    value_date: date
    credit: Money
    debit: Money
    running_balance: Money | None
    instrument_reference: str
    credit_reference: str
    additional_reference: str
    transaction_code: str
    code_description: str
    narrative: str
    payment_details: str


# Of one line: a hundred thousand of them can be added up in a database's whole number.
LINE_CENTS_MAX = 10**13


def bank_line(line: StatementLine) -> BankLine:
    """As reconciliation reads it: direction, amount, and every text there is."""
    is_credit = line.credit.cents > 0
    return BankLine.of(
        line.value_date,
        line.credit if is_credit else line.debit,
        (line.narrative, line.payment_details, line.code_description),
        is_credit=is_credit,
        references=(
            line.instrument_reference,
            line.additional_reference,
            line.credit_reference,
        ),
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """In the bank's own order."""

    lines: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A statement came, but not every line of it can be read. ``why`` is for the log."""

    why: str


def read_line(fields: object) -> StatementLine:
    """One line by NCBA's names. Raises ``ValueError``, which may repeat what the line says."""
    return _Line.model_validate(fields).read()


class _Line(_Wire):
    value_date: str = Field(alias="ValueDate", pattern=r"^[0-9]{8}$")
    flag: str = Field(alias="CreditDebitFlag")
    currency: str = Field(alias="TransactionCurrency")
    credit: str | None = Field(default=None, alias="CreditAmount")
    debit: str | None = Field(default=None, alias="DebitAmount")
    running_balance: str | None = Field(default=None, alias="RunningBalance")
    instrument_reference: str | None = Field(default=None, alias="InstrumentReferenceNumber")
    credit_reference: str | None = Field(default=None, alias="CreditReference")
    additional_reference: str | None = Field(default=None, alias="AdditionalReference")
    transaction_code: str | None = Field(default=None, alias="TransactionCode")
    code_description: str | None = Field(default=None, alias="TransactionCodeDescription")
    narrative: str | None = Field(default=None, alias="Narrative")
    payment_details: str | None = Field(default=None, alias="PaymentDetails")

    def read(self) -> StatementLine:
        """Raises ``ValueError`` on a date, amount or direction that is not plainly one."""
        day, month, year = self.value_date[:2], self.value_date[2:4], self.value_date[4:]
        credit = Money.of(self.credit or "0", self.currency)
        debit = Money.of(self.debit or "0", self.currency)
        if credit.cents < 0 or debit.cents < 0 or (credit.cents and debit.cents):
            raise ValueError("amounts on both sides, or below zero")
        if max(credit.cents, debit.cents) > LINE_CENTS_MAX:
            raise ValueError("more than any account of ours moves at once")
        value_date = date(int(year), int(month), int(day))
        if not is_of_this_century(value_date):
            raise ValueError("not a day of ours")
        against = {
            **dict.fromkeys(("C", "CR", "CREDIT"), debit),
            **dict.fromkeys(("D", "DR", "DEBIT"), credit),
        }.get(self.flag.upper())
        if against is None or against.cents:
            raise ValueError("a direction that its amount does not have")
        balance = self.running_balance
        return StatementLine(
            value_date=value_date,
            credit=credit,
            debit=debit,
            running_balance=Money.of(balance, self.currency) if balance else None,
            instrument_reference=self.instrument_reference or "",
            credit_reference=self.credit_reference or "",
            additional_reference=self.additional_reference or "",
            transaction_code=self.transaction_code or "",
            code_description=self.code_description or "",
            narrative=self.narrative or "",
            payment_details=self.payment_details or "",
        )


@dataclass(frozen=True, slots=True)
class _Account:
    """An answer and its ``data``, with numbers as they were written, unless it says no."""

    parts: tuple[Mapping[str, object], ...]
    says_yes: bool


def _read_account(
    reply: Reply | NotSent | Unknown, credentials: OpenBankingCredentials
) -> _Account | NoAnswer:
    """Nothing moves here, so ``succeeded`` is enough to believe what it comes with."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    if reply.status // 100 != 2:
        return NoAnswer(_http(reply))
    try:
        answer = json.loads(reply.body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return NoAnswer(f"HTTP {reply.status}, not JSON")
    if isinstance(answer, list):
        return _Account(({"data": answer},), says_yes=True)
    if not isinstance(answer, dict):
        return NoAnswer(f"HTTP {reply.status} of unknown shape")
    inner = answer.get("data")
    parts = (answer, inner) if isinstance(inner, dict) else (answer,)
    try:
        said = answer_of({"parts": [_without_lists(part) for part in parts]})
    except ValueError:
        return NoAnswer(f"HTTP {reply.status} of unknown shape")
    if not said.codes <= credentials.success_codes or False in said.flags:
        return NoAnswer(_CodedAnswer(said.codes, said).summary)
    return _Account(parts, says_yes=bool(said.codes or said.flags))


def _without_lists(part: Mapping[str, object]) -> Mapping[str, object]:
    """What it says of itself; the lines in it speak of other things."""
    return {name: value for name, value in part.items() if not isinstance(value, list | dict)}


def read_details(
    reply: Reply | NotSent | Unknown, credentials: OpenBankingCredentials
) -> AccountDetails | NoAnswer:
    account = _read_account(reply, credentials)
    if isinstance(account, NoAnswer):
        return account
    texts = {
        name: text
        for part in account.parts
        for name, text in part.items()
        if isinstance(text, str) and text
    }
    return AccountDetails(texts) if texts else NoAnswer("details of unknown shape")


def read_statement(
    reply: Reply | NotSent | Unknown, credentials: OpenBankingCredentials
) -> Statement | Unreadable | NoAnswer:
    """All lines or none: one that cannot be read makes the whole statement unreadable.

    What surrounds the lines is not public: they are taken to be the one list there is. An empty
    one counts only where the answer is nothing else, or says success.
    """
    account = _read_account(reply, credentials)
    if isinstance(account, NoAnswer):
        return account
    lists = [value for part in account.parts for value in part.values() if isinstance(value, list)]
    if len(lists) != 1:
        return NoAnswer(f"a statement with {len(lists)} lists")
    if not lists[0] and not account.says_yes:
        return NoAnswer("an empty statement that does not say success")
    lines = []
    for number, line in enumerate(lists[0], start=1):
        try:
            lines.append(read_line(line))
        except ValueError:  # pydantic's too, whose text repeats the line
            return Unreadable(f"line {number} of {len(lists[0])}")
    return Statement(tuple(lines))
