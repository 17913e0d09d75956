"""Payments that are nobody's yet, and how evidence about a top-up takes one out of suspense.

Runs inside a transaction and calls nobody outside.
"""

from __future__ import annotations

from dataclasses import replace

from services import payment_matching
from services.domain.ledger import suspense_release
from services.domain.payment import MAY_HAVE_PAID, PaymentState, RecordedPayment
from services.domain.topup import TopUp
from services.payment_matching import Chain
from services.ports import Tx


def release_for(tx: Tx, topup: TopUp) -> str | None:
    """The receipt that is this top-up's, now that the bank says that it is paid, where a payment
    waits that might have paid it or another; ``None`` where none waits.

    All have one payer and one amount, so whichever it was, the next payment is the other's. One
    that came too early for this top-up may have paid an earlier one, whose receipt moves on.
    """
    found = payment_matching.chain_to(
        tx, topup, tx.payments.in_suspense(MAY_HAVE_PAID, topup.amount)
    )
    if found is None:
        return None
    last, _ = release(tx, *found)
    return last.payment.receipt


def release(
    tx: Tx, arrived: RecordedPayment, chain: Chain
) -> tuple[RecordedPayment, RecordedPayment | None]:
    """It paid the first top-up of the chain, which is followed (``matching.follow``)."""
    tx.ledger.book(suspense_release(arrived.reference, arrived.amount))
    tx.evidence.close_reviews(arrived.reference, arrived.why)
    tx.proposals.supersede(arrived.reference)
    return payment_matching.apply_chain(tx, replace(arrived, state=PaymentState.RELEASED), chain)
