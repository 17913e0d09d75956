"""How the database follows the machine's clock: its last known time, clock steps and downtime."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from services.domain.clock_step import ClockStep
from storage.sql import Connection
from storage.time import clock_step
from storage.time.milliseconds import from_ms, to_ms
from storage.time.timekeeper import IGNORED_JUMP_MAX, Timekeeper
from storage.time.transaction_time import TransactionTime

if TYPE_CHECKING:
    from storage.transaction import StoreTx

MARK_EVERY_MS = 1_000  # well below ``IGNORED_JUMP_MAX``
CHANGES_KEPT = timedelta(days=8)
_MS = timedelta(milliseconds=1)


class ClockStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def newest(self) -> datetime | None:
        """The time of the newest commit; ``None`` before the first."""
        row = self._conn.execute(
            "SELECT max(at) FROM (SELECT at FROM clock"
            " UNION ALL SELECT max(decided_at) FROM events) AS moments"
        ).fetchone()
        at: int = row[0] or 0
        return from_ms(at) if at else None

    def clock_offset(self) -> timedelta:
        """What ``steady_now`` subtracts from the time, as of the newest commit."""
        row = self._conn.execute("SELECT astray FROM clock").fetchone()
        return int(row[0]) * _MS

    def marked_ms(self) -> int:
        """The time that ``mark`` last recorded."""
        at: int = self._conn.execute("SELECT at FROM clock").fetchone()[0]
        return at

    def mark(self) -> None:
        clock_offset = (self._time.now - self._time.steady_now) // _MS
        self._conn.execute("UPDATE clock SET at = ?, astray = ?", (self._time.ms, clock_offset))

    def record_downtime(self, gap: timedelta) -> None:
        """Record that the service was down for ``gap``, by its clock, before this start."""
        self._changed("standstill", gap)

    def stepped(self, by: timedelta) -> None:
        """Record a clock step."""
        self._changed("step", by)

    def _changed(self, kind: str, by: timedelta) -> None:
        self._conn.execute(
            "INSERT INTO clock_changes (at, kind, milliseconds) VALUES (?, ?, ?)",
            (self._time.ms, kind, by // _MS),
        )
        self._conn.execute(
            "DELETE FROM clock_changes WHERE at < ?", (to_ms(self._time.now - CHANGES_KEPT),)
        )

    def downtime_since(self, moment: datetime) -> timedelta:
        row = self._conn.execute(
            "SELECT coalesce(sum(milliseconds), 0) FROM clock_changes"
            " WHERE kind = 'standstill' AND at > ?",
            (to_ms(moment),),
        ).fetchone()
        return int(row[0]) * _MS

    def ago(self, passed: timedelta) -> datetime:
        rows = self._conn.execute(
            "SELECT at, milliseconds FROM clock_changes WHERE kind = 'standstill' ORDER BY seq DESC"
        )
        moment_ms = to_ms(self._time.now - passed)
        for at, milliseconds in rows:
            if at > moment_ms:
                moment_ms -= milliseconds
        return from_ms(moment_ms)

    def elapses_at(self, since: datetime, passed: timedelta) -> datetime:
        return since + passed + self.downtime_since(since)

    def possible_offsets(self) -> Sequence[timedelta]:
        changes = self._conn.execute(
            "SELECT kind, milliseconds FROM clock_changes ORDER BY seq DESC"
        ).fetchall()
        # During a standstill the clock went wrong by that much, or ran on, or was put right
        any_change = accumulate((-ms for _, ms in changes), initial=0)
        steps_only = accumulate((-ms for kind, ms in changes if kind == "step"), initial=0)
        return [offset * _MS for offset in dict.fromkeys((*any_change, *steps_only))]


class ClockFollower:
    """Used on the writer's thread, except ``begin_reading`` and ``is_behind``. What it writes
    counts once ``committed`` is called; after ``rolled_back`` it is written again.

    ``marks``: the time is marked in the transactions themselves. Several processes would wait for
    each other at that one row, so they have it marked by itself.
    """

    def __init__(self, time: Timekeeper, *, marks: bool = True) -> None:
        self._time = time
        self._marks = marks
        self._moved = self._moving = timedelta(0)
        self._noted_start = self._noting_start = False
        self._marked_ms = 0
        self._steps: list[ClockStep] = []

    def begin(self, tx: StoreTx) -> bool:
        """Set the time for the next function, first shifting all pending times after a clock step.
        Returns True if anything was written."""
        reading = self._time.read()
        step = reading.stepped - self._moving
        if step:
            clock_step.shift_times(tx.conn, to_ms(reading.now - step), step // _MS)
            tx.forget()
            self._moving = reading.stepped
            self._steps.append(ClockStep(step, reading.now))
        tx.begin(reading.now, reading.steady_now)
        writes = bool(step)
        if step:
            tx.clock.stepped(step)
        if not self._noting_start:
            self._noting_start = True
            if reading.gap > IGNORED_JUMP_MAX:
                tx.clock.record_downtime(reading.gap)
                writes = True
        if self._marks and abs(tx.now_ms - self._marked_ms) >= MARK_EVERY_MS:
            tx.clock.mark()
            self._marked_ms = tx.now_ms
            writes = True
        return writes

    def committed(self) -> list[ClockStep]:
        """The clock steps that this commit followed."""
        self._moved, self._noted_start = self._moving, self._noting_start
        steps, self._steps = self._steps, []
        return steps

    def rolled_back(self) -> None:
        self._moving, self._noting_start = self._moved, self._noted_start
        self._marked_ms = 0
        self._steps = []

    @property
    def is_behind(self) -> bool:
        """Whether the clock was set since the last commit."""
        return self._time.read().stepped != self._moved

    def begin_reading(self, tx: StoreTx) -> None:
        """Set a reader's time, by the clock in force when its snapshot was written."""
        reading = self._time.read()
        tx.begin(reading.now - (reading.stepped - self._moved), reading.steady_now)
