"""Handlers of the pin flow, and what a typed desk PIN means in the flows that ask for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.context import TurnContext
from bot.handlers import wrong_codes
from bot.handlers.declaring import Handlers
from bot.handlers.wrong_codes import own_live_code, refuse_code
from flows.engine.host import Exit
from services import desk_pins
from services.desk_pins import NotPassed
from services.domain.audit import by_person
from services.domain.business_days import time_of_day
from services.domain.desk_pin import CHANGE_LIFE
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.refusal import Refusal
from services.otp import Issued, Passed

HANDLERS = Handlers()

_log = structlog.get_logger(__name__)


@HANDLERS.use_case("ask_pin", needs=Right.MOVE_MONEY)
def ask(turn: TurnContext) -> Exit | Refusal:
    """Not on the phone that the code goes to: whoever holds its SIM could set a PIN there."""
    app = turn.app
    if turn.on_phone_menu:
        return Refusal("pin_in_chat")
    issued = desk_pins.request_change(turn.tx, app.keys, app.random, app.policy, turn.person)
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return Exit("sent", sets={"change": issued.otp.binding.operation})


@HANDLERS.code_check("prove_pin", needs=Right.MOVE_MONEY, shows=("sent_to", "until"))
def prove(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app, person = turn.app, turn.person
    answer = desk_pins.prove(turn.tx, app.keys, app.policy, person, operation, code)
    if isinstance(answer, Passed):
        return Exit("right")
    return refuse_code(turn, desk_pins.code_binding(person, operation), answer, code)


@HANDLERS.action("resend_pin_code", needs=Right.MOVE_MONEY)
def resend(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    before = own_live_code(turn, operation)
    if isinstance(before, Exit):
        return before
    app = turn.app
    issued = desk_pins.resend_code(
        turn.tx, app.keys, app.random, app.policy, turn.person, operation
    )
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return None


def _send_code(turn: TurnContext, issued: Issued) -> None:
    turn.send_code(issued, "sms.pin_code", {"code_of": turn.person.partner.code})


@HANDLERS.action("pin_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    return wrong_codes.exit_if_code_ended(turn, operation)


@HANDLERS.code_check("choose_pin", needs=Right.MOVE_MONEY, shows=("until",))
def choose(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app = turn.app
    answer = desk_pins.choose(turn.tx, app.keys, app.policy, turn.person, operation, code)
    match answer:
        case desk_pins.Chosen():
            return Exit("chosen")
        case desk_pins.ChangeOver():
            return Exit("over")
        case Refusal() if desk_pins.open_change(turn.tx, turn.person, operation) is None:
            return refused(turn, answer)
        case Refusal():
            return answer


@HANDLERS.code_check("repeat_pin", needs=Right.MOVE_MONEY, shows=("until",))
def repeat(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app = turn.app
    answer = desk_pins.repeat(turn.tx, app.keys, app.policy, turn.person, operation, code)
    match answer:
        case desk_pins.PinSet():
            _audit(turn, "pin_set")
            return Exit("set")
        case desk_pins.Different():
            return Exit("different", above=turn.say("pin.again.different"))
        case desk_pins.ChangeOver():
            return Exit("over")
        case Refusal():
            return refused(turn, answer)


@HANDLERS.action("pin_change_stands", needs=Right.VIEW)
def exit_if_change_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    standing = desk_pins.open_change(turn.tx, turn.person, operation)
    return Exit("over") if standing is None else None


@HANDLERS.action("cancel_pin", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    desk_pins.cancel(turn.tx, turn.person, operation)


@HANDLERS.progress("PN", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    """Where the code was sent, and until when it, or the PIN that it allows, can be typed."""
    code = turn.tx.otps.newest(operation)
    assert code is not None, "a code is sent before the question is asked"
    change = turn.tx.desk_pins.change(operation)
    until = code.expires_at if change is None else change.proved_at + CHANGE_LIFE
    return {"sent_to": turn.code_destination(), "until": time_of_day(until)}


# In the flows that ask for a PIN --------------------------------------------------------------


def exit_of(turn: TurnContext, answer: NotPassed | Refusal) -> Exit | Refusal:
    """Ask again while tries are left, else take an exit. Whoever's PIN is locked is told."""
    match answer:
        case NotPassed(locked=True):
            _report_locked(turn)
            return Exit("pin_locked")
        case NotPassed():
            return Refusal.of("wrong_pin", left=answer.tries_left)
        case Refusal("pin_locked"):
            return Exit("pin_locked")
        case Refusal():
            return refused(turn, answer)


def refused(turn: TurnContext, refusal: Refusal) -> Exit:
    """The exit that says why, for a refusal after which there is nothing to type again."""
    return Exit("refused", {"reason": turn.say(f"refusal.{refusal.code}", refusal.facts)})


def _report_locked(turn: TurnContext) -> None:
    person = turn.person
    _audit(turn, "pin_locked")
    _log.warning("three wrong PINs", partner=person.partner.code, person=person.id)
    turn.notify_person(person, "notice.pin_locked", {"code": person.partner.code}, opens="settings")


def _audit(turn: TurnContext, act: str) -> None:
    person = turn.person
    turn.tx.audit.add(person.partner.code, by_person(person.id), act, by_person(person.id))
