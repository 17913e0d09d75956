"""Background jobs since the program started; an admin can run one at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from bot.observe.job_state import JobState
from flows.engine.host import Exit, View
from services.domain.ledger import HOUSE
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

CLEANING = ("codes", "approvals", "sessions", "cleanup")  # jobs that expire and delete old rows


def _states(turn: TurnContext) -> Mapping[str, JobState]:
    return {} if turn.app.jobs is None else turn.app.jobs.states


@HANDLERS.view("jobs", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext) -> View:
    states = sorted(_states(turn).items())
    lines = [_line(turn, state) for _, state in states]
    return View(
        {"lines": "\n".join(lines)}, [(name, turn.phrase("job", name)) for name, _ in states]
    )


@HANDLERS.count("stuck_jobs", needs=Right.ADMIN)
def waiting(turn: TurnContext) -> int:
    """Jobs that fail again and again, or are stuck."""
    failing = {name for name, state in _states(turn).items() if state.fails_again}
    return len(failing.union(_stuck(turn)))


def _stuck(turn: TurnContext) -> Sequence[str]:
    return () if turn.app.jobs is None else turn.app.jobs.stuck()


def _line(turn: TurnContext, state: JobState) -> str:
    never = turn.say("jobs.list.never")
    facts = {
        "job": state.name,
        "ran": never if state.ran_at is None else state.ran_at,
        "ms": round(state.took_s * 1000),
        "next": never if state.next_at is None else state.next_at,
        "runs": state.runs,
        "failures": state.failures,
    }
    if state.name in _stuck(turn):
        return turn.say("jobs.list.stuck", facts)
    return turn.say("jobs.list.failing" if state.failures else "jobs.list.line", facts)


@HANDLERS.use_case("run_job", needs=Right.ADMIN)
def run(turn: TurnContext, job: str) -> Exit | Refusal:
    if job not in _states(turn):
        return Refusal("no_job")
    turn.wake(job)
    turn.audit(HOUSE, "job_run", job)
    return Exit("done")


@HANDLERS.use_case("clean_up", needs=Right.ADMIN)
def clean_up(turn: TurnContext) -> Exit:
    for job in CLEANING:
        turn.wake(job)
    turn.audit(HOUSE, "cleanup_run", "cleanup")
    return Exit("done")
