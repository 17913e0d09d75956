"""A message to everybody, which any admin can start, watch and stop."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import admin_name
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services.domain.broadcast import Broadcast
from services.domain.ids import Reference, draw_unique, new_reference
from services.domain.ledger import HOUSE
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

JOB = "broadcast"
PAGE = 5  # broadcasts of one page
WORDS_SHOWN = 60  # characters of a text in the list


@HANDLERS.use_case("find_broadcast", needs=Right.ADMIN)
def find(turn: TurnContext) -> Exit:
    running = turn.tx.broadcasts.running()
    return Exit("none") if running is None else Exit("running", sets={"broadcast": running.id})


@HANDLERS.use_case("count_hearers", needs=Right.ADMIN)
def count(turn: TurnContext) -> Exit:
    counts = turn.tx.broadcasts.count_recipients().items()
    return Exit(
        "counted", sets={"people": sum(n for name, n in counts if turn.app.channel(name).push)}
    )


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


@HANDLERS.view("broadcasts", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """Newest first. The cursor is the last of the previous page, if any."""
    found = turn.tx.broadcasts.page(cursor, PAGE + 1)
    page = found[:PAGE]
    lines = [
        turn.say(
            "broadcast.past.line",
            _facts(turn, broadcast) | {"words": _first_words(broadcast.text)},
        )
        for broadcast in page
    ]
    return View(
        {"lines": "\n".join(lines) or turn.say("broadcast.past.empty")},
        [(broadcast.id, broadcast.id) for broadcast in page],
        page[-1].id if len(found) > PAGE else None,
        "" if cursor else None,
        place=_place(turn, page),
    )


def _place(turn: TurnContext, page: Sequence[Broadcast]) -> Place | None:
    if not page:
        return None
    first = turn.tx.broadcasts.count(page[0].id)
    return Place(first, first + len(page) - 1, turn.tx.broadcasts.count())


@HANDLERS.view(
    "broadcast", needs=Right.ADMIN, shows=("at", "broadcast", "by", "state", "text", "told")
)
def look(turn: TurnContext, broadcast: Reference) -> View | None:
    found = turn.tx.broadcasts.get(broadcast)
    if found is None:
        return None
    acts = frozenset({"stop"} if found.state == "RUNNING" else ())
    return View(_facts(turn, found) | {"text": found.text}, acts=acts)


def _facts(turn: TurnContext, broadcast: Broadcast) -> dict[str, Any]:
    return {
        "broadcast": broadcast.id,
        "state": turn.say(f"broadcast.state.{broadcast.state}"),
        "told": broadcast.told,
        "by": admin_name(turn, broadcast.started_by),
        "at": broadcast.started_at,
    }


def _first_words(text: str) -> str:
    words = textwrap.shorten(text, WORDS_SHOWN, placeholder="…")
    return words if words != "…" else f"{text[: WORDS_SHOWN - 1]}…"  # one long word
