"""The drawer's Due: what the product will do by itself, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.simulation.ncba.prompts import PROMPT_LIFE
from bot.simulation.world import World
from services.domain.phone import Phone
from services.ports import Tx

OPERATIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Due:
    what: str
    detail: str
    at: datetime
    left: timedelta


@dataclass(frozen=True, slots=True)
class DuePanel:
    operations: Sequence[Due]
    prompts: Sequence[Due]
    jobs: Sequence[Due]


def due_panel(world: World, tx: Tx) -> DuePanel:
    """Each the soonest first; what is overdue has no time left."""
    now = world.clock.now()

    def due(what: str, detail: str, at: datetime) -> Due:
        return Due(what, detail, at, max(timedelta(0), at - now))

    operations = tx.claims.upcoming(OPERATIONS_MAX)
    prompts = world.bank.prompts.open()
    states = [state for state in world.app.jobs.states.values() if state.next_at is not None]
    return DuePanel(
        [due(reference, state, at) for reference, state, at in operations],
        [due("prompt", str(Phone(one.phone)), one.sent_at + PROMPT_LIFE) for one in prompts],
        sorted(
            (
                due(state.name, _runs(state.runs), state.next_at)
                for state in states
                if state.next_at is not None
            ),
            key=lambda one: one.at,
        ),
    )


def _runs(count: int) -> str:
    return "ran once" if count == 1 else f"ran {count} times"
