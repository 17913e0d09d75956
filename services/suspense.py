"""Payments that are nobody's yet, and how evidence about a top-up takes one out of suspense.

Runs inside a transaction and calls nobody outside.
"""

from __future__ import annotations

from dataclasses import replace

from services import matching
from services.domain.ledger import released
from services.domain.payment import MAY_HAVE_PAID, PaymentState
from services.domain.topup import TopUp
from services.ports import Tx


def release(tx: Tx, topup: TopUp) -> str | None:
    """The receipt that is this top-up's, now that the bank says that it is paid, where a payment
    waits that might have paid it or another; ``None`` where none waits.

    All have one payer and one amount, so whichever it was, the next payment is the other's. One
    that came too early for this top-up may have paid an earlier one, whose receipt moves on.
    """
    waiting = [
        (arrived, chain)
        for arrived in tx.payments.suspended(MAY_HAVE_PAID, topup.amount)
        if arrived.payment.payer.is_of(topup.phone)
        for chain in matching.chains(tx, arrived.payment, also=topup.reference)
        if chain[-1].reference == topup.reference
    ]
    if not waiting:
        return None
    arrived, chain = min(waiting, key=lambda one: len(one[1]))
    last, _ = matching.follow(tx, replace(arrived, state=PaymentState.RELEASED), chain)
    tx.ledger.book(released(arrived.reference, arrived.amount))
    tx.evidence.close_reviews(arrived.reference)
    tx.proposals.overtake(arrived.reference)
    return last.payment.receipt
