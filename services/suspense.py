"""Payments that are nobody's yet, and how evidence about a top-up takes one out of suspense.

Runs inside a transaction and calls nobody outside.
"""

from __future__ import annotations

from dataclasses import replace

from services.domain.ledger import released
from services.domain.payment import (
    AFTER_PROMPT,
    BEFORE_PROMPT,
    Arrived,
    Payment,
    PaymentState,
    Suspense,
)
from services.domain.topup import TopUp
from services.ports import Tx

SPAN = BEFORE_PROMPT + AFTER_PROMPT  # between two top-ups that one payment may have paid


def release(tx: Tx, topup: TopUp) -> str | None:
    """The receipt of a payment that might have paid this top-up or another, now that the bank says
    that this one is paid; ``None`` where no payment waits.

    Both have one payer and one amount, so whichever it was, the next payment is the other's. One
    that came too early for this top-up may have paid an earlier one, whose receipt then is this
    top-up's.
    """
    waiting = tx.payments.suspended(
        (Suspense.AMBIGUOUS, Suspense.PAID_AGAIN),
        topup.amount,
        since=topup.began_at - 2 * SPAN,
        until=topup.began_at + 2 * SPAN,
    )
    for arrived in waiting:
        if _fits(tx, arrived.payment, topup):
            _take_out(tx, arrived, topup)
            return arrived.payment.receipt
    for arrived in waiting:
        paid_at = arrived.payment.paid_at
        for other in tx.topups.with_inferred_receipt(
            topup.amount, topup.phone, paid_at - AFTER_PROMPT, paid_at + BEFORE_PROMPT
        ):
            assert other.receipt is not None
            holder = tx.payments.get(other.receipt)
            assert holder is not None
            if _fits(tx, arrived.payment, other) and _fits(tx, holder.payment, topup):
                mine = holder.belongs(PaymentState.MATCHED, topup.partner, topup.reference)
                tx.payments.save(replace(mine, inferred=True))
                _take_out(tx, arrived, other)
                tx.evidence.add(other.reference, "receipt", "suspense", arrived.payment.receipt)
                tx.topups.save(replace(other, receipt=arrived.payment.receipt))
                return holder.payment.receipt
    return None


def _take_out(tx: Tx, arrived: Arrived, topup: TopUp) -> None:
    mine = arrived.belongs(PaymentState.RELEASED, topup.partner, topup.reference)
    tx.payments.save(replace(mine, inferred=True))
    tx.ledger.book(released(arrived.reference, arrived.amount))
    tx.evidence.close_reviews(arrived.reference)
    tx.proposals.overtake(arrived.reference)


def _fits(tx: Tx, payment: Payment, topup: TopUp) -> bool:
    """Whether it may have paid that top-up of its amount."""
    since, until = topup.began_at - BEFORE_PROMPT, topup.began_at + AFTER_PROMPT
    return (
        since <= payment.paid_at <= until
        and payment.payer.is_of(topup.phone)
        and not _names_another(tx, payment, topup.partner)
    )


def _names_another(tx: Tx, payment: Payment, partner: str) -> bool:
    """Whether it names a partner, by a top-up or by code, and that is another one."""
    topup = None if payment.topup is None else tx.topups.get(payment.topup)
    if topup is not None:
        return topup.partner != partner
    named = None if payment.partner is None else tx.people.partner(payment.partner)
    return named is not None and named.code != partner
