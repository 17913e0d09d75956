"""Reconciled days, and the findings that keep a day open."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import View
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
