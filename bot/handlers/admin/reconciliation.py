"""Reconciled days, and the findings that keep a day open."""

from __future__ import annotations

from datetime import date

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import COUNTED_MAX, Place, View
from services.domain.business_days import business_day
from services.domain.partner import Right
from services.domain.reconciliation import ReconciliationDay

HANDLERS = Handlers()

PAGE = 14  # days of one page
FINDINGS_SHOWN = 5  # for each day; /pending lists them all


@HANDLERS.view("days", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """Newest first. The cursor is the last day of the previous page, if any."""
    store = turn.tx.reconciliations
    found = store.newest(PAGE + 1, date.fromisoformat(cursor) if cursor else None)
    days = found[:PAGE]
    lines = [line for day in days for line in _lines(turn, day)]
    place = None
    if days:
        first = store.count_days(days[0].day)
        place = Place(first, first + len(days) - 1, store.count_days())
    return View(
        {"lines": "\n".join(lines) or turn.say("days.list.none")},
        more=days[-1].day.isoformat() if len(found) > PAGE else None,
        newer="" if cursor else None,
        place=place,
    )


@HANDLERS.count("open_days", needs=Right.ADMIN)
def waiting(turn: TurnContext) -> int:
    """Days that are over and did not close."""
    today = business_day(turn.tx.now)
    return turn.tx.reconciliations.count_open_days(today, COUNTED_MAX)


def _lines(turn: TurnContext, day: ReconciliationDay) -> list[str]:
    facts = {
        "day": day.day,
        "lines": day.lines,
        "matched": day.matched,
        "credits": day.credits,
        "debits": day.debits,
        "count": len(day.findings),
    }
    kind = "open" if day.closed_at is None else "closed"
    return [
        turn.say(f"days.list.{kind}", facts),
        *(
            turn.say(
                "days.list.finding",
                {"reference": found.id, "amount": found.amount, "why": found.kind},
            )
            for found in day.findings[:FINDINGS_SHOWN]
        ),
    ]
