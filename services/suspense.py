"""Payments that are nobody's yet, and how evidence about a top-up takes one out of suspense.

Runs inside a transaction and calls nobody outside.
"""

from __future__ import annotations

from dataclasses import replace

from services.domain.ledger import released
from services.domain.payment import (
    AFTER_PROMPT,
    BEFORE_PROMPT,
    Payment,
    PaymentState,
    Suspense,
)
from services.domain.topup import TopUp
from services.ports import Tx


def release(tx: Tx, topup: TopUp) -> str | None:
    """The receipt of a payment that might have paid this top-up or another, now that the bank says
    that this one is paid; ``None`` where no payment waits.

    Both have one payer and one amount, so whichever it was, the next payment is the other's.
    """
    waiting = tx.payments.suspended(
        (Suspense.AMBIGUOUS, Suspense.PAID_AGAIN),
        topup.amount,
        since=topup.began_at - BEFORE_PROMPT,
        until=topup.began_at + AFTER_PROMPT,
    )
    for arrived in waiting:
        if _names_another(tx, arrived.payment, topup.partner):
            continue
        if not arrived.payment.payer.is_of(topup.phone):
            continue
        mine = arrived.belongs(PaymentState.RELEASED, topup.partner, topup.reference)
        tx.payments.save(replace(mine, inferred=True))
        tx.ledger.book(released(arrived.reference, arrived.amount))
        tx.evidence.close_reviews(arrived.reference)
        tx.proposals.overtake(arrived.reference)
        return arrived.payment.receipt
    return None


def _names_another(tx: Tx, payment: Payment, partner: str) -> bool:
    """Whether it names a partner, by a top-up or by code, and that is another one."""
    topup = None if payment.topup is None else tx.topups.get(payment.topup)
    if topup is not None:
        return topup.partner != partner
    named = None if payment.partner is None else tx.people.partner(payment.partner)
    return named is not None and named.code != partner
