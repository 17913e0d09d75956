"""Compares our payouts with the books of the simulated M-PESA, as far as both have settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.simulation.daraja.b2c_ledger import B2cPayment, B2cState
from services.domain.money import Money
from services.domain.phone import Phone

PAID = frozenset({"PAID", "PAID_AFTER_RETURN"})
NOT_SETTLED = frozenset({"SUBMITTING", "ACCEPTED", "UNKNOWN"})
RETURNED = "RETURNED"


class ComparedPayout(Protocol):
    """What is compared of a payout of ours. ``receipt`` is ``None`` until we know it."""

    @property
    def reference(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def recipient(self) -> Phone: ...
    @property
    def amount(self) -> Money: ...
    @property
    def originator_id(self) -> str: ...
    @property
    def receipt(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class MpesaBooks:
    """The short code's own, as they are ``now``. ``order_counts`` has the orders by our id. What
    M-PESA told up to ``last_crash`` may be lost, and is not told again.
    """

    now: datetime
    payments: Sequence[B2cPayment]
    order_counts: Mapping[str, int]
    utility: Money
    last_crash: datetime | None = None

    def paid(self) -> Sequence[B2cPayment]:
        return [one for one in self.payments if one.state(self.now) is B2cState.PAID]

    def has_told(self, payment: B2cPayment) -> bool:
        """Whether the product must know by now that it is paid."""
        told = payment.reported_at
        return told is not None and (self.last_crash is None or told > self.last_crash)


def payout_mismatches(payouts: Sequence[ComparedPayout], books: MpesaBooks) -> Iterator[str]:
    """Each mismatch in words: a payout that is paid must have been paid once, as it was ordered;
    and what M-PESA was ordered to pay, or has paid, must be a payout of ours.
    """
    paid = {payment.originator_id: payment for payment in books.paid()}
    for payout in payouts:
        if payout.state in PAID:
            yield from _paid(payout, paid.get(payout.originator_id))
    for originator_id, times in books.order_counts.items():
        if times > 1:
            yield f"M-PESA was ordered {times} times to pay {originator_id}"
    ours = {payout.originator_id: payout for payout in payouts}
    for payment in books.payments:
        ordered = ours.get(payment.originator_id)
        if ordered is None:
            yield f"M-PESA was ordered to pay {payment.originator_id}, which is no payout of ours"
        elif not _is_as_ordered(ordered, payment):
            yield f"M-PESA was ordered to pay {_what(payment)} for {ordered.reference}"
        elif payment.originator_id in paid and not _may_be_paid(ordered, payment, books):
            yield f"M-PESA has paid {ordered.reference}, which is {ordered.state}"


def utility_mismatches(
    payouts: Sequence[ComparedPayout], books: MpesaBooks, ours: Money, not_bought: Money
) -> Iterator[str]:
    """``ours`` is in the b2c_utility accounts of all partners. ``not_bought`` is the float that the
    bank has sold for the short code, without what we know to be bought.
    """
    settled = {payout.originator_id for payout in payouts if payout.state in PAID}
    not_settled = [one for one in books.paid() if one.originator_id not in settled]
    expected = ours + not_bought - sum((_amount(one) for one in not_settled), Money(0))
    if books.utility != expected:
        yield f"the utility account should have {expected}, and M-PESA has {books.utility} in it"


def _paid(payout: ComparedPayout, payment: B2cPayment | None) -> Iterator[str]:
    if payment is None:
        yield f"{payout.reference} is {payout.state}, but M-PESA has paid no such payout"
    elif payout.receipt not in (None, payment.transaction_id):
        receipt = payment.transaction_id
        yield f"{payout.reference} has the receipt {payout.receipt}, and M-PESA's is {receipt}"


def _may_be_paid(payout: ComparedPayout, payment: B2cPayment, books: MpesaBooks) -> bool:
    if payout.state == RETURNED:
        return not books.has_told(payment)
    return payout.state in PAID | NOT_SETTLED


def _is_as_ordered(payout: ComparedPayout, payment: B2cPayment) -> bool:
    return payout.recipient.msisdn == payment.phone and payout.amount == _amount(payment)


def _amount(payment: B2cPayment) -> Money:
    return Money(payment.amount_kes * 100)


def _what(payment: B2cPayment) -> str:
    return f"{_amount(payment)} to {Phone(payment.phone)}"
