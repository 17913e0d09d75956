"""One-time codes as admins see them, never the code itself, and unlocking their holders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, person_name
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, View
from services import otp
from services.domain.audit import by_account
from services.domain.ledger import HOUSE
from services.domain.otp import CHECKS_MAX, CodeHolder, Otp, OtpStatus
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal

HANDLERS = Handlers()

SHOWN = 5  # newest codes of a phone; an operation has at most three


@HANDLERS.use_case("find_codes", needs=Right.ADMIN)
def find(turn: TurnContext, about: str) -> Exit | Refusal:
    codes = _codes(turn, about)
    phone = _phone(about, codes)
    if phone is None:
        return Refusal("no_codes")
    locked = _locks(turn, about, codes)
    if not codes and not locked:
        return Refusal("no_codes")
    sets = {"phone": phone, "number": phone.masked, "who": _who(turn, about, codes)}
    return Exit("locked" if locked else "open", sets=sets)


@HANDLERS.view("codes", needs=Right.ADMIN, shows=("lines", "lock"))
def codes(turn: TurnContext, about: str) -> View:
    found = _codes(turn, about)
    locks = _locks(turn, about, found)
    lines = [turn.say("otp.codes.line", _facts(turn, code)) for code in found]
    locked = [_lock(turn, who, since) for who, since in locks]
    return View(
        {
            "lines": "\n".join(lines) or turn.say("otp.codes.none"),
            "lock": "\n".join(locked) or turn.say("otp.codes.free"),
        }
    )


@HANDLERS.use_case("unlock_codes", needs=Right.ADMIN)
def unlock(turn: TurnContext, about: str) -> Exit | Refusal:
    found = _codes(turn, about)
    locks = _locks(turn, about, found)
    partner = found[0].binding.partner if found else HOUSE
    for who, _since in locks:
        otp.unlock(turn.tx, who, turn.actor)
        about = who.masked if isinstance(who, Phone) else by_account(*who)
        turn.audit(partner, "codes_unlocked", about)
    return Exit("done") if locks else Refusal("not_locked")


def _locks(turn: TurnContext, about: str, found: list[Otp]) -> list[tuple[CodeHolder, datetime]]:
    """The locked holders, and since when each is locked.

    For a phone these are the number and its people's accounts; for an operation, the holder that
    its codes count against.
    """
    if _is_phone(about):
        whos = otp.of_number(turn.tx, Phone(about))
    else:
        whos = [code.who for code in found[:1] if code.who is not None]
    since = ((who, turn.tx.otps.locked_since(who)) for who in whos)
    return [(who, at) for who, at in since if at is not None]


def _who(turn: TurnContext, about: str, found: list[Otp]) -> str:
    """Whose number it is, or else whom the newest code was for: they may only have typed it."""
    owners = turn.tx.people.linked_with(Phone(about)) if _is_phone(about) else []
    if owners:
        return ", ".join(person_name(turn, owner.id) for owner in owners)
    return person_name(turn, found[0].binding.person_id if found else None)


def _lock(turn: TurnContext, who: CodeHolder, since: datetime) -> str:
    if isinstance(who, Phone):
        return turn.say("otp.codes.lock", {"since": since})
    account = actor_name(turn, by_account(*who))
    return turn.say("otp.codes.account_lock", {"account": account, "since": since})


def _codes(turn: TurnContext, about: str) -> list[Otp]:
    if _is_phone(about):
        return turn.tx.otps.of_phone(Phone(about), SHOWN)
    return turn.tx.otps.of_operation(about)


def _phone(about: str, found: list[Otp]) -> Phone | None:
    if _is_phone(about):
        return Phone(about)
    return found[0].phone if found else None


def _is_phone(about: str) -> bool:
    """``about`` is a phone or a reference, and references begin with letters."""
    return about[0].isdigit()


def _facts(turn: TurnContext, code: Otp) -> dict[str, Any]:
    ended = code.status is OtpStatus.PENDING and code.expires_at <= turn.tx.now
    status = OtpStatus.EXPIRED if ended else code.status
    return {
        "at": code.created_at,
        "purpose": turn.say(f"otp.purpose.{code.binding.purpose}"),
        "operation": code.binding.operation,
        "status": turn.say(f"otp.status.{status}"),
        "attempts": code.attempts,
        "most": CHECKS_MAX,
        "sent": code.sent,
    }
