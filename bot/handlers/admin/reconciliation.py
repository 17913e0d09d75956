"""Reconciled days, and the findings that keep a day open."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.admin.wording import readable
from bot.handlers.declaring import Handlers
from flows.engine.host import COUNTED_MAX, View
from services.domain.business_days import business_day
from services.domain.partner import Right
from services.domain.reconciliation import ReconciliationDay

HANDLERS = Handlers()

SHOWN = 14  # newest days
FINDINGS_SHOWN = 5  # for each day; /pending lists them all


@HANDLERS.view("days", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext) -> View:
    days = turn.tx.reconciliations.newest(SHOWN)
    lines = [line for day in days for line in _lines(turn, day)]
    return View({"lines": "\n".join(lines) or turn.say("days.list.none")})


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
                {"reference": found.id, "amount": found.amount, "why": readable(found.kind)},
            )
            for found in day.findings[:FINDINGS_SHOWN]
        ),
    ]
