"""Proposals: what one admin proposes and another must approve (docs/architecture.md).

Each function runs inside a transaction and makes no outside calls. Admins are named as in the audit
log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services import adjustments, payment_assignment, spending
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import HOUSE
from services.domain.money import Money
from services.domain.payment import PaymentState, RecordedPayment
from services.domain.payout import Payout, PayoutState
from services.domain.payout_batch import Batch
from services.domain.proposal import Proposal, ProposalKind, Resolution
from services.domain.reconciliation import FindingKind
from services.domain.refusal import Refusal
from services.domain.spending import Spending
from services.domain.topup import TopUp, TopUpState
from services.ports import Random, Tx

NOTHING = Money(0)
_UNKNOWN = frozenset({TopUpState.UNKNOWN, TopUpState.SEND_UNKNOWN})


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An item for review that is neither an unknown operation nor money in suspense: it needs only
    a review. ``partner`` is ``HOUSE`` if it concerns none."""

    reference: str
    whys: Sequence[str]
    partner: str = HOUSE
    amount: Money = NOTHING


OpenMatter = TopUp | Spending | RecordedPayment | ReviewItem


def find(tx: Tx, reference: str) -> OpenMatter | Refusal:
    """A matter that only evidence or two admins can settle.

    Refusals: ``no_operation``, ``not_unknown`` (reference), ``suspended_debit`` (reference,
    payment) if the bank reversed a payment in suspense, ``proposal_there`` (proposal), and those of
    ``payment_assignment.find_in_suspense``.
    """
    found = find_unproposed(tx, reference)
    if isinstance(found, Refusal):
        return found
    standing = tx.proposals.open_about(reference)
    if standing is not None:
        return Refusal.of("proposal_there", proposal=standing.id)
    return found


def find_unproposed(tx: Tx, reference: str) -> OpenMatter | Refusal:
    operation = tx.topups.get(reference) or spending.get(tx, reference)
    if operation is not None and is_unknown(operation):
        return operation
    recorded = tx.payments.of_reference(reference)
    if recorded is not None and recorded.state is PaymentState.IN_SUSPENSE:
        return payment_assignment.find_in_suspense(tx, reference)
    whys = tx.evidence.open_review_reasons(reference)
    if not whys:
        known = operation is not None or recorded is not None
        return Refusal.of("not_unknown" if known else "no_operation", reference=reference)
    if operation is not None:
        return ReviewItem(reference, whys, operation.partner, operation.amount)
    if recorded is not None:
        return ReviewItem(reference, whys, recorded.partner or HOUSE, recorded.amount)
    found = tx.reconciliations.finding(reference)
    if found is not None:
        about = tx.payments.of_reference(found.about)
        waits = about is not None and about.state is PaymentState.IN_SUSPENSE
        if waits and found.kind is FindingKind.UNKNOWN_DEBIT:
            return Refusal.of("suspended_debit", reference=reference, payment=found.about)
        return ReviewItem(reference, whys, found.partner or HOUSE, found.amount)
    return ReviewItem(reference, whys)


def propose_resolution(
    tx: Tx, random: Random, by: str, reference: str, outcome: Resolution, reason: str
) -> Proposal | Refusal:
    """Propose that it was paid, or failed; it takes effect when another admin approves.

    Refusals: those of ``find``.
    """
    assert outcome in (Resolution.PAID, Resolution.FAILED)
    operation = find(tx, reference)
    if isinstance(operation, Refusal):
        return operation
    if not isinstance(operation, TopUp | Purchase | Payout):
        return Refusal.of("not_unknown", reference=reference)
    return _store(
        tx,
        random,
        Proposal(
            id="",
            kind=ProposalKind.RESOLVE,
            partner=operation.partner,
            about=reference,
            resolution=outcome,
            amount=operation.amount,
            reason=reason,
            proposed_by=by,
            proposed_at=tx.now,
        ),
    )


def propose_assignment(
    tx: Tx, random: Random, by: str, reference: str, partner: str, reason: str
) -> Proposal | Refusal:
    """Propose to give a payment in suspense to a partner; it takes effect when another admin
    approves.

    Refusals: those of ``find``, ``no_partner``.
    """
    if tx.people.partner(partner) is None:
        return Refusal("no_partner")
    recorded = _find_suspended(tx, reference)
    if isinstance(recorded, Refusal):
        return recorded
    return _assign(tx, random, by, reference, partner, recorded.amount, reason)


def find_match(tx: Tx, reference: str, topup: str) -> TopUp | Refusal:
    """The top-up that this payment in suspense may have paid.

    Refusals: those of ``find``, ``not_suspended`` (reference), and of
    ``payment_assignment.check_match``.
    """
    recorded = _find_suspended(tx, reference)
    if isinstance(recorded, Refusal):
        return recorded
    chain = payment_assignment.check_match(tx, recorded, topup)
    return chain if isinstance(chain, Refusal) else chain[0]


def propose_match(
    tx: Tx, random: Random, by: str, reference: str, topup: str, reason: str
) -> Proposal | Refusal:
    """Propose which top-up a payment in suspense paid; it takes effect when another admin approves.

    Refusals: those of ``find_match``.
    """
    paid = find_match(tx, reference, topup)
    if isinstance(paid, Refusal):
        return paid
    return _assign(tx, random, by, reference, paid.partner, paid.amount, reason, topup)


def _find_suspended(tx: Tx, reference: str) -> RecordedPayment | Refusal:
    found = find(tx, reference)
    if isinstance(found, Refusal | RecordedPayment):
        return found
    return Refusal.of("not_suspended", reference=reference)


def _assign(
    tx: Tx,
    random: Random,
    by: str,
    reference: str,
    partner: str,
    amount: Money,
    reason: str,
    topup: str | None = None,
) -> Proposal:
    return _store(
        tx,
        random,
        Proposal(
            id="",
            kind=ProposalKind.ASSIGN,
            partner=partner,
            about=reference,
            resolution=Resolution.ASSIGNED,
            amount=amount,
            reason=reason,
            proposed_by=by,
            proposed_at=tx.now,
            topup=topup,
        ),
    )


def propose_dismissal(
    tx: Tx, random: Random, by: str, reference: str, reason: str
) -> Proposal | Refusal:
    """Propose that a finding was reviewed, and why no money moves; another admin must approve.

    Refusals: those of ``find``, ``not_a_finding`` (reference).
    """
    finding = find(tx, reference)
    if isinstance(finding, Refusal):
        return finding
    if not isinstance(finding, ReviewItem):
        return Refusal.of("not_a_finding", reference=reference)
    return _store(
        tx,
        random,
        Proposal(
            id="",
            kind=ProposalKind.DISMISS,
            partner=finding.partner,
            about=reference,
            resolution=Resolution.DISMISSED,
            amount=finding.amount,
            reason=reason,
            proposed_by=by,
            proposed_at=tx.now,
        ),
    )


def propose_adjustment(
    tx: Tx, random: Random, by: str, partner: str, outcome: Resolution, amount: Money, reason: str
) -> Proposal | Refusal:
    """Propose to correct a wallet; it takes effect when another admin approves.

    Refusals: those of ``adjustments.check``.
    """
    assert outcome in (Resolution.CREDIT, Resolution.DEBIT)
    refusal = adjustments.check(tx, partner, outcome, amount)
    if refusal is not None:
        return refusal
    return _store(
        tx,
        random,
        Proposal(
            id="",
            kind=ProposalKind.ADJUST,
            partner=partner,
            about="",
            resolution=outcome,
            amount=amount,
            reason=reason,
            proposed_by=by,
            proposed_at=tx.now,
        ),
    )


def is_unknown(operation: TopUp | Spending) -> bool:
    match operation:
        case TopUp():
            return operation.state in _UNKNOWN
        case Purchase():
            return operation.state is PurchaseState.UNKNOWN
        case Payout():
            return operation.state is PayoutState.UNKNOWN
        case Batch():
            return False  # its rows may be


def _store(tx: Tx, random: Random, proposal: Proposal) -> Proposal:
    return draw_unique(
        lambda: replace(
            proposal,
            id=new_reference("PR", random),
            about=proposal.about or new_reference("AD", random),
        ),
        tx.proposals.add,
    )
