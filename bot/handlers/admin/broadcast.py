"""A message to everybody, which any admin can start, watch and stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, stamp
from bot.handlers.signatures import Action, UseCase, ViewBuilder
from flows.engine.host import Exit, View
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import HOUSE
from services.domain.refusal import Refusal

JOB = "broadcast"


def find(turn: TurnContext, _: Mapping[str, Any], __: str | None) -> Exit:
    running = turn.tx.broadcasts.running()
    return Exit("none") if running is None else Exit("running", sets={"broadcast": running.id})


def count(turn: TurnContext, _: Mapping[str, Any], __: str | None) -> Exit:
    counts = turn.tx.broadcasts.count_recipients().items()
    return Exit(
        "counted", sets={"people": sum(n for name, n in counts if turn.app.channel(name).push)}
    )


def start(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    if turn.tx.broadcasts.running() is not None:
        return Refusal("broadcast_there")
    reference = draw_unique(
        lambda: new_reference("BC", turn.app.random),
        lambda drawn: turn.tx.broadcasts.add(drawn, args["text"], turn.actor),
    )
    turn.audit(HOUSE, "broadcast_started", reference, {"characters": len(args["text"])})
    turn.wake(JOB)
    return Exit("started", sets={"broadcast": reference})


def stop(turn: TurnContext, broadcast: str) -> None:
    if turn.tx.broadcasts.end(broadcast, "STOPPED"):
        turn.audit(HOUSE, "broadcast_stopped", broadcast)


def look(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    found = turn.tx.broadcasts.get(args["broadcast"])
    if found is None:  # an old screen, after housekeeping deleted the broadcast
        return View({"broadcast": args["broadcast"], "state": "", "told": 0, "by": "", "at": ""})
    facts = {
        "broadcast": found.id,
        "state": turn.say(f"broadcast.state.{found.state}"),
        "told": found.told,
        "by": actor_name(turn, found.started_by),
        "at": stamp(found.started_at),
    }
    return View(facts, acts=frozenset({"stop"} if found.state == "RUNNING" else ()))


USE_CASES: dict[str, UseCase] = {
    "find_broadcast": find,
    "count_hearers": count,
    "start_broadcast": start,
}
ACTIONS: dict[str, Action] = {"stop_broadcast": stop}
VIEWS: dict[str, ViewBuilder] = {"broadcast": look}
