"""One-time codes as admins see them, never the code itself; a locked number is let go here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.acts import Run, See
from bot.admin.words import person, stamp
from bot.desk import Turn
from flows.host import Exit, View
from services import otp
from services.domain.ledger import HOUSE
from services.domain.otp import CHECKS_MAX, Otp, OtpStatus
from services.domain.phone import Phone
from services.domain.refusal import Refusal

SHOWN = 5  # newest codes of a phone; an operation has three at most


def find(turn: Turn, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    about = args["about"]
    codes = _codes(turn, about)
    phone = _phone(about, codes)
    if phone is None:
        return Refusal("no_codes")
    locked = otp.is_locked(turn.tx, phone)
    if not codes and not locked:
        return Refusal("no_codes")
    who = person(turn, codes[0].binding.person_id if codes else None)
    sets = {"phone": phone, "number": phone.masked, "who": who}
    return Exit("locked" if locked else "open", sets=sets)


def codes(turn: Turn, args: Mapping[str, Any], _: str | None) -> View:
    found = _codes(turn, args["about"])
    phone = _phone(args["about"], found)
    since = None if phone is None else turn.tx.otps.locked_since(phone)
    lock = "otp.codes.free" if since is None else "otp.codes.lock"
    lines = [turn.say("otp.codes.line", _facts(turn, code)) for code in found]
    return View(
        {
            "lines": "\n".join(lines) or turn.say("otp.codes.none"),
            "lock": turn.say(lock, {"since": since}),
        }
    )


def unlock(turn: Turn, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    phone: Phone = args["phone"]
    newest = turn.tx.otps.of_phone(phone, 1)
    if not otp.unlock(turn.tx, phone, turn.actor):
        return Refusal("not_locked")
    partner = newest[0].binding.partner if newest else HOUSE
    turn.audit(partner, "codes_unlocked", phone.masked)
    return Exit("done")


def _codes(turn: Turn, about: str) -> list[Otp]:
    if _is_phone(about):
        return turn.tx.otps.of_phone(Phone(about), SHOWN)
    return turn.tx.otps.of_operation(about)


def _phone(about: str, found: list[Otp]) -> Phone | None:
    if _is_phone(about):
        return Phone(about)
    return found[0].phone if found else None


def _is_phone(about: str) -> bool:
    """What is asked about is a phone or a reference, and those begin with letters."""
    return about[0].isdigit()


def _facts(turn: Turn, code: Otp) -> dict[str, Any]:
    ended = code.status is OtpStatus.PENDING and code.expires_at <= turn.tx.now
    status = OtpStatus.EXPIRED if ended else code.status
    return {
        "at": stamp(code.created_at),
        "purpose": turn.say(f"otp.purpose.{code.binding.purpose}"),
        "operation": code.binding.operation,
        "status": turn.say(f"otp.status.{status}"),
        "attempts": code.attempts,
        "most": CHECKS_MAX,
        "sent": code.sent,
    }


RUN: dict[str, Run] = {"find_codes": find, "unlock_codes": unlock}
SEE: dict[str, See] = {"codes": codes}
