"""A message to everybody, which any admin can start, watch and stop."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, stamp
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, View
from services.domain.ids import Reference, draw_unique, new_reference
from services.domain.ledger import HOUSE
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

JOB = "broadcast"


@HANDLERS.use_case("find_broadcast", needs=Right.ADMIN)
def find(turn: TurnContext) -> Exit:
    running = turn.tx.broadcasts.running()
    return Exit("none") if running is None else Exit("running", sets={"broadcast": running.id})


@HANDLERS.use_case("count_hearers", needs=Right.ADMIN)
def count(turn: TurnContext) -> Exit:
    return Exit("counted", sets={"people": turn.tx.broadcasts.count_recipients()})


@HANDLERS.use_case("start_broadcast", needs=Right.ADMIN)
def start(turn: TurnContext, text: str) -> Exit | Refusal:
    if turn.tx.broadcasts.running() is not None:
        return Refusal("broadcast_there")
    reference = draw_unique(
        lambda: new_reference("BC", turn.app.random),
        lambda drawn: turn.tx.broadcasts.add(drawn, text, turn.actor),
    )
    turn.audit(HOUSE, "broadcast_started", reference, {"characters": len(text)})
    turn.wake(JOB)
    return Exit("started", sets={"broadcast": reference})


@HANDLERS.action("stop_broadcast", needs=Right.ADMIN)
def stop(turn: TurnContext, operation: Reference) -> None:
    if turn.tx.broadcasts.end(operation, "STOPPED"):
        turn.audit(HOUSE, "broadcast_stopped", operation)


@HANDLERS.view("broadcast", needs=Right.ADMIN, shows=("at", "broadcast", "by", "state", "told"))
def look(turn: TurnContext, broadcast: Reference) -> View:
    found = turn.tx.broadcasts.get(broadcast)
    if found is None:  # an old screen, after housekeeping deleted the broadcast
        return View({"broadcast": broadcast, "state": "", "told": 0, "by": "", "at": ""})
    facts = {
        "broadcast": found.id,
        "state": turn.say(f"broadcast.state.{found.state}"),
        "told": found.told,
        "by": actor_name(turn, found.started_by),
        "at": stamp(found.started_at),
    }
    return View(facts, acts=frozenset({"stop"} if found.state == "RUNNING" else ()))
