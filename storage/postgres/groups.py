"""Runs many functions in one transaction, on the writer's thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Set
from typing import Any

import psycopg

from services.domain.clock_step import ClockStep
from services.domain.database import DatabaseUnavailable, SimulatedCrash
from storage.after_restore import recover_after_restore
from storage.locks import Lock, LockNeeded
from storage.postgres.connection import PostgresConnection
from storage.postgres.faults import (
    CommitUnknown,
    ConnectionLost,
    as_future_error,
    is_conflict,
    is_repeated,
)
from storage.postgres.locks import PostgresLocks
from storage.postgres.server import RECOVERING
from storage.queued_write import QueuedWrite
from storage.stores.clock import ClockFollower
from storage.transaction import StoreTx

GROUP_MS = 60  # after which a group commits what has run so far
TRIES_MAX = 10  # of a function that others are in the way of
PUT_OFF_MAX = 3  # times, after which a group waits for the function's locks


class GroupRunner:
    """Used on the writer's thread, except ``steps``: clock steps that were committed but not yet
    reported.

    Each transaction that changes anything raises this writer's number in the table ``writers``. So
    a later connection can tell whether a commit that nobody answered took place.
    """

    def __init__(
        self,
        clock: ClockFollower,
        locks: PostgresLocks | None,
        writer_id: str,
        probe: Callable[[str], None],
        epoch: Callable[[], int | None],
        *,
        timed: bool,
    ) -> None:
        self.steps: list[ClockStep] = []
        self._clock = clock
        self._writer_id = writer_id
        self._probe = probe
        self._epoch = epoch
        self._timed = timed
        self._locks = locks
        self._commits = 0  # that are certain
        self._expected = 0  # with the transaction whose commit is under way
        self.has_changed = False  # the newest transaction
        self._checked_epoch = False  # in this transaction
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
        return self._in_transaction(tx, conn, lambda: self._run_group(tx, conn, group))

    def recover_if_restored(self, tx: StoreTx, conn: PostgresConnection) -> None:
        """Mark what may have happened since the backup as unknown before anything else runs. Of
        several processes one does, and the others wait for it."""
        if tx.restores.backup_made_at() is None:
            return

        def recover() -> list[QueuedWrite[Any]]:
            conn.execute(
                "SELECT pg_advisory_xact_lock(?, hashtext(current_schema()))", (RECOVERING,)
            )
            if self._locks is not None:
                self._locks.begin_transaction()
            if tx.restores.backup_made_at() is not None:
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
        self._checked_epoch = False
        try:
            self.left = function()
            self._expected = self._commits
            self.has_changed = conn.has_changes
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

    def _check_epoch(self, conn: PostgresConnection) -> None:
        """Until the commit, nobody else begins to lead. Raises ``DatabaseUnavailable``."""
        epoch = self._epoch()
        if epoch is None or self._checked_epoch:
            return
        row = conn.execute("SELECT epoch FROM leader FOR SHARE").fetchone()
        if row is None or row[0] != epoch:
            raise DatabaseUnavailable("another process leads")
        self._checked_epoch = True

    def _committed(self) -> None:
        self._commits = self._expected
        self.steps += self._clock.committed()

    def _rolled_back(self, tx: StoreTx) -> None:
        self._clock.rolled_back()
        tx.forget()

    def _run_group(
        self, tx: StoreTx, conn: PostgresConnection, group: list[QueuedWrite[Any]]
    ) -> list[QueuedWrite[Any]]:
        ends_at = time.monotonic() + (GROUP_MS / 1000 if self._timed else math.inf)
        put_off: list[QueuedWrite[Any]] = []
        if self._locks is not None:
            group, put_off = _with_free_locks(self._locks, conn, group)
        for done, job in enumerate(group, start=1):
            if job.future.done():  # cancelled
                continue
            self._clock.begin(tx)
            if not self._run_function(tx, conn, job):
                put_off.append(job)
            if time.monotonic() > ends_at:
                return [*put_off, *group[done:]]
        return put_off

    def _run_function(self, tx: StoreTx, conn: PostgresConnection, job: QueuedWrite[Any]) -> bool:
        """False if it must run again."""
        locks = self._locks
        conn.begin_function()
        job.error = None
        try:
            if locks is not None:
                locks.begin_function()
            if job.leading:
                self._check_epoch(conn)
            job.result = job.function(tx)
            job.changed = tx.end()
            conn.end_function()
            conn.flush()
        except (SimulatedCrash, ConnectionLost):
            raise
        except BaseException as error:  # noqa: BLE001  raised where it is waited for
            tx.forget()
            conn.undo_function()
            self._checked_epoch = False  # going back to the savepoint ends that lock as well
            if locks is not None:
                locks.undo_function()
            if is_conflict(error):
                conn.check_primary()
            if _may_run_again(job, error):
                return False
            job.error = as_future_error(error)
        else:
            if locks is not None:
                locks.end_function(job.about)
        return True


def _with_free_locks(
    locks: PostgresLocks, conn: PostgresConnection, group: list[QueuedWrite[Any]]
) -> tuple[list[QueuedWrite[Any]], list[QueuedWrite[Any]]]:
    """Those of the group whose locks, as far as they are known, it now holds, and the others."""
    wanted = {id(job): job.locks | locks.known(job.about) for job in group}
    every = set().union(*wanted.values())
    locks.begin_transaction()
    waiting = [job for job in group if job.put_off >= PUT_OFF_MAX]
    for job in waiting:
        job.put_off = 0
    _wait(locks, conn, {lock for job in waiting for lock in wanted[id(job)]})
    locks.ask_for(every)
    runs = [job for job in group if locks.holds(wanted[id(job)])]
    if not runs and group:  # nothing else to do meanwhile
        _let_go(locks, conn)
        _wait(locks, conn, wanted[id(group[0])])
        locks.ask_for(every)
        runs = [job for job in group if locks.holds(wanted[id(job)])]
    put_off = [job for job in group if not locks.holds(wanted[id(job)])]
    for job in put_off:
        job.put_off += 1
    return runs, put_off


def _wait(locks: PostgresLocks, conn: PostgresConnection, waited_for: Set[Lock]) -> None:
    """As long as the server lets it; whoever is still not free then is put off once more."""
    try:
        locks.wait_for(waited_for)
    except psycopg.Error as error:
        if not is_conflict(error):
            raise
        conn.check_primary()
        _let_go(locks, conn)


def _let_go(locks: PostgresLocks, conn: PostgresConnection) -> None:
    conn.rollback()
    conn.begin()
    locks.begin_transaction()


def _may_run_again(job: QueuedWrite[Any], error: BaseException) -> bool:
    """Whether another transaction was in its way: it held a lock, or it wrote first what this
    function would have found, had it begun a little later."""
    job.tries += 1
    if isinstance(error, LockNeeded):
        job.locks.add(error.lock)
        job.put_off += 1
        return job.tries < TRIES_MAX
    job.runs_alone = True
    most = TRIES_MAX if is_conflict(error) else 2 if is_repeated(error) else 0
    return job.tries < most
