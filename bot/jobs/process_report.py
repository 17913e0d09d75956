"""Jobs over all processes that serve one database: each tells the others of its own.

Every second a process says what its jobs are doing, and what was asked of it that only the leader
runs; the leader takes that up. So an admin reads and does the same wherever the chat is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ValidationError

from bot.jobs.scheduler import JobScheduler
from bot.observe.job_state import JobState
from services.ports.database import Database


class ProcessReport(BaseModel):
    """``waiting`` are writes that wait for their turn; ``asked`` are jobs that somebody asked for
    there, and when, which only the leader runs."""

    jobs: list[JobState]
    stuck: list[str]
    waiting: int
    asked: dict[str, datetime]


class JobsOfAllProcesses:
    """``bot.context.JobControl``. Where there is one process, its jobs."""

    def __init__(self, jobs: JobScheduler, database: Database) -> None:
        self._jobs = jobs
        self._database = database
        self._read: dict[str, tuple[str, ProcessReport | None]] = {}  # by process
        database.says = self.report

    @property
    def states(self) -> Mapping[str, JobState]:
        """Runs of all processes together, and the newest; a job fails as often as where it fails
        most."""
        others = self._others()
        if not others:
            return self._jobs.states
        found = {name: [state] for name, state in self._jobs.states.items()}
        for report in others:
            for state in report.jobs:
                found.setdefault(state.name, []).append(state)
        return {name: _together(states) for name, states in found.items()}

    def stuck(self) -> Sequence[str]:
        """In any process."""
        return sorted({*self._jobs.stuck(), *(job for one in self._others() for job in one.stuck)})

    @property
    def waiting(self) -> int:
        """Writes that wait for their turn, in all processes."""
        return self._database.waiting + sum(report.waiting for report in self._others())

    def ask(self, name: str) -> None:
        self._jobs.ask(name)

    def wake(self, name: str, due: datetime | None = None) -> None:
        self._jobs.wake(name, due)

    def report(self) -> str:
        """What the others are told of this process: JSON."""
        jobs = self._jobs
        return ProcessReport(
            jobs=list(jobs.states.values()),
            stuck=jobs.stuck(),
            waiting=self._database.waiting,
            asked=jobs.left_to_leader,
        ).model_dump_json()

    def take_up(self) -> None:
        """Run what was asked of others since it last ran, if this process leads."""
        if not self._database.leads:
            return
        for report in self._others():
            for name, asked_at in report.asked.items():
                state = self._jobs.states.get(name)
                if state is not None and (state.ran_at is None or state.ran_at < asked_at):
                    self._jobs.ask(name)

    def _others(self) -> Sequence[ProcessReport]:
        """A program of another version may say what cannot be read here."""
        others = self._database.others
        self._read = {
            one.id: known
            if (known := self._read.get(one.id)) is not None and known[0] == one.says
            else (one.says, _parsed(one.says))
            for one in others
        }
        return [report for _, report in self._read.values() if report is not None]


def _parsed(said: str) -> ProcessReport | None:
    try:
        return ProcessReport.model_validate_json(said)
    except ValidationError:
        return None


def _together(states: Sequence[JobState]) -> JobState:
    newest = max(states, key=lambda state: (state.ran_at is not None, state.ran_at))
    failing = max(states, key=lambda state: state.failures)
    return JobState(
        newest.name,
        runs=sum(state.runs for state in states),
        ran_at=newest.ran_at,
        took_s=newest.took_s,
        next_at=_first(state.next_at for state in states),
        failures=failing.failures,
        error=failing.error,
    )


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
