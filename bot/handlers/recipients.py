"""Handlers and views of the recipients flow."""

from __future__ import annotations

from collections.abc import Sequence

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Labelled, View
from services import recipients
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal

HANDLERS = Handlers()

LISTED = 20  # recipients shown, and offered as buttons; any may be typed


@HANDLERS.view("recipients", needs=Right.MOVE_MONEY, shows=("lines", "partner"))
def listed(turn: TurnContext) -> View:
    """By name, the first of them where there are many."""
    partner = turn.person.partner.code
    lines = [
        turn.say("recipients.list.line", {"name": one.name, "phone": one.phone})
        for one in turn.tx.recipients.first(partner, LISTED)
    ]
    more = turn.tx.recipients.count(partner) - len(lines)
    if more:
        lines.append(turn.say("recipients.list.more", {"count": more}))
    text = "\n".join(lines) or turn.say("recipients.list.empty")
    return View({"lines": text, "partner": partner})


@HANDLERS.suggestion("recipients", needs=Right.MOVE_MONEY)
def offered(turn: TurnContext) -> Sequence[Labelled]:
    saved = turn.tx.recipients.first(turn.person.partner.code, LISTED)
    return [Labelled(one.phone, one.name) for one in saved]


@HANDLERS.view("recipient", needs=Right.MOVE_MONEY, shows=("last", "who"))
def detail(turn: TurnContext, payee: Phone) -> View:
    partner = turn.person.partner.code
    saved = turn.tx.recipients.of_phone(partner, payee)
    last = turn.tx.payouts.last_paid(partner, payee)
    if last is None:
        words = turn.say("recipients.one.never")
    else:
        facts = {"amount": last.amount, "at": last.settled_at}
        if last.recipient_name is None:
            words = turn.say("recipients.one.nameless", facts)
        else:
            words = turn.say("recipients.one.paid", facts | {"name": last.recipient_name})
    who = str(payee) if saved is None else f"{saved.name}, {payee}"
    return View({"who": who, "last": words})


@HANDLERS.use_case("save_recipient", needs=Right.MOVE_MONEY)
def save(turn: TurnContext, payee: Phone, name: str) -> Exit | Refusal:
    match recipients.save(turn.tx, turn.person, name, payee):
        case Refusal("recipient_name_taken") as taken:
            return Exit("again", above=turn.say(f"refusal.{taken.code}", taken.facts))
        case Refusal() as refusal:
            return refusal
    _audit(turn, "recipient_saved", payee)
    return Exit("saved")


@HANDLERS.use_case("delete_recipient", needs=Right.MOVE_MONEY)
def delete(turn: TurnContext, payee: Phone) -> Exit | Refusal:
    name = recipients.delete(turn.tx, turn.person, payee)
    if name is None:
        return Refusal("recipient_gone")
    _audit(turn, "recipient_deleted", payee)
    return Exit("deleted", above=turn.say("recipients.deleted", {"name": name}))


def _audit(turn: TurnContext, act: str, phone: Phone) -> None:
    partner = turn.person.partner.code
    turn.audit(partner, act, f"partner:{partner}", {"phone": phone.masked})
