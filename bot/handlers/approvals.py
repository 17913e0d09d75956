"""Handlers of the approve flow: a second person decides on a colleague's large purchase."""

from __future__ import annotations

from typing import Any

from bot.context import TurnContext
from bot.handlers import desk_pin, listing
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services import approvals, desk_pins
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import Reference
from services.domain.partner import Person, Right
from services.domain.refusal import Refusal
from services.otp import Passed

HANDLERS = Handlers()


def notify_approvers(turn: TurnContext, awaits: AwaitingApproval) -> None:
    """Notify everybody who may approve, with a button that opens the approve flow."""
    quote = awaits.purchase.quote
    facts = {
        "who": turn.person.name,
        "code": awaits.purchase.partner,
        "amount": quote.amount,
        "total": quote.total,
        "until": awaits.approval.ends_at,
    }
    for second in awaits.approvers:
        turn.notify_person(second, "notice.approval_asked", facts, opens="approve")


@HANDLERS.view("approvals", needs=Right.APPROVE, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """Oldest first. The cursor is the last purchase of the previous page, if any."""
    found = approvals.undecided_for(turn.tx, turn.person, cursor)
    page = [approval.purchase for approval in found[: approvals.LIST_MAX]]
    lines = [turn.say("approve.list.line", _facts(turn, purchase)) for purchase in page]
    text, items = listing.listed(turn, page, lines, "approve.list.empty")
    place = None
    if page:
        first = approvals.count_undecided_for(turn.tx, turn.person, page[0])
        total = approvals.count_undecided_for(turn.tx, turn.person)
        place = Place(first, first + len(page) - 1, total)
    return View(
        {"lines": text},
        items,
        page[-1] if len(found) > len(page) else None,
        "" if cursor else None,
        timeless=True,
        place=place,
    )


@HANDLERS.count("approvals", needs=Right.APPROVE)
def count(turn: TurnContext) -> int:
    return approvals.count_undecided_for(turn.tx, turn.person)


@HANDLERS.view(
    "approval", needs=Right.APPROVE, shows=("amount", "fees", "reference", "status", "total", "who")
)
def detail(turn: TurnContext, reference: Reference) -> View:
    return View(_facts(turn, reference))


def _facts(turn: TurnContext, reference: str) -> dict[str, Any]:
    approval, purchase = turn.tx.approvals.get(reference), turn.tx.purchases.get(reference)
    assert approval is not None, "only what waits is listed"
    assert purchase is not None, "only what waits is listed"
    is_waiting = purchase.state is PurchaseState.AWAITING_APPROVAL and approval.decision is None
    status = turn.say("approve.one.waits", {"until": approval.ends_at})
    return {
        "reference": reference,
        "who": _maker(turn, purchase).name,
        "amount": purchase.amount,
        "fees": purchase.quote.fees,
        "total": purchase.quote.total,
        "status": status if is_waiting else turn.say("approve.one.over"),
    }


@HANDLERS.use_case("approve_float", needs=Right.APPROVE)
def approve(turn: TurnContext, reference: Reference) -> Exit | Refusal:
    if turn.on_phone_menu:
        purchase = _check_decision(turn, reference)
        if isinstance(purchase, Refusal):
            return purchase
        return Exit("pin", sets={"who": _maker(turn, purchase).name, "amount": purchase.amount})
    return _approve(turn, reference)


@HANDLERS.code_check(
    "check_approve_pin", needs=Right.APPROVE, shows=(), tells=("amount", "reason", "who")
)
def check_pin(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app, person = turn.app, turn.person
    purchase = _check_decision(turn, operation)
    if isinstance(purchase, Refusal):
        return desk_pin.refused(turn, purchase)
    binding = approvals.pin_binding(person, purchase)
    answer = desk_pins.approve(turn.tx, app.keys, app.policy, person, binding, code)
    if not isinstance(answer, Passed):
        return desk_pin.exit_of(turn, answer)
    approved = _approve(turn, operation)
    assert isinstance(approved, Exit), "it was just allowed"
    return approved


@HANDLERS.action("approve_pin_stands", needs=Right.VIEW)
def exit_if_decided(turn: TurnContext, operation: Reference) -> Exit | None:
    purchase = _check_decision(turn, operation)
    return desk_pin.refused(turn, purchase) if isinstance(purchase, Refusal) else None


def _check_decision(turn: TurnContext, reference: str) -> Purchase | Refusal:
    """The purchase, if this person's PIN may approve it now."""
    tx, policy, person = turn.tx, turn.app.policy, turn.person
    purchase = approvals.check_decision(tx, policy, person, reference)
    return desk_pins.check_usable(tx, policy, person) or purchase


def _approve(turn: TurnContext, reference: Reference) -> Exit | Refusal:
    decided = _decide(turn, reference, Decision.APPROVED)
    if isinstance(decided, Refusal):
        return decided
    maker = _maker(turn, decided)
    facts = {"who": turn.person.name, "amount": decided.amount}
    if turn.app.channel(decided.channel).events:  # the system that asked reads it there
        return Exit("system_approved", sets={"who": maker.name, "amount": decided.amount})
    by_pin = turn.app.channel(decided.channel).phone_menu
    notice = "notice.approved_pin" if by_pin else "notice.approved"
    began = decided.channel, decided.address
    turn.notify_person(maker, notice, facts, opens="float", began=began)
    return Exit("approved", sets={"who": maker.name, "amount": decided.amount})


@HANDLERS.use_case("decline_float", needs=Right.APPROVE)
def decline(turn: TurnContext, reference: Reference) -> Exit | Refusal:
    decided = _decide(turn, reference, Decision.DECLINED)
    if isinstance(decided, Refusal):
        return decided
    turn.outcomes.append(decided)
    return Exit("declined", sets={"who": _maker(turn, decided).name, "amount": decided.amount})


def _maker(turn: TurnContext, purchase: Purchase) -> Person:
    assert purchase.person_id is not None, "only people buy"
    maker = turn.tx.people.of_id(purchase.person_id)
    assert maker is not None, "nobody is ever deleted"
    return maker


def _decide(turn: TurnContext, reference: str, decision: Decision) -> Purchase | Refusal:
    policy = turn.app.policy
    decided = approvals.decide(turn.tx, policy, turn.person, reference, decision)
    if not isinstance(decided, Refusal):
        facts = {"cents": decided.amount.cents}
        turn.audit(decided.partner, f"float_{decision}", reference, facts)
    return decided
