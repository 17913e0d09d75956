"""Handlers of the approve flow: a second person decides on what a colleague wants to spend."""

from __future__ import annotations

from typing import Any

from bot.context import TurnContext
from bot.handlers import desk_pin, listing
from bot.handlers.declaring import Handlers
from bot.handlers.outcomes import FLOWS
from flows.engine.host import Exit, Place, View
from services import approvals, desk_pins, spending
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.float_purchase import Purchase
from services.domain.ids import Reference
from services.domain.partner import Person, Right
from services.domain.payout import Payout
from services.domain.payout_batch import LARGEST_SHOWN, Batch
from services.domain.refusal import Refusal
from services.domain.spending import S, Spending, SpendingState, is_in
from services.otp import Passed

HANDLERS = Handlers()

_KINDS = {Purchase: "float", Payout: "payout", Batch: "batch"}
_ASKED = {
    Purchase: "notice.float_approval",
    Payout: "notice.payout_approval",
    Batch: "notice.batch_approval",
}
_APPROVED = {
    Purchase: "notice.float_approved",
    Payout: "notice.payout_approved",
    Batch: "notice.batch_approved",
}


def notify_approvers(turn: TurnContext, awaits: AwaitingApproval[S]) -> None:
    """Notify everybody who may approve, with a button that opens the approve flow."""
    operation: Spending = awaits.operation
    facts = {
        "who": turn.person.name,
        **_asked(operation),
        "code": operation.partner,
        "total": operation.quote.total,
        "until": awaits.approval.ends_at,
    }
    notice = _ASKED[type(operation)]
    for second in awaits.approvers:
        turn.notify_person(second, notice, facts, opens="approve")


def _kind(operation: Spending) -> str:
    return _KINDS[type(operation)]


def _asked(operation: Spending) -> dict[str, Any]:
    facts: dict[str, Any] = {"amount": operation.amount}
    if isinstance(operation, Payout):
        facts["recipient"] = operation.recipient
    if isinstance(operation, Batch):
        facts["rows"] = operation.rows
    return facts


@HANDLERS.view("approvals", needs=Right.APPROVE, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """Oldest first. The cursor is the last operation of the previous page, if any."""
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


@HANDLERS.view("approval", needs=Right.APPROVE, shows=("asks", "reference", "status"))
def detail(turn: TurnContext, reference: Reference) -> View:
    facts = _facts(turn, reference)
    found = turn.tx.payout_batches.get(reference)
    if found is not None:
        facts |= _seen_of(turn, found)
    asks = turn.say(f"approve.one.{facts['kind']}", facts)
    return View({"asks": asks, "reference": reference, "status": facts["status"]})


def _seen_of(turn: TurnContext, batch: Batch) -> dict[str, Any]:
    """What a second person sees of a batch: the largest rows, and the digest of all."""
    lines = [
        turn.say(
            "approve.one.row",
            {"amount": row.amount, "phone": row.phone, "reference": row.reference},
        )
        for row in turn.tx.payout_batches.largest(batch.reference, LARGEST_SHOWN)
    ]
    return {"rows_seen": "\n".join(lines), "digest": batch.digest}


def _facts(turn: TurnContext, reference: str) -> dict[str, Any]:
    approval, operation = turn.tx.approvals.get(reference), spending.get(turn.tx, reference)
    assert approval is not None, "only what waits is listed"
    assert operation is not None, "only what waits is listed"
    is_waiting = is_in(operation, SpendingState.AWAITING_APPROVAL) and approval.decision is None
    status = turn.say("approve.one.waits", {"until": approval.ends_at})
    facts: dict[str, Any] = {
        "kind": _kind(operation),
        "reference": reference,
        "who": _maker(turn, operation).name,
        "fees": operation.quote.fees,
        "total": operation.quote.total,
        "status": status if is_waiting else turn.say("approve.one.over"),
    }
    return facts | _asked(operation)


@HANDLERS.use_case("approve_float", needs=Right.APPROVE)
def approve(turn: TurnContext, reference: Reference) -> Exit | Refusal:
    if turn.on_phone_menu:
        operation = _check_decision(turn, reference)
        if isinstance(operation, Refusal):
            return operation
        if isinstance(operation, Batch):  # its rows have no room on such a screen
            return Refusal("batch_in_chat")
        return Exit("pin", sets={"who": _maker(turn, operation).name, "amount": operation.amount})
    return _approve(turn, reference)


@HANDLERS.code_check(
    "check_approve_pin",
    needs=Right.APPROVE,
    shows=(),
    tells=("amount", "reason", "recipient", "who"),
)
def check_pin(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app, person = turn.app, turn.person
    found = _check_decision(turn, operation)
    if isinstance(found, Refusal):
        return desk_pin.refused(turn, found)
    binding = approvals.pin_binding(person, found)
    answer = desk_pins.approve(turn.tx, app.keys, app.policy, person, binding, code)
    if not isinstance(answer, Passed):
        return desk_pin.exit_of(turn, answer)
    approved = _approve(turn, operation)
    assert isinstance(approved, Exit), "it was just allowed"
    return approved


@HANDLERS.action("approve_pin_stands", needs=Right.VIEW)
def exit_if_decided(turn: TurnContext, operation: Reference) -> Exit | None:
    found = _check_decision(turn, operation)
    return desk_pin.refused(turn, found) if isinstance(found, Refusal) else None


def _check_decision(turn: TurnContext, reference: str) -> Spending | Refusal:
    """The operation, if this person's PIN may approve it now."""
    tx, policy, person = turn.tx, turn.app.policy, turn.person
    found = approvals.check_decision(tx, policy, person, reference)
    return desk_pins.check_usable(tx, policy, person) or found


def _approve(turn: TurnContext, reference: Reference) -> Exit | Refusal:
    decided = _decide(turn, reference, Decision.APPROVED)
    if isinstance(decided, Refusal):
        return decided
    by_system = turn.app.channel(decided.channel).events
    if by_system and not isinstance(decided, Batch):  # the system that asked reads it there
        return _exit(turn, "system_approved", decided)
    maker = _maker(turn, decided)
    by_pin = turn.app.channel(decided.channel).phone_menu
    notice = "notice.float_approved_pin" if by_pin else _APPROVED[type(decided)]
    facts = {"who": turn.person.name, **_asked(decided)}
    began = decided.channel, decided.address
    turn.notify_person(maker, notice, facts, opens=FLOWS[type(decided)], began=began)
    return _exit(turn, "approved", decided)


@HANDLERS.use_case("decline_float", needs=Right.APPROVE)
def decline(turn: TurnContext, reference: Reference) -> Exit | Refusal:
    decided = _decide(turn, reference, Decision.DECLINED)
    if isinstance(decided, Refusal):
        return decided
    turn.outcomes.append(decided)
    return _exit(turn, "declined", decided)


def _exit(turn: TurnContext, name: str, operation: Spending) -> Exit:
    """The exit of this name, which each kind but float has apart."""
    sets = {"who": _maker(turn, operation).name, **_asked(operation)}
    kind = _kind(operation)
    return Exit(name if kind == "float" else f"{kind}_{name}", sets=sets)


def _maker(turn: TurnContext, operation: Spending) -> Person:
    assert operation.person_id is not None, "only people ask"
    maker = turn.tx.people.of_id(operation.person_id)
    assert maker is not None, "nobody is ever deleted"
    return maker


def _decide(turn: TurnContext, reference: str, decision: Decision) -> Spending | Refusal:
    policy = turn.app.policy
    decided = approvals.decide(turn.tx, policy, turn.person, reference, decision)
    if not isinstance(decided, Refusal):
        facts = {"cents": decided.amount.cents}
        turn.audit(decided.partner, f"{_kind(decided)}_{decision}", reference, facts)
    return decided
