"""Accounts that were recently asked to slow down, and a way to release those still silenced."""

from __future__ import annotations

from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, to_the_second
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services.domain.audit import by_account
from services.domain.flood import Flood
from services.domain.ledger import HOUSE
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

SHOWN = 10


@HANDLERS.view("floods", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext) -> View:
    """Accounts silenced now come first, newest first; only they can be opened."""
    floods = turn.tx.floods.newest(SHOWN)
    lines = [turn.say("floods.list.line", _facts(turn, flood)) for flood in floods]
    silent = [flood for flood in floods if turn.tx.now < flood.until]
    items = [(f"{flood.channel}-{flood.address}", _facts(turn, flood)["who"]) for flood in silent]
    place = Place(1, len(floods), turn.tx.floods.count())
    return View({"lines": "\n".join(lines) or turn.say("floods.list.empty")}, items, place=place)


@HANDLERS.view("flood", needs=Right.ADMIN, shows=("at", "state", "who"))
def detail(turn: TurnContext, account: str) -> View:
    flood = _get(turn, account)
    assert flood is not None, "only listed ones can be opened"
    return View(_facts(turn, flood))


@HANDLERS.use_case("release_account", needs=Right.ADMIN)
def release(turn: TurnContext, account: str) -> Exit | Refusal:
    flood = _get(turn, account)
    if flood is None or flood.until <= turn.tx.now:
        return Refusal("not_silent")
    turn.tx.floods.let_go(flood.channel, flood.address)
    turn.audit(HOUSE, "flood_released", by_account(flood.channel, flood.address))
    return Exit("done")


def _get(turn: TurnContext, account: str) -> Flood | None:
    channel, _, address = account.partition("-")
    return turn.tx.floods.get(channel, address)


def _facts(turn: TurnContext, flood: Flood) -> dict[str, Any]:
    person = turn.tx.people.at(flood.channel, flood.address)
    name = by_account(flood.channel, flood.address) if person is None else f"person:{person.id}"
    silent = turn.tx.now < flood.until
    return {
        "who": actor_name(turn, name),
        "at": flood.told_at,
        "state": turn.say(
            "floods.list.silent" if silent else "floods.list.over",
            {"until": to_the_second(turn, flood.until)},
        ),
    }
