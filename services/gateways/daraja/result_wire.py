"""Results that M-PESA posts, and what each of them proves (facts: Daraja 5, 6, 7).

Nothing in one is signed. So it may end a payout only in the way that was ordered: amount and phone
are ours, and wherever a Result names others, contradicts itself or expresses doubt, it decides
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.domain.doubtful_words import doubts, says_no, says_yes
from services.domain.money import Money
from services.domain.mpesa_balance import CHARGES, UTILITY
from services.domain.payout_answers import (
    RECIPIENT_NAME_MAX,
    PaidOut,
    PayoutOrder,
    PayoutReason,
    PayoutVerdict,
    Returned,
    Undecided,
)
from services.domain.phone import Phone
from services.gateways.bank_answer import read_object, safe_line

FINAL, DONE, COMPLETED = "0", "0", "Completed"
PARAMETERS_MAX = 60  # a Result has about a dozen
TEXT_MAX = 200  # of any value but the balances, which are read whole

REASONS = {
    "1": PayoutReason.UTILITY_SHORT,
    "2": PayoutReason.BELOW_MINIMUM,
    "3": PayoutReason.ABOVE_MAXIMUM,
    "4": PayoutReason.RECIPIENT_LIMIT,
    "8": PayoutReason.RECIPIENT_LIMIT,
    "11": PayoutReason.ACCOUNT_INACTIVE,
    "2006": PayoutReason.ACCOUNT_INACTIVE,
    "21": PayoutReason.NOT_PERMITTED,
    "2028": PayoutReason.NOT_PERMITTED,
    "2001": PayoutReason.WRONG_CREDENTIAL,
    "8006": PayoutReason.CREDENTIAL_LOCKED,
    "2040": PayoutReason.NOT_REGISTERED,
    "SFC_IC0003": PayoutReason.NO_SUCH_NUMBER,
}

_RECEIPT = re.compile(r"[A-Z0-9]{8,20}")
_MASKED = re.compile(r"\+?(\d*)[*xX]+(\d*)")
_ONLY_PAID = frozenset({"transactionreceipt", "transactionamount", "receiptno"})
_BESIDE_A_PAYMENT = {
    UTILITY: "B2CUtilityAccountAvailableFunds",
    CHARGES: "B2CChargesPaidAccountAvailableFunds",
}
_CURRENCY_AND_BALANCE = 2  # what must stand behind an account's name
_DIGITS_SHOWN_LEAST = 3  # of a masked number, or it names nobody
_HEAD = frozenset(
    {
        "ResultType",
        "ResultCode",
        "ResultDesc",
        "OriginatorConversationID",
        "ConversationID",
        "TransactionID",
        "ResultParameters",
        "ReferenceData",
    }
)
# Ids, amounts, names and times: read by their keys, and never as words about the payment.
_TYPED = frozenset(
    {
        "transactionamount",
        "transactionreceipt",
        "receiverpartypublicname",
        "transactioncompleteddatetime",
        "b2cutilityaccountavailablefunds",
        "b2cworkingaccountavailablefunds",
        "b2crecipientisregisteredcustomer",
        "b2cchargespaidaccountavailablefunds",
        "debitpartyname",
        "creditpartyname",
        "originatorconversationid",
        "conversationid",
        "receiptno",
        "transactionstatus",
        "amount",
        "initiatedtime",
        "finalisedtime",
        "debitaccounttype",
        "debitpartycharges",
        "reasontype",
        "accountbalance",
        "bocompletedtime",
    }
)


@dataclass(frozen=True, slots=True)
class Result:
    """``values`` are its parameters by lower-case key, those without a value left out. ``aside``
    are the texts that stand where no page puts any. ``occasion`` is that of a query.
    """

    kind: str
    code: str
    words: str
    originator_id: str
    conversation_id: str
    transaction_id: str
    values: Mapping[str, tuple[str, ...]]
    aside: tuple[str, ...]
    occasion: str

    @property
    def is_final(self) -> bool:
        """It announces no other message."""
        return self.kind == FINAL

    @property
    def summary(self) -> str:
        return safe_line(f"type {self.kind}, code {self.code}: {self.words}")

    def value(self, key: str) -> str | None:
        """The one value of that key; ``None`` where it has none, or several that differ."""
        given = set(self.values.get(key.lower(), ()))
        return given.pop() if len(given) == 1 else None

    @property
    def says_otherwise(self) -> bool:
        """Something in it doubts or denies success."""
        return any(doubts(text) or says_no(text) for text in (self.words, *self._said))

    @property
    def claims_success(self) -> bool:
        return any(says_yes(text) for text in (self.words, *self._said))

    @property
    def _said(self) -> Iterator[str]:
        yield from self.aside
        for key, values in self.values.items():
            if key not in _TYPED:
                yield from values


def read_result(body: bytes) -> Result | None:
    """``None`` for anything but a JSON object with a ``Result`` of a known shape, in which no name
    comes twice."""
    outer = read_object(body)
    fields = outer.get("Result") if outer is not None else None
    if not isinstance(fields, Mapping):
        return None
    head = {name: _text(fields.get(name)) for name in _HEAD}
    values: dict[str, tuple[str, ...]] = {}
    for key, text in _items(fields.get("ResultParameters"), "ResultParameter"):
        values[key.lower()] = (*values.get(key.lower(), ()), text)
    if not head["ResultCode"] or sum(map(len, values.values())) > PARAMETERS_MAX:
        return None
    references = dict(_items(fields.get("ReferenceData"), "ReferenceItem"))
    return Result(
        kind=head["ResultType"],
        code=head["ResultCode"],
        words=head["ResultDesc"],
        originator_id=head["OriginatorConversationID"],
        conversation_id=head["ConversationID"],
        transaction_id=head["TransactionID"],
        values=values,
        aside=tuple(_text(value) for name, value in fields.items() if name not in _HEAD),
        occasion=references.get("Occasion", "")[:TEXT_MAX],
    )


def judge_payment(result: Result, order: PayoutOrder) -> PayoutVerdict:
    """Of a Result to the order itself, which the caller has matched by either of its ids."""
    if not result.is_final:
        return Undecided(f"more to come: {result.summary}")
    if result.code == DONE:
        return _judge_paid(result, order)
    reason = REASONS.get(result.code)
    if reason is None:
        return Undecided(f"not known to be final: {result.summary}")
    if _ONLY_PAID & result.values.keys() or result.claims_success or doubts(result.words):
        return Undecided(f"a failure that says otherwise: {result.summary}")
    return Returned(reason, result.summary)


def judge_status(
    result: Result, order: PayoutOrder, conversation_id: str | None
) -> PaidOut | Undecided:
    """Of a Result to a status query about the order; ``conversation_id`` is that of the order's
    acknowledgement, where it had one.

    Its code is that of the query. Only a completed payment proves anything: that none was found
    never releases a hold.
    """
    if not result.is_final or result.code != DONE or result.says_otherwise:
        return Undecided(f"the query did not answer: {result.summary}")
    status = result.value("TransactionStatus")
    if status != COMPLETED:
        return Undecided(f"not completed: {safe_line(status or 'no status')}")
    is_ours = result.value("OriginatorConversationID") == order.originator_id or (
        conversation_id is not None and result.value("ConversationID") == conversation_id
    )
    if not is_ours:
        return Undecided("completed, under ids that are not ours")
    if not _is_amount(result.values.get("amount", ()), order.amount):
        return Undecided("completed, of another amount")
    parties = (*result.values.get("debitpartyname", ()), *result.values.get("creditpartyname", ()))
    paid = [party for party in parties if _names(party, order.phone)]
    others = [party for party in parties if party not in paid and _is_a_phone(party)]
    if not paid or others:
        return Undecided("completed, to somebody else")
    return _paid_out(result.value("ReceiptNo"), paid[-1], result)


def read_balances(result: Result) -> Mapping[str, Money] | None:
    """What each account of the short code has, by its name (``Utility Account``); ``None`` if that
    cannot be read. What is owed for payments stands as a negative balance."""
    text = result.value("AccountBalance")
    if not result.is_final or result.code != DONE or text is None:
        return None
    balances: dict[str, Money] = {}
    for account in text.split("&"):
        name, *rest = (part.strip() for part in account.split("|"))
        if len(rest) < _CURRENCY_AND_BALANCE or rest[0] != "KES" or name in balances:
            return None
        balance = _signed(rest[1])
        if balance is None:
            return None
        balances[name] = balance
    return balances


def balances_in(result: Result) -> Mapping[str, Money]:
    """What it says of the short code's accounts: all of them in the answer to that question, two
    beside a payment; none if that cannot be read."""
    asked = read_balances(result)
    if asked is not None:
        return asked
    if not result.is_final or result.code != DONE:
        return {}
    told: dict[str, Money] = {}
    for account, key in _BESIDE_A_PAYMENT.items():
        amount = _signed(result.value(key) or "")
        if amount is not None:
            told[account] = amount
    return told


def _signed(text: str) -> Money | None:
    digits = text.removeprefix("-")
    try:
        amount = Money.of(digits)
    except ValueError:
        return None
    return amount if digits == text else Money(-amount.cents)


def _judge_paid(result: Result, order: PayoutOrder) -> PaidOut | Undecided:
    if result.says_otherwise:
        return Undecided(f"a success that says otherwise: {result.summary}")
    amounts = result.values.get("transactionamount", ())
    if amounts and not _is_amount(amounts, order.amount):
        return Undecided("paid, but another amount")
    parties = result.values.get("receiverpartypublicname", ())
    if not all(_names(party, order.phone) for party in parties):
        return Undecided("paid, but to somebody else")
    receipts = {result.transaction_id, *result.values.get("transactionreceipt", ())} - {""}
    receipt = receipts.pop() if len(receipts) == 1 else None
    return _paid_out(receipt, parties[-1] if parties else "", result)


def _paid_out(receipt: str | None, party: str, result: Result) -> PaidOut | Undecided:
    if receipt is None or not _RECEIPT.fullmatch(receipt):
        return Undecided(f"a success without a receipt: {result.summary}")
    _, _, name = party.partition(" - ")
    printable = "".join(one if one.isprintable() else " " for one in name)
    return PaidOut(receipt, safe_line(printable)[:RECIPIENT_NAME_MAX].strip() or None)


def _is_amount(given: tuple[str, ...], amount: Money) -> bool:
    """Whether there is an amount, and it is this one wherever it stands."""
    try:
        return {Money.of(text) for text in given} == {amount}
    except ValueError:
        return False


def _names(party: str, phone: Phone) -> bool:
    """Whether it is this phone's: "2547… - NAME", with digits that may be masked."""
    number = party.partition(" - ")[0].strip()
    masked = _MASKED.fullmatch(number)
    if masked is None:
        return number.removeprefix("+") in (phone.msisdn, f"0{phone.msisdn[3:]}")
    head, tail = masked[1], masked[2]
    shows_enough = len(head) + len(tail) >= _DIGITS_SHOWN_LEAST
    return shows_enough and phone.msisdn.startswith(head) and phone.msisdn.endswith(tail)


def _is_a_phone(party: str) -> bool:
    number = party.partition(" - ")[0].strip().removeprefix("+")
    return number.startswith(("254", "07", "01")) or _MASKED.fullmatch(number) is not None


def _items(holder: object, name: str) -> Iterator[tuple[str, str]]:
    """Keys and values of a list that may be one object, and may be missing."""
    listed = holder.get(name) if isinstance(holder, Mapping) else None
    for item in listed if isinstance(listed, list) else [listed]:
        if isinstance(item, Mapping) and (value := _text(item.get("Value"))):
            yield _text(item.get("Key")), value


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
