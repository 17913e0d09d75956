"""Decisions on proposals: a second admin approves or declines, and approval carries the proposal
out.

Each function runs inside a transaction and makes no outside calls. Admins are named as in the audit
log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services import (
    adjustments,
    float_settlement,
    payment_assignment,
    payment_matching,
    payout_settlement,
    spending,
    topup_settlement,
)
from services.domain.adjustment import Adjustment
from services.domain.float_purchase import Purchase
from services.domain.payment import RecordedPayment
from services.domain.payout import Payout
from services.domain.proposal import ADMINS, Proposal, ProposalKind, ProposalStatus, Resolution
from services.domain.refusal import Refusal
from services.domain.spending import Spending
from services.domain.topup import CREDITED, TopUp
from services.float_settlement import PurchaseChange
from services.payment_matching import Chain
from services.payments import PaymentEffect
from services.payout_settlement import PayoutChange
from services.ports import Tx
from services.proposals import OpenMatter, find_unproposed, is_unknown
from services.topup_settlement import TopUpChange

_SETTLE_FIRST = frozenset({"may_have_paid", "suspended_debit"})  # the proposal stays open meanwhile


@dataclass(frozen=True, slots=True)
class Approved:
    """``effects`` are what the approval did, in the same transaction."""

    proposal: Proposal
    effects: Sequence[PaymentEffect | PurchaseChange | PayoutChange | Adjustment]


def find_decidable(
    tx: Tx, by: str, proposal_id: str, *, approves: bool, admins: Collection[str] | None = None
) -> Proposal | Refusal:
    """The proposal, if this admin may decide it this way. Its proposer may only withdraw it.

    ``admins`` are the current ones, if that can change: a proposal by somebody who is no longer an
    admin can only be declined. Refusals: ``no_proposal``, ``proposal_decided`` (proposal),
    ``proposal_overtaken``, ``own_proposal``, ``proposer_gone`` (proposal).
    """
    proposal = tx.proposals.get(proposal_id)
    if proposal is None:
        return Refusal("no_proposal")
    if proposal.status is ProposalStatus.OVERTAKEN:
        return Refusal.of("proposal_overtaken", reference=proposal.about)
    if proposal.status is not ProposalStatus.OPEN:
        return Refusal.of("proposal_decided", proposal=proposal.id)
    if approves and proposal.proposed_by == by:
        return Refusal("own_proposal")
    if approves and admins is not None and proposal.proposed_by not in admins:
        return Refusal.of("proposer_gone", proposal=proposal.id)
    return proposal


def approve(
    tx: Tx,
    by: str,
    channel: str,
    address: str,
    proposal_id: str,
    *,
    admins: Collection[str] | None = None,
) -> Approved | Refusal:
    """Carry out the proposal, once. ``channel`` and ``address`` belong to the approving admin,
    ``admins`` is as in ``find_decidable``.

    Refusals: those of ``find_decidable``; of ``adjustments.check``,
    ``payment_assignment.find_in_suspense`` and ``payment_assignment.check_match``, and
    ``credited_since`` (reference, topup): then it stays open.
    """
    proposal = find_decidable(tx, by, proposal_id, approves=True, admins=admins)
    if isinstance(proposal, Refusal):
        return proposal
    effects: Sequence[PaymentEffect | PurchaseChange | PayoutChange | Adjustment]
    if proposal.kind is ProposalKind.ADJUST:
        refusal = adjustments.check(tx, proposal.partner, proposal.resolution, proposal.amount)
        if refusal is not None:
            return refusal
        tx.proposals.decide(proposal.id, ProposalStatus.DONE, by)
        effects = [adjustments.book(tx, proposal, channel, address)]
    elif proposal.kind is ProposalKind.RESOLVE:
        operation = tx.topups.get(proposal.about) or spending.get(tx, proposal.about)
        assert operation is not None, "operations are never deleted"
        if not is_unknown(operation):  # evidence should have voided it; this one was missed
            tx.proposals.decide(proposal.id, ProposalStatus.OVERTAKEN, None)
            return Refusal.of("proposal_overtaken", reference=proposal.about)
        tx.proposals.decide(proposal.id, ProposalStatus.DONE, by)
        effects = [_resolve(tx, operation, proposal)]
    else:
        found = find_unproposed(tx, proposal.about)
        if isinstance(found, Refusal):
            if found.code in _SETTLE_FIRST:
                return found
            tx.proposals.decide(proposal.id, ProposalStatus.OVERTAKEN, None)
            return Refusal.of("proposal_overtaken", reference=proposal.about)
        if isinstance(found, RecordedPayment) != (proposal.kind is ProposalKind.ASSIGN):
            tx.proposals.decide(proposal.id, ProposalStatus.OVERTAKEN, None)
            return Refusal.of("proposal_overtaken", reference=proposal.about)
        chain: Chain = ()
        if isinstance(found, RecordedPayment) and proposal.topup is not None:
            match = payment_assignment.check_match(tx, found, proposal.topup)
            if isinstance(match, Refusal):
                return match
            chain = match
        elif isinstance(found, RecordedPayment) and (since := _credited_since(tx, found, proposal)):
            return Refusal.of("credited_since", reference=found.reference, topup=since.reference)
        tx.proposals.decide(proposal.id, ProposalStatus.DONE, by)
        tx.evidence.add(proposal.about, proposal.resolution, ADMINS, proposal.reason)
        effects = _carry_out(tx, found, proposal.partner, chain)
    decided = tx.proposals.get(proposal.id)
    assert decided is not None
    return Approved(decided, effects)


def decline(tx: Tx, by: str, proposal_id: str) -> Proposal | Refusal:
    """Reject it without any effect. Refusals: those of ``find_decidable``."""
    proposal = find_decidable(tx, by, proposal_id, approves=False)
    if not isinstance(proposal, Refusal):
        tx.proposals.decide(proposal.id, ProposalStatus.DECLINED, by)
    return proposal


def _credited_since(tx: Tx, recorded: RecordedPayment, proposal: Proposal) -> TopUp | None:
    """A top-up it may have paid that was credited after the proposal was made."""
    for topup in payment_matching.possible_topups(tx, recorded.payment):
        credited_at = topup.settled_at if topup.state in CREDITED else None
        if credited_at is not None and credited_at > proposal.proposed_at:
            return topup
    return None


def _carry_out(tx: Tx, found: OpenMatter, partner: str, chain: Chain) -> Sequence[PaymentEffect]:
    """Assign it to the partner, or match it to the first of the chain; otherwise only close
    reviews."""
    if not isinstance(found, RecordedPayment):
        tx.evidence.close_reviews(found.reference)
        return ()
    if chain:
        return payment_assignment.match(tx, found, chain)
    return [payment_assignment.assign(tx, found, partner)]


def _resolve(
    tx: Tx, operation: TopUp | Spending, proposal: Proposal
) -> TopUpChange | PurchaseChange | PayoutChange:
    paid = proposal.resolution is Resolution.PAID
    if isinstance(operation, TopUp):
        return topup_settlement.resolve(tx, operation, proposal.reason, paid=paid)
    if isinstance(operation, Payout):
        return payout_settlement.resolve(tx, operation, proposal.reason, paid=paid)
    assert isinstance(operation, Purchase), "only what is unknown is resolved"
    return float_settlement.resolve(tx, operation, proposal.reason, bought=paid)
