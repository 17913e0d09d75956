"""Codes that people are asked for: where they went, what a wrong or ended one means for the
conversation, and what the log says about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.context import TurnContext
from flows.engine.host import Exit
from services import otp
from services.domain.business_days import time_of_day
from services.domain.otp import Binding, CodeHolder, Otp, OtpStatus
from services.domain.refusal import Refusal
from services.otp import NotPassed

_log = structlog.get_logger(__name__)

_EXITS = {
    OtpStatus.EXPIRED: "otp_expired",
    OtpStatus.LOCKED: "otp_locked",
    OtpStatus.USED: "cancelled",
    OtpStatus.REVOKED: "cancelled",
}


def code_exit(turn: TurnContext, status: OtpStatus, who: CodeHolder | None) -> str | None:
    """The exit for a code's status, or ``None`` while it is pending.

    ``who`` is the holder that its attempts count against.
    """
    if status is OtpStatus.LOCKED and who is not None and otp.is_locked(turn.tx, who):
        return "number_locked"
    return _EXITS.get(status)


def own_live_code(turn: TurnContext, operation: str) -> Otp | Exit:
    """This person's code that another may follow, or the exit that its end takes. One that went to
    a number that they have no longer ends here: that number gets none."""
    code = otp.status(turn.tx, operation)
    if code is None or code.binding.person_id != turn.person.id:
        return Exit("cancelled")
    if (exit_name := code_exit(turn, code.status, turn.person.phone)) is not None:
        return Exit(exit_name)
    if code.phone != turn.person.phone:
        otp.revoke(turn.tx, operation)
        return Exit("cancelled")
    return code


def exit_if_code_ended(turn: TurnContext, operation: str) -> Exit | None:
    """The exit that the end of this person's newest code takes; ``None`` while it can be typed."""
    code = otp.status(turn.tx, operation)
    exit_name = "cancelled" if code is None else code_exit(turn, code.status, turn.person.phone)
    return None if exit_name is None else Exit(exit_name)


def code_facts(turn: TurnContext, operation: str) -> Mapping[str, Any]:
    """Where this person's newest code was sent, and until when it can be typed."""
    code = turn.tx.otps.newest(operation)
    until = turn.tx.now if code is None else code.expires_at
    return {"sent_to": turn.code_destination(), "until": time_of_day(until)}


def refuse_code(
    turn: TurnContext, binding: Binding, answer: NotPassed, code: str
) -> Exit | Refusal:
    report_wrong_code(turn, binding, answer, code)
    return refusal_of_code(turn, turn.person.phone, answer)


def refusal_of_code(turn: TurnContext, who: CodeHolder | None, answer: NotPassed) -> Exit | Refusal:
    """Ask again while attempts are left, else take an exit; attempts count against ``who``."""
    if answer.status is OtpStatus.PENDING:
        return Refusal.of("wrong_code", left=answer.tries_left)
    exit_name = code_exit(turn, answer.status, who)
    assert exit_name is not None, "only a live code leaves the question standing"
    return Exit(exit_name)


def report_wrong_code(turn: TurnContext, binding: Binding, answer: NotPassed, code: str) -> None:
    """Log codes meant for another operation and codes that are guessed, never the code itself."""
    foreign = otp.is_foreign(turn.tx, turn.app.keys, binding, code)
    if foreign or answer.status is OtpStatus.LOCKED:
        _log.warning(
            "a code of something else was typed" if foreign else "three wrong codes",
            operation=binding.operation,
            partner=binding.partner,
            person=turn.person.id,
        )
