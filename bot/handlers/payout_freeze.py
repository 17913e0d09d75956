"""Handlers that freeze a partner's payouts, and of the thaw flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers import wrong_codes
from bot.handlers.declaring import Handlers
from bot.handlers.wrong_codes import own_live_code, refuse_code
from flows.engine.host import Exit
from services import otp, payout_freeze
from services.domain.ids import Reference
from services.domain.partner import MOVES_MONEY, Right
from services.domain.refusal import Refusal
from services.otp import Issued, Passed

HANDLERS = Handlers()


@HANDLERS.use_case("freeze_payouts", needs=Right.SET_RULES)
def freeze(turn: TurnContext) -> Exit | Refusal:
    """At once and without a code: whoever is afraid must not wait."""
    partner = turn.person.partner.code
    if payout_freeze.freeze(turn.tx, turn.person):
        turn.audit(partner, "payouts_frozen", f"partner:{partner}")
        _tell_others(turn, "notice.payouts_frozen")
        turn.reload()
    held = turn.tx.payouts.held_back(partner)
    return Exit("saved", above=turn.say("settings.frozen", {"held": held}))


@HANDLERS.use_case("ask_thaw", needs=Right.SET_RULES)
def ask(turn: TurnContext) -> Exit | Refusal:
    app = turn.app
    issued = payout_freeze.request_thaw(turn.tx, app.keys, app.random, app.policy, turn.person)
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return Exit("sent", sets={"change": issued.otp.binding.operation})


@HANDLERS.code_check(
    "check_thaw_code", needs=Right.SET_RULES, shows=("sent_to", "until"), tells=("then",)
)
def check(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app, person = turn.app, turn.person
    partner = person.partner.code
    held = turn.tx.payouts.held_back(partner)
    answer = payout_freeze.thaw(turn.tx, app.keys, app.policy, person, operation, code)
    if not isinstance(answer, Passed):
        return refuse_code(turn, payout_freeze.thaw_binding(person, operation), answer, code)
    turn.audit(partner, "payouts_thawed", f"partner:{partner}")
    turn.wake("payouts")
    _tell_others(turn, "notice.payouts_thawed")
    turn.reload()
    still = "free" if turn.tx.payout_pauses.standing() is None else "paused"
    return Exit("right", {"then": turn.say(f"thaw.thawed.{still}", {"held": held})})


@HANDLERS.action("resend_thaw_code", needs=Right.SET_RULES)
def resend(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    before = own_live_code(turn, operation)
    if isinstance(before, Exit):
        return before
    app = turn.app
    issued = payout_freeze.resend(turn.tx, app.keys, app.random, app.policy, turn.person, operation)
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return None


@HANDLERS.action("thaw_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    return wrong_codes.exit_if_code_ended(turn, operation)


@HANDLERS.progress("TH", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    return wrong_codes.code_facts(turn, operation)


@HANDLERS.action("cancel_thaw", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    otp.revoke(turn.tx, operation)


def _send_code(turn: TurnContext, issued: Issued) -> None:
    turn.send_code(issued, "sms.thaw_code", {"code_of": turn.person.partner.code})


def _tell_others(turn: TurnContext, key: str) -> None:
    """Everybody else who may pay or may change this: money waits, or moves again."""
    person = turn.person
    for other in turn.tx.people.of(person.partner.code):
        if other.id != person.id and other.role in MOVES_MONEY:
            turn.notify_person(other, key, {"who": person.name}, opens="settings")
