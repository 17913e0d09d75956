"""The statement of our account on the wire (facts: NCBA 3, 5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import Field

from services.domain.bank import NoAnswer, NotSent, Unknown
from services.domain.bank_line import BankLine
from services.domain.business_days import is_of_this_century
from services.domain.money import Money
from services.gateways.bank_answer import WireModel, answer_of
from services.gateways.http_exchange import Reply
from services.gateways.openbanking.coded_answer import CodedAnswer, describe_reply
from services.gateways.openbanking.credentials import OpenBankingCredentials


def format_day(day: date) -> str:
    """``ddmmYYYY``, the format of the statement request."""
    return day.strftime("%d%m%Y")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement: of ``credit`` and ``debit`` at least one is zero, and neither is negative.

    Which field holds our reference is not known (facts: NCBA 5), so all texts are kept.
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


# Per line: the sum of a hundred thousand of them fits a database integer.
LINE_CENTS_MAX = 10**13


def bank_line(line: StatementLine) -> BankLine:
    """As reconciliation needs it: direction, amount, and all texts."""
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
    """In the bank's order."""

    lines: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A statement with lines that cannot be read. ``why`` is for the log."""

    why: str


def read_line(fields: object) -> StatementLine:
    """One line by NCBA's field names. Raises ``ValueError``, whose message may repeat the line."""
    return _Line.model_validate(fields).read()


class _Line(WireModel):
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
        """Raises ``ValueError`` on an ambiguous date, amount or direction."""
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
    """An answer and its ``data``, with numbers as written, unless it reports a failure."""

    parts: tuple[Mapping[str, object], ...]
    says_yes: bool


def _read_account(
    reply: Reply | NotSent | Unknown, credentials: OpenBankingCredentials
) -> _Account | NoAnswer:
    """No money moves here, so ``succeeded`` is enough to accept the content."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    if reply.status // 100 != 2:
        return NoAnswer(describe_reply(reply))
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
        parsed = answer_of({"parts": [_without_lists(part) for part in parts]})
    except ValueError:
        return NoAnswer(f"HTTP {reply.status} of unknown shape")
    if not parsed.codes <= credentials.success_codes or False in parsed.flags:
        return NoAnswer(CodedAnswer(parsed.codes, parsed).summary)
    return _Account(parts, says_yes=bool(parsed.codes or parsed.flags))


def _without_lists(part: Mapping[str, object]) -> Mapping[str, object]:
    """What it says about itself, without the lines it contains."""
    return {name: value for name, value in part.items() if not isinstance(value, list | dict)}


def read_statement(
    reply: Reply | NotSent | Unknown, credentials: OpenBankingCredentials
) -> Statement | Unreadable | NoAnswer:
    """All lines or none: one unreadable line makes the whole statement unreadable.

    What surrounds the lines is not public, so the only list in the answer is taken for them. An
    empty one counts only if the answer is nothing else, or reports success.
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
        except ValueError:  # also pydantic's, whose message repeats the line
            return Unreadable(f"line {number} of {len(lists[0])}")
    return Statement(tuple(lines))
