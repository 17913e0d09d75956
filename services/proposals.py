"""Money decisions by hand: one admin proposes, another approves (docs/architecture.md).

Each function runs inside a transaction and calls nobody outside. Admins are named as the audit log
names them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from services import adjustments, float_settlement, payments, topup_settlement
from services.domain.adjustment import Adjustment
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import HOUSE
from services.domain.money import Money
from services.domain.payment import PaymentState, RecordedPayment
from services.domain.proposal import ADMINS, Proposal, ProposalKind, ProposalStatus, Resolution
from services.domain.reconciliation import FindingKind
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED, TopUp, TopUpState
from services.float_settlement import PurchaseChange
from services.payment_matching import Chain
from services.payments import PaymentEffect
from services.ports import Random, Tx
from services.topup_settlement import TopUpChange

NOTHING = Money(0)
_SETTLE_FIRST = frozenset({"may_have_paid", "suspended_debit"})  # a proposal stays open meanwhile
_UNKNOWN = frozenset({TopUpState.UNKNOWN, TopUpState.SEND_UNKNOWN})


@dataclass(frozen=True, slots=True)
class Approved:
    """``led_to`` is what the approval did, in the same transaction."""

    proposal: Proposal
    effects: Sequence[PaymentEffect | PurchaseChange | Adjustment]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """Something to be looked at that is neither an unknown operation nor money in suspense:
    looking is all that it needs. ``partner`` is ``HOUSE`` where it concerns none."""

    reference: str
    whys: Sequence[str]
    partner: str = HOUSE
    amount: Money = NOTHING


OpenMatter = TopUp | Purchase | RecordedPayment | ReviewItem


def find(tx: Tx, reference: str) -> OpenMatter | Refusal:
    """What only evidence or two admins can settle.

    Refusals: ``no_operation``, ``not_unknown`` (reference), ``suspended_debit`` (reference,
    payment) where the bank took back what is in suspense, ``proposal_there`` (proposal), and those
    of ``payments.find_in_suspense``.
    """
    found = _find(tx, reference)
    if isinstance(found, Refusal):
        return found
    standing = tx.proposals.open_about(reference)
    if standing is not None:
        return Refusal.of("proposal_there", proposal=standing.id)
    return found


def _find(tx: Tx, reference: str) -> OpenMatter | Refusal:
    operation = tx.topups.get(reference) or tx.purchases.get(reference)
    if operation is not None and _is_unknown(operation):
        return operation
    arrived = tx.payments.of_reference(reference)
    if arrived is not None and arrived.state is PaymentState.IN_SUSPENSE:
        return payments.find_in_suspense(tx, reference)
    whys = tx.evidence.open_review_reasons(reference)
    if not whys:
        known = operation is not None or arrived is not None
        return Refusal.of("not_unknown" if known else "no_operation", reference=reference)
    if operation is not None:
        return ReviewItem(reference, whys, operation.partner, operation.amount)
    if arrived is not None:
        return ReviewItem(reference, whys, arrived.partner or HOUSE, arrived.amount)
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
    """Say that it was paid, or failed; nothing happens before another admin agrees.

    Refusals: those of ``find``.
    """
    assert outcome in (Resolution.PAID, Resolution.FAILED)
    operation = find(tx, reference)
    if isinstance(operation, Refusal):
        return operation
    if not isinstance(operation, TopUp | Purchase):
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
    """Give a payment in suspense to a partner; nothing happens before another admin agrees.

    Refusals: those of ``find``, ``no_partner``.
    """
    if tx.people.partner(partner) is None:
        return Refusal("no_partner")
    arrived = _find_suspended(tx, reference)
    if isinstance(arrived, Refusal):
        return arrived
    return _assign(tx, random, by, reference, partner, arrived.amount, reason)


def find_match(tx: Tx, reference: str, topup: str) -> TopUp | Refusal:
    """The top-up that this payment in suspense may have paid.

    Refusals: those of ``find``, ``not_suspended`` (reference), and of ``payments.check_match``.
    """
    arrived = _find_suspended(tx, reference)
    if isinstance(arrived, Refusal):
        return arrived
    chain = payments.check_match(tx, arrived, topup)
    return chain if isinstance(chain, Refusal) else chain[0]


def propose_match(
    tx: Tx, random: Random, by: str, reference: str, topup: str, reason: str
) -> Proposal | Refusal:
    """Say which top-up a payment in suspense has paid; nothing happens before another admin agrees.

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
    """Say that a finding has been looked at, and why no money moves; another admin must agree.

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
    """Correct a wallet; nothing happens before another admin agrees.

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


def find_decidable(
    tx: Tx, by: str, proposal_id: str, *, approves: bool, admins: Collection[str] | None = None
) -> Proposal | Refusal:
    """The proposal, where this admin may decide it so. Whoever proposed it may only take it back.

    ``admins`` are who they are now, where that can change: what somebody proposed who is none any
    more can only be declined. Refusals: ``no_proposal``, ``proposal_decided`` (proposal),
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
    """Do what is proposed, once. ``channel`` and ``address`` are of the admin who approves,
    ``admins`` as ``find_decidable`` has them.

    Refusals: those of ``find_decidable``; of ``adjustments.check``, ``payments.find_in_suspense``
    and
    ``payments.check_match``, and ``credited_since`` (reference, topup): then it stays open.
    """
    proposal = find_decidable(tx, by, proposal_id, approves=True, admins=admins)
    if isinstance(proposal, Refusal):
        return proposal
    effects: Sequence[PaymentEffect | PurchaseChange | Adjustment]
    if proposal.kind is ProposalKind.ADJUST:
        refusal = adjustments.check(tx, proposal.partner, proposal.resolution, proposal.amount)
        if refusal is not None:
            return refusal
        tx.proposals.decide(proposal.id, ProposalStatus.DONE, by)
        effects = [adjustments.book(tx, proposal, channel, address)]
    elif proposal.kind is ProposalKind.RESOLVE:
        operation = tx.topups.get(proposal.about) or tx.purchases.get(proposal.about)
        assert operation is not None, "operations are never deleted"
        if not _is_unknown(operation):  # evidence takes its proposal along; this one was missed
            tx.proposals.decide(proposal.id, ProposalStatus.OVERTAKEN, None)
            return Refusal.of("proposal_overtaken", reference=proposal.about)
        tx.proposals.decide(proposal.id, ProposalStatus.DONE, by)
        effects = [_resolve(tx, operation, proposal)]
    else:
        found = _find(tx, proposal.about)
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
            match = payments.check_match(tx, found, proposal.topup)
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
    """Do nothing of it. Refusals: those of ``find_decidable``."""
    proposal = find_decidable(tx, by, proposal_id, approves=False)
    if not isinstance(proposal, Refusal):
        tx.proposals.decide(proposal.id, ProposalStatus.DECLINED, by)
    return proposal


def _credited_since(tx: Tx, arrived: RecordedPayment, proposal: Proposal) -> TopUp | None:
    """A top-up that it may have paid, and that was not credited yet when this was proposed."""
    for topup in payments.possible_topups(tx, arrived.payment):
        credited_at = topup.settled_at if topup.state in CREDITED else None
        if credited_at is not None and credited_at > proposal.proposed_at:
            return topup
    return None


def _carry_out(tx: Tx, found: OpenMatter, partner: str, chain: Chain) -> Sequence[PaymentEffect]:
    """It is the partner's, or what paid the first of the chain; else looking was all it needed."""
    if not isinstance(found, RecordedPayment):
        tx.evidence.close_reviews(found.reference)
        return ()
    if chain:
        return payments.match(tx, found, chain)
    return [payments.assign(tx, found, partner)]


def _resolve(
    tx: Tx, operation: TopUp | Purchase, proposal: Proposal
) -> TopUpChange | PurchaseChange:
    paid = proposal.resolution is Resolution.PAID
    if isinstance(operation, TopUp):
        return topup_settlement.resolve(tx, operation, proposal.reason, paid=paid)
    return float_settlement.resolve(tx, operation, proposal.reason, bought=paid)


def _is_unknown(operation: TopUp | Purchase) -> bool:
    if isinstance(operation, TopUp):
        return operation.state in _UNKNOWN
    return operation.state is PurchaseState.UNKNOWN


def _store(tx: Tx, random: Random, proposal: Proposal) -> Proposal:
    return draw_unique(
        lambda: replace(
            proposal,
            id=new_reference("PR", random),
            about=proposal.about or new_reference("AD", random),
        ),
        tx.proposals.add,
    )
