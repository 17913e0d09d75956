"""Handlers for blocking a phone number against payment prompts, and for unblocking it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services import approvals, blocks
from services.domain.block import Block
from services.domain.ledger import HOUSE
from services.domain.limits import EVERYBODY
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal

HANDLERS = Handlers()

SHOWN = 20  # newest blocks; others can be found by typing the number


def _own_blocks(turn: TurnContext) -> Sequence[Block]:
    return turn.tx.blocks.of(turn.person.partner.code, SHOWN)


def _desk_blocks(turn: TurnContext) -> Sequence[Block]:
    return turn.tx.blocks.every(SHOWN)


@HANDLERS.view("own_blocks", needs=Right.SET_RULES, shows=("lines",))
def own_list(turn: TurnContext) -> View:
    count = turn.tx.blocks.count(turn.person.partner.code)
    return _list(turn, _own_blocks(turn), count, "block.list")


@HANDLERS.view("desk_blocks", needs=Right.ADMIN, shows=("lines",))
def desk_list(turn: TurnContext) -> View:
    return _list(turn, _desk_blocks(turn), turn.tx.blocks.count(), "blocking.list")


def _list(turn: TurnContext, found: Sequence[Block], count: int, at: str) -> View:
    lines = [turn.say(f"{at}.line", _facts(turn, block)) for block in found]
    return View(
        {"lines": "\n".join(lines) or turn.say(f"{at}.empty")}, place=Place(1, len(found), count)
    )


def _facts(turn: TurnContext, block: Block) -> dict[str, Any]:
    return {
        "phone": block.phone,
        "whose": _partners_words(turn, [block]),
        "by": actor_name(turn, block.by),
        "at": block.at,
    }


def _partners_words(turn: TurnContext, found: Sequence[Block]) -> str:
    """The partners whose prompts are blocked, in words."""
    named = (turn.say("block.for_all") if block.is_for_all else block.partner for block in found)
    return ", ".join(named)


@HANDLERS.suggestion("own_blocked", needs=Right.SET_RULES)
def own_phones(turn: TurnContext) -> Sequence[Phone]:
    return [block.phone for block in _own_blocks(turn)]


@HANDLERS.suggestion("desk_blocked", needs=Right.ADMIN)
def desk_phones(turn: TurnContext) -> Sequence[Phone]:
    return turn.tx.blocks.phones(SHOWN)


@HANDLERS.use_case("find_own_block", needs=Right.SET_RULES)
def find_own(turn: TurnContext, phone: Phone) -> Exit:
    return _find(turn, phone, turn.person.partner.code)


@HANDLERS.use_case("find_desk_block", needs=Right.ADMIN)
def find_desk(turn: TurnContext, phone: Phone) -> Exit:
    return _find(turn, phone, EVERYBODY)


def _find(turn: TurnContext, phone: Phone, partner: str) -> Exit:
    found = blocks.liftable(turn.tx, phone, partner)
    if not found:
        return Exit("free")
    is_complete = any(block.partner == partner for block in found)
    return Exit(
        "blocked" if is_complete else "partly", sets={"whose": _partners_words(turn, found)}
    )


@HANDLERS.view("desk_block", needs=Right.ADMIN, shows=("phone", "whose"))
def desk_block(turn: TurnContext, phone: Phone) -> View:
    found = blocks.liftable(turn.tx, phone, EVERYBODY)
    return View({"phone": phone, "whose": _partners_words(turn, found)})


@HANDLERS.use_case("block_own", needs=Right.SET_RULES)
def block_own(turn: TurnContext, phone: Phone) -> Exit | Refusal:
    return _check_cooling_off(turn) or _block(turn, phone, turn.person.partner.code)


@HANDLERS.use_case("block_desk", needs=Right.ADMIN)
def block_desk(turn: TurnContext, phone: Phone) -> Exit | Refusal:
    return _block(turn, phone, EVERYBODY)


def _check_cooling_off(turn: TurnContext) -> Refusal | None:
    """Refuse owners whose account was linked only recently: blocks are one of their safeguards."""
    return approvals.check_account_freeze(turn.tx, turn.app.policy, turn.person)


def _block(turn: TurnContext, phone: Phone, partner: str) -> Exit | Refusal:
    refusal = blocks.block(turn.tx, phone, partner, turn.actor)
    if refusal is not None:
        return refusal
    turn.audit(partner or HOUSE, "phone_blocked", phone.masked)
    return Exit("done")


@HANDLERS.use_case("unblock_own", needs=Right.SET_RULES)
def unblock_own(turn: TurnContext, phone: Phone) -> Exit | Refusal:
    return _check_cooling_off(turn) or _unblock(turn, phone, turn.person.partner.code)


@HANDLERS.use_case("unblock_desk", needs=Right.ADMIN)
def unblock_desk(turn: TurnContext, phone: Phone) -> Exit | Refusal:
    return _unblock(turn, phone, EVERYBODY)


def _unblock(turn: TurnContext, phone: Phone, partner: str) -> Exit | Refusal:
    lifted = blocks.unblock(turn.tx, phone, partner)
    if isinstance(lifted, Refusal):
        return lifted
    for block in lifted:
        turn.audit(block.partner or HOUSE, "phone_unblocked", phone.masked)
    return Exit("done")
