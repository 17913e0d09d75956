"""Payments without an owner yet, and how evidence about a top-up releases one.

Runs inside a transaction and makes no outside calls.
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
    """The receipt for this top-up, now that the bank reports it paid, if a payment waits that may
    have paid it or another; ``None`` if none waits.

    All have one payer and one amount, so whichever it was, the next payment belongs to the other. A
    payment too early for this top-up may have paid an earlier one, whose receipt then moves on.
    """
    found = payment_matching.chain_to(
        tx, topup, tx.payments.in_suspense(MAY_HAVE_PAID, topup.amount)
    )
    if found is None:
        return None
    last, _ = release(tx, *found)
    return last.payment.receipt


def release(
    tx: Tx, recorded: RecordedPayment, chain: Chain
) -> tuple[RecordedPayment, RecordedPayment | None]:
    """It paid the first top-up of the chain, which is applied
    (``payment_matching.apply_chain``)."""
    tx.ledger.book(suspense_release(recorded.reference, recorded.amount))
    tx.evidence.close_reviews(recorded.reference, recorded.why)
    tx.proposals.supersede(recorded.reference)
    return payment_matching.apply_chain(tx, replace(recorded, state=PaymentState.RELEASED), chain)
