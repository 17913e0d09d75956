"""Payments in suspense that two admins give to a top-up or a partner.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from dataclasses import replace

from services import payment_matching, suspense
from services.domain.ledger import suspense_assignment
from services.domain.payment import MAY_HAVE_PAID, PaymentState, RecordedPayment, SuspenseReason
from services.domain.refusal import Refusal
from services.payment_matching import Chain
from services.payments import Credited, PaymentEffect, settle_chain
from services.ports import Tx


def find_in_suspense(tx: Tx, reference: str) -> RecordedPayment | Refusal:
    """A payment in suspense that can be assigned.

    Refusals: ``no_operation``, ``not_suspended`` (reference), ``may_have_paid`` (reference, topup):
    it awaits evidence about that top-up, which will release it; ``receipt_of_payout`` (reference,
    receipt).
    """
    recorded = tx.payments.of_reference(reference)
    if recorded is None:
        return Refusal.of("no_operation", reference=reference)
    if recorded.state is not PaymentState.IN_SUSPENSE:
        return Refusal.of("not_suspended", reference=reference)
    if recorded.why is SuspenseReason.RECEIPT_OF_PAYOUT:
        receipt = recorded.payment.receipt
        return Refusal.of("receipt_of_payout", reference=reference, receipt=receipt)
    chains = payment_matching.chains(tx, recorded.payment) if recorded.why in MAY_HAVE_PAID else ()
    for chain in chains:
        if chain[-1].awaits_evidence:
            return Refusal.of("may_have_paid", reference=reference, topup=chain[-1].reference)
    return recorded


def match(tx: Tx, recorded: RecordedPayment, chain: Chain) -> list[PaymentEffect]:
    """Two admins found that it paid the first top-up of the chain: as if it named that one, for
    good."""
    moved = suspense.release(tx, recorded, chain)
    matched = tx.payments.get(recorded.payment.receipt)
    assert matched is not None, "payments are never deleted"
    tx.payments.save(replace(matched, inferred=False))  # before another may take its place
    return settle_chain(tx, chain, moved)


def check_match(tx: Tx, recorded: RecordedPayment, reference: str) -> Chain | Refusal:
    """The chain beginning with this top-up, if the payment can be the one that paid it.

    Refusals: ``no_operation`` (reference), ``not_its_amount`` (reference, amount), ``has_receipt``
    (reference, receipt): it has to keep that receipt.
    """
    topup = tx.topups.get(reference)
    if topup is None:
        return Refusal.of("no_operation", reference=reference)
    if topup.amount != recorded.amount:
        return Refusal.of("not_its_amount", reference=reference, amount=topup.amount)
    chain = payment_matching.chain_to_named(tx, topup)
    if chain is None:
        return Refusal.of("has_receipt", reference=reference, receipt=topup.receipt)
    return chain


def assign(tx: Tx, recorded: RecordedPayment, partner: str) -> Credited:
    """Two admins found its owner: move it from suspense into the wallet."""
    assert recorded.state is PaymentState.IN_SUSPENSE, "only what is nobody's is given to somebody"
    recorded = recorded.allocated_to(PaymentState.CREDITED, partner, recorded.reference)
    tx.payments.add_credit(recorded)
    tx.payments.save(recorded)
    tx.evidence.close_reviews(recorded.reference, recorded.why)
    tx.ledger.book(suspense_assignment(recorded.reference, partner, recorded.amount))
    return Credited(recorded)
