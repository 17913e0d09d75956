"""Runs many functions in one transaction, on the writer's thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from services.domain.clock_step import ClockStep
from services.domain.database import SimulatedCrash
from storage.after_restore import recover_after_restore
from storage.postgres.connection import PostgresConnection
from storage.postgres.faults import CommitUnknown, ConnectionLost, as_future_error, is_conflict
from storage.queued_write import QueuedWrite
from storage.stores.clock import ClockFollower
from storage.transaction import StoreTx

GROUP_MS = 60  # after which a group commits what has run so far
TRIES_MAX = 10  # of a function that others are in the way of


class GroupRunner:
    """Used on the writer's thread, except ``steps``: clock steps that were committed but not yet
    reported.

    Each transaction that changes anything raises this writer's number in the table ``writers``. So
    a later connection can tell whether a commit that nobody answered took place.
    """

    def __init__(
        self, clock: ClockFollower, writer_id: str, probe: Callable[[str], None], *, timed: bool
    ) -> None:
        self.steps: list[ClockStep] = []
        self._clock = clock
        self._writer_id = writer_id
        self._probe = probe
        self._timed = timed
        self._commits = 0  # that are certain
        self._expected = 0  # with the transaction whose commit is under way
        self.left: list[QueuedWrite[Any]] = []  # what the newest ``run`` returned, or would have

    def register(self, conn: PostgresConnection) -> None:
        """Add this writer's row, before its first commit, and remove those of long ago."""
        conn.execute(
            "INSERT INTO writers (id, commits) VALUES (?, 0) ON CONFLICT (id) DO NOTHING",
            (self._writer_id,),
        )
        conn.execute("DELETE FROM writers WHERE at < now() - interval '7 days'")
        conn.flush()

    def run(
        self, tx: StoreTx, conn: PostgresConnection, group: list[QueuedWrite[Any]]
    ) -> list[QueuedWrite[Any]]:
        """Run the group in one transaction of ``conn``, the connection of ``tx``, with a savepoint
        for each function. Returns those that must run in another one: time was up, or another
        transaction was in the way.

        Raises ``CommitUnknown``; ``psycopg.Error`` when nothing was committed.
        """
        return self._in_transaction(tx, conn, lambda: self._run_functions(tx, conn, group))

    def recover_if_restored(self, tx: StoreTx, conn: PostgresConnection) -> None:
        """Mark what may have happened since the backup as unknown before anything else runs."""
        if tx.restores.backup_made_at() is None:
            return

        def recover() -> list[QueuedWrite[Any]]:
            self._clock.begin(tx)
            recover_after_restore(tx)
            tx.end()
            return []

        self._in_transaction(tx, conn, recover)

    def settle(self, tx: StoreTx, conn: PostgresConnection) -> bool:
        """Whether the commit that nobody answered took place; ``conn`` was connected since.

        The row is locked, since the transaction of the connection that was lost may still hold it;
        and only a commit that has reached a standby proves that those before it have. Raises
        ``psycopg.Error``, ``CommitUnknown``: try again.
        """
        conn.begin()
        row = conn.execute(
            "SELECT commits FROM writers WHERE id = ? FOR UPDATE", (self._writer_id,)
        ).fetchone()
        conn.execute("UPDATE writers SET at = now() WHERE id = ?", (self._writer_id,))
        conn.commit()
        if row is not None and int(row[0]) == self._expected:
            self._committed()
            return True
        self._rolled_back(tx)
        return False

    # ----------------------------------------------------------------------------------------

    def _in_transaction(
        self,
        tx: StoreTx,
        conn: PostgresConnection,
        function: Callable[[], list[QueuedWrite[Any]]],
    ) -> list[QueuedWrite[Any]]:
        conn.begin()
        try:
            self.left = function()
            self._expected = self._commits
            if conn.has_changes:
                self._expected += 1
                conn.execute(
                    "UPDATE writers SET commits = ?, at = now() WHERE id = ?",
                    (self._expected, self._writer_id),
                )
            conn.flush()
            self._probe("commit")
            conn.commit()
        except CommitUnknown:
            raise
        except SimulatedCrash:  # as if the process had ended here
            self._rolled_back(tx)
            raise
        except BaseException:
            self._rolled_back(tx)
            conn.rollback()
            raise
        self._committed()
        self._probe("after-commit")
        return self.left

    def _committed(self) -> None:
        self._commits = self._expected
        self.steps += self._clock.committed()

    def _rolled_back(self, tx: StoreTx) -> None:
        self._clock.rolled_back()
        tx.forget()

    def _run_functions(
        self, tx: StoreTx, conn: PostgresConnection, group: list[QueuedWrite[Any]]
    ) -> list[QueuedWrite[Any]]:
        ends_at = time.monotonic() + (GROUP_MS / 1000 if self._timed else math.inf)
        again: list[QueuedWrite[Any]] = []
        for done, job in enumerate(group, start=1):
            if job.future.done():  # cancelled
                continue
            self._clock.begin(tx)
            conn.begin_function()
            job.error = None
            try:
                job.result = job.function(tx)
                job.changed = tx.end()
                conn.end_function()
                conn.flush()
            except (SimulatedCrash, ConnectionLost):
                raise
            except BaseException as error:  # noqa: BLE001  raised where it is waited for
                tx.forget()
                conn.undo_function()
                if is_conflict(error) and job.tries < TRIES_MAX:
                    job.tries += 1
                    again.append(job)
                else:
                    job.error = as_future_error(error)
            if time.monotonic() > ends_at:
                return [*again, *group[done:]]
        return again
