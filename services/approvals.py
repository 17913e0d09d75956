"""Maker and checker: float above a partner's threshold needs a second person of that partner.

Functions run inside a transaction and make no outside calls. While a purchase awaits approval, no
money is held and no code is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services import otp
from services.domain.approval import APPROVAL_LIFE, Approval, Decision
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from services.domain.partner import RIGHTS, Partner, Person, Right
from services.domain.refusal import Refusal
from services.policy import Policy
from services.ports import Tx

LIST_MAX = 8  # purchases to decide on, per page


@dataclass(frozen=True, slots=True)
class AwaitingApproval:
    """``fresh``: approval was requested just now, and ``approvers`` should be told."""

    purchase: Purchase
    approval: Approval
    approvers: Sequence[Person]
    fresh: bool


def is_needed(partner: Partner, amount: Money) -> bool:
    above = partner.approve_above_cents
    return above is not None and amount.cents > above


def request(
    tx: Tx, policy: Policy, person: Person, purchase: Purchase
) -> AwaitingApproval | Refusal:
    """The buyer has confirmed; now a second person must approve. Refusal: ``no_second``."""
    seconds = eligible_approvers(tx, policy, person)
    if not seconds:
        return Refusal("no_second")
    purchase = purchase.transition_to(PurchaseState.AWAITING_APPROVAL)
    tx.purchases.save(purchase)
    approval = tx.approvals.ask(purchase.reference, purchase.partner, person.id)
    return AwaitingApproval(purchase, approval, seconds, fresh=True)


def still_awaiting(tx: Tx, purchase: Purchase) -> AwaitingApproval | Refusal | None:
    """The pending approval; ``None`` once it was approved.

    Refusals: ``approval_over``; ``second_left``, which ends the purchase.
    """
    approval = tx.approvals.get(purchase.reference)
    assert approval is not None, "what waits was asked for"
    if tx.now >= approval.ends_at:
        return Refusal("approval_over")
    if approval.decision is not Decision.APPROVED:
        return AwaitingApproval(purchase, approval, (), fresh=False)
    if is_approval_valid(tx, purchase):
        return None
    _refuse(tx, purchase, "second_left")
    return Refusal("second_left")


def is_approval_valid(tx: Tx, purchase: Purchase) -> bool:
    """Whether the approver could still approve: linked, and with the right. True if no approval was
    needed."""
    approval = tx.approvals.get(purchase.reference)
    if approval is None:
        return True
    second = None if approval.decided_by is None else tx.people.of_id(approval.decided_by)
    if approval.decision is not Decision.APPROVED or second is None:
        return False
    return Right.APPROVE in RIGHTS[second.role] and bool(tx.people.addresses(second.id))


def void_approvals_of(tx: Tx, second: Person) -> list[Purchase]:
    """Void approvals given by somebody who has left; returns the purchases this ended."""
    ended = []
    for reference in tx.approvals.unused_of(second.id):
        purchase = tx.purchases.get(reference)
        assert purchase is not None, "it was just found"
        otp.revoke(tx, reference)
        ended.append(_refuse(tx, purchase, "second_left"))
    return ended


def eligible_approvers(tx: Tx, policy: Policy, person: Person) -> list[Person]:
    """Who may approve what this person buys now: people with the right, with a different number,
    and with neither account nor number changed recently. So nobody can bring in an approver on the
    same day."""
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
    purchase ``after``: ``LIST_MAX``, and one more if there are more."""
    since = tx.now - APPROVAL_LIFE
    return tx.approvals.undecided(person.partner.code, person.id, since, after, LIST_MAX + 1)


def count_undecided_for(tx: Tx, person: Person, up_to: str | None = None) -> int:
    """How many ``undecided_for`` lists over all pages, or up to that purchase."""
    since = tx.now - APPROVAL_LIFE
    return tx.approvals.count_undecided(person.partner.code, person.id, since, up_to)


def decide(
    tx: Tx, policy: Policy, person: Person, reference: str, decision: Decision
) -> Purchase | Refusal:
    """The second person's decision. If declined, the purchase ends. Refusals: those of
    ``check_decision``."""
    assert decision in (Decision.APPROVED, Decision.DECLINED)
    purchase = check_decision(tx, policy, person, reference)
    if isinstance(purchase, Refusal):
        return purchase
    tx.approvals.decide(reference, decision, person.id)
    if decision is Decision.APPROVED:
        return purchase
    return _refuse(tx, purchase, "second_declined")


def check_decision(tx: Tx, policy: Policy, person: Person, reference: str) -> Purchase | Refusal:
    """The purchase, if this person may decide on it now.

    Refusals: ``approval_over``, ``not_your_own``, ``suspended``, ``frozen``, ``linked_lately`` (a
    person whose number, mail address or account is new approves nothing).
    """
    approval = tx.approvals.get(reference)
    purchase = tx.purchases.get(reference)
    if approval is None or purchase is None or approval.partner != person.partner.code:
        return Refusal("approval_over")
    is_open = purchase.state is PurchaseState.AWAITING_APPROVAL and approval.decision is None
    if not is_open or tx.now >= approval.ends_at:
        return Refusal("approval_over")
    maker = tx.people.of_id(approval.asked_by)
    if maker is None or not _may_second(person, maker):
        return Refusal("not_your_own")
    if person.partner.suspended:
        return Refusal.of("suspended", partner=person.partner.code)
    refusal = check_contact_freeze(tx, policy, person) or _too_new(tx, policy, person)
    return purchase if refusal is None else refusal


def pin_binding(person: Person, purchase: Purchase) -> Binding:
    """What this person's desk PIN approves, where it is asked for: a colleague's purchase."""
    return Binding(
        purpose=Purpose.APPROVAL,
        operation=purchase.reference,
        partner=purchase.partner,
        person_id=person.id,
        amount=purchase.quote.total,
        destination=purchase.short_code,
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


def withdraw(tx: Tx, reference: str) -> None:
    tx.approvals.decide(reference, Decision.WITHDRAWN, None)


def expire(tx: Tx, limit: int) -> list[Purchase]:
    """End purchases that nobody decided on in time, or that were approved and not continued;
    returns them, at most ``limit``."""
    ended = []
    for reference in tx.approvals.stale(tx.now - APPROVAL_LIFE, limit):
        approval, purchase = tx.approvals.get(reference), tx.purchases.get(reference)
        assert approval is not None, "it was just found"
        assert purchase is not None, "it was just found"
        reason = "second_silent" if approval.decision is None else "second_unused"
        tx.approvals.decide(reference, Decision.EXPIRED, None)
        ended.append(_refuse(tx, purchase, reason))
    return ended


def _refuse(tx: Tx, purchase: Purchase, reason: str) -> Purchase:
    purchase = purchase.transition_to(PurchaseState.REFUSED, reason=reason, settled_at=tx.now)
    tx.purchases.save(purchase)
    return purchase
