"""The desk's health: backlogs, open operations and the bank's answers. All queries are bounded."""

from __future__ import annotations

from datetime import timedelta

from bot.context import TurnContext
from bot.handlers.admin.wording import age
from bot.handlers.declaring import Handlers
from flows.engine.host import View
from services.domain.partner import Right

HANDLERS = Handlers()

COUNTED_MAX = 10_000  # rows of one kind; a count stops there
ANSWERS_WITHIN = timedelta(minutes=15)
ANSWERS_MAX = 2_000  # newest calls examined: under heavy load, fewer than 15 minutes' worth
AUDIT_ROWS = 500  # newest rows whose chain is verified
MIB = 1024 * 1024


@HANDLERS.view(
    "health",
    needs=Right.ADMIN,
    shows=(
        "answers",
        "at",
        "audit",
        "open",
        "outbox",
        "processes",
        "reviews",
        "size",
        "unknown",
        "waiting",
    ),
)
def health(turn: TurnContext) -> View:
    tx, gauges = turn.tx, turn.app.gauges
    by_state = tx.operations.pending_by_state(COUNTED_MAX)
    unknown = sum(count for state, count in by_state if state.endswith("UNKNOWN"))
    answers = tx.evidence.call_counts_since(tx.now - ANSWERS_WITHIN, ANSWERS_MAX)
    nothing = turn.say("health.show.nothing")
    states = [
        turn.say("health.show.state", {"state": turn.say(f"state.{state}"), "count": count})
        for state, count in by_state
    ]
    calls = [
        turn.say("health.show.answer", {"call": call, "outcome": outcome, "count": count})
        for call, outcome, count in answers
    ]
    return View(
        {
            "at": tx.now,
            "size": f"{gauges.size_bytes() / MIB:.1f}",
            "waiting": gauges.waiting(),
            "processes": _processes(turn),
            "outbox": _outbox(turn),
            "open": ", ".join(states) or nothing,
            "unknown": unknown,
            "reviews": tx.evidence.count_open_reviews(COUNTED_MAX),
            "answers": ", ".join(calls) or nothing,
            "audit": _audit(turn),
        }
    )


def _processes(turn: TurnContext) -> str:
    """Nothing where there is one: that is no news."""
    count = turn.app.gauges.processes()
    if count == 1:
        return ""
    led = turn.app.gauges.is_led()
    return turn.say("health.show.led" if led else "health.show.not_led", {"count": count})


def _outbox(turn: TurnContext) -> str:
    count, since = turn.tx.outbox.waiting(COUNTED_MAX)
    if since is None:
        return turn.say("health.show.nothing")
    return turn.say("health.show.queued", {"count": count, "age": age(turn, since)})


def _audit(turn: TurnContext) -> str:
    broken = turn.tx.audit.newest_problems(AUDIT_ROWS)
    if broken:
        return turn.say("health.show.broken", {"first": broken[0], "count": len(broken)})
    return turn.say("health.show.whole", {"rows": AUDIT_ROWS})
