"""Maker and checker: float and payouts above a partner's threshold, and every batch of payouts,
need a second person of that partner.

Functions run inside a transaction and make no outside calls. While an operation awaits approval, no
money is held and no code is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic

from services import otp, spending
from services.domain.approval import APPROVAL_LIFE, Approval, Decision
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from services.domain.partner import RIGHTS, Partner, Person, Right
from services.domain.payout_batch import Batch, digest_of
from services.domain.refusal import Refusal
from services.domain.spending import S, Spending, SpendingState, destination, is_in
from services.policy import Policy
from services.ports import Tx

LIST_MAX = 8  # operations to decide on, per page


@dataclass(frozen=True, slots=True)
class AwaitingApproval(Generic[S]):
    """``fresh``: approval was requested just now, and ``approvers`` should be told."""

    operation: S
    approval: Approval
    approvers: Sequence[Person]
    fresh: bool


def is_needed(partner: Partner, amount: Money) -> bool:
    above = partner.approve_above_cents
    return above is not None and amount.cents > above


def request(tx: Tx, policy: Policy, person: Person, operation: S) -> AwaitingApproval[S] | Refusal:
    """It was confirmed; now a second person must approve. Refusal: ``no_second``."""
    seconds = eligible_approvers(tx, policy, person)
    if not seconds:
        return Refusal("no_second")
    operation = spending.move(tx, operation, SpendingState.AWAITING_APPROVAL)
    approval = tx.approvals.ask(operation.reference, operation.partner, person.id)
    return AwaitingApproval(operation, approval, seconds, fresh=True)


def still_awaiting(tx: Tx, operation: S) -> AwaitingApproval[S] | Refusal | None:
    """The pending approval; ``None`` once it was approved.

    Refusals: ``approval_over``; ``second_left``, which ends the operation.
    """
    approval = tx.approvals.get(operation.reference)
    assert approval is not None, "what waits was asked for"
    if tx.now >= approval.ends_at:
        return Refusal("approval_over")
    if approval.decision is not Decision.APPROVED:
        return AwaitingApproval(operation, approval, (), fresh=False)
    if is_approval_valid(tx, operation):
        return None
    _refuse(tx, operation, "second_left")
    return Refusal("second_left")


def is_approval_valid(tx: Tx, operation: Spending) -> bool:
    """Whether the approver could still approve: linked, and with the right. True if no approval was
    needed."""
    approval = tx.approvals.get(operation.reference)
    if approval is None:
        return True
    second = None if approval.decided_by is None else tx.people.of_id(approval.decided_by)
    if approval.decision is not Decision.APPROVED or second is None:
        return False
    return Right.APPROVE in RIGHTS[second.role] and bool(tx.people.addresses(second.id))


def void_approvals_of(tx: Tx, second: Person) -> list[Spending]:
    """Void approvals given by somebody who has left; returns the operations this ended."""
    ended: list[Spending] = []
    for reference in tx.approvals.unused_of(second.id):
        operation = spending.get(tx, reference)
        assert operation is not None, "it was just found"
        otp.revoke(tx, reference)
        ended.append(_refuse(tx, operation, "second_left"))
    return ended


def eligible_approvers(tx: Tx, policy: Policy, person: Person) -> list[Person]:
    """Who may approve what this person asks for now: people with the right, with a different
    number, and with neither account nor number changed recently. So nobody can bring in an approver
    on the same day."""
    return [
        other
        for other in tx.people.of(person.partner.code)
        if _may_second(other, person)
        and check_contact_freeze(tx, policy, other) is None
        and _too_new(tx, policy, other) is None
    ]


def _too_new(tx: Tx, policy: Policy, person: Person) -> Refusal | None:
    """``linked_lately``, also for somebody who is not linked at all."""
    linked_at = tx.people.linked_at(person.id)
    if linked_at is None:
        return Refusal.of("linked_lately", until=tx.now)
    return _until("linked_lately", tx, policy, linked_at)


def _may_second(other: Person, maker: Person) -> bool:
    return (
        Right.APPROVE in RIGHTS[other.role]
        and other.id != maker.id
        and other.phone != maker.phone  # one human under two names is not two
    )


def undecided_for(tx: Tx, person: Person, after: str | None = None) -> Sequence[Approval]:
    """What awaits a decision by somebody like this person, oldest first, starting after the
    operation ``after``: ``LIST_MAX``, and one more if there are more."""
    since = tx.now - APPROVAL_LIFE
    return tx.approvals.undecided(person.partner.code, person.id, since, after, LIST_MAX + 1)


def count_undecided_for(tx: Tx, person: Person, up_to: str | None = None) -> int:
    """How many ``undecided_for`` lists over all pages, or up to that operation."""
    since = tx.now - APPROVAL_LIFE
    return tx.approvals.count_undecided(person.partner.code, person.id, since, up_to)


def decide(
    tx: Tx, policy: Policy, person: Person, reference: str, decision: Decision
) -> Spending | Refusal:
    """The second person's decision. If declined, the operation ends. Refusals: those of
    ``check_decision``."""
    assert decision in (Decision.APPROVED, Decision.DECLINED)
    operation = check_decision(tx, policy, person, reference)
    if isinstance(operation, Refusal):
        return operation
    tx.approvals.decide(reference, decision, person.id)
    if decision is Decision.DECLINED:
        return _refuse(tx, operation, "second_declined")
    if isinstance(operation, Batch):
        tx.payout_batches.save(replace(operation, approved_digest=operation.digest))
    return operation


def check_decision(tx: Tx, policy: Policy, person: Person, reference: str) -> Spending | Refusal:
    """The operation, if this person may decide on it now.

    Refusals: ``approval_over``, ``not_your_own``, ``suspended``, ``frozen``, ``linked_lately`` (a
    person whose number, mail address or account is new approves nothing).
    """
    approval = tx.approvals.get(reference)
    operation = spending.get(tx, reference)
    if approval is None or operation is None or approval.partner != person.partner.code:
        return Refusal("approval_over")
    is_open = is_in(operation, SpendingState.AWAITING_APPROVAL) and approval.decision is None
    if not is_open or tx.now >= approval.ends_at:
        return Refusal("approval_over")
    maker = tx.people.of_id(approval.asked_by)
    if maker is None or not _may_second(person, maker):
        return Refusal("not_your_own")
    if person.partner.suspended:
        return Refusal.of("suspended", partner=person.partner.code)
    refusal = check_contact_freeze(tx, policy, person) or _too_new(tx, policy, person)
    if refusal is None and isinstance(operation, Batch) and not is_as_read(tx, operation):
        return Refusal("approval_over")
    return operation if refusal is None else refusal


def is_as_read(tx: Tx, batch: Batch) -> bool:
    """Whether the rows are those whose digest people see and approve."""
    return digest_of(tx.payout_batches.rows(batch.reference)) == batch.digest


def pin_binding(person: Person, operation: Spending) -> Binding:
    """What this person's desk PIN approves, where it is asked for: what a colleague wants."""
    return Binding(
        purpose=Purpose.APPROVAL,
        operation=operation.reference,
        partner=operation.partner,
        person_id=person.id,
        amount=operation.quote.total,
        destination=destination(operation),
    )


def check_freeze(tx: Tx, policy: Policy, person: Person) -> Refusal | None:
    """Whether number, mail address or account changed too recently to move money with a code.

    Refusals: those of ``frozen`` and ``account_rests``.
    """
    return check_contact_freeze(tx, policy, person) or check_account_freeze(tx, policy, person)


def check_contact_freeze(tx: Tx, policy: Policy, person: Person) -> Refusal | None:
    """Whether the contact that codes are sent to changed recently.

    Facts: one-time codes. Refusal: ``frozen`` (until).
    """
    return _until("frozen", tx, policy, person.contact_changed_at)


def check_account_freeze(tx: Tx, policy: Policy, person: Person) -> Refusal | None:
    """Whether the acting account was linked recently and is not the person's first.

    Refusal: ``account_rests`` (until).
    """
    return _until("account_rests", tx, policy, person.frozen_since)


def _until(code: str, tx: Tx, policy: Policy, since: datetime | None) -> Refusal | None:
    if since is None:
        return None
    until = tx.clock.elapses_at(since, policy.phone_freeze)
    return Refusal.of(code, until=until) if tx.now < until else None


def expire(tx: Tx, limit: int) -> list[Spending]:
    """End operations that nobody decided on in time, or that were approved and not continued;
    returns them, at most ``limit``."""
    ended: list[Spending] = []
    for reference in tx.approvals.stale(tx.now - APPROVAL_LIFE, limit):
        approval, operation = tx.approvals.get(reference), spending.get(tx, reference)
        assert approval is not None, "it was just found"
        assert operation is not None, "it was just found"
        reason = "second_silent" if approval.decision is None else "second_unused"
        tx.approvals.decide(reference, Decision.EXPIRED, None)
        ended.append(_refuse(tx, operation, reason))
    return ended


def _refuse(tx: Tx, operation: S, reason: str) -> S:
    return spending.move(tx, operation, SpendingState.REFUSED, reason=reason, settled_at=tx.now)
