"""Runs many functions in one transaction, on the writer's thread."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from services.domain.clock_step import ClockStep
from services.domain.database import DatabaseFailed, DatabaseRefused, SimulatedCrash
from storage.after_restore import recover_after_restore
from storage.queued_write import QueuedWrite
from storage.sqlite.database_file import DatabaseFile
from storage.stores.clock import ClockFollower
from storage.transaction import StoreTx

BATCH_MS = 20  # after which a batch commits what has run so far
FILE_CHECK_EVERY_S = 0.25  # how often the file's name is checked while there are writes


class BatchRunner:
    """Used on the writer's thread, except ``steps``: clock steps that were committed but not yet
    reported."""

    def __init__(
        self,
        clock: ClockFollower,
        file: DatabaseFile | None,
        probe: Callable[[str], None],
        check_for_damage: Callable[[BaseException], None],
        *,
        timed: bool,
    ) -> None:
        self.steps: list[ClockStep] = []
        self._clock = clock
        self._file = file
        self._probe = probe
        self._check_for_damage = check_for_damage
        self._timed = timed
        self._looked_at = -math.inf

    def run(self, tx: StoreTx, conn: sqlite3.Connection, batch: list[QueuedWrite[Any]]) -> int:
        """Run the batch in one transaction of ``conn``, which is the connection of ``tx``, with a
        savepoint per function if there are several.

        Returns how many functions were run.
        """
        if self._file is not None and time.monotonic() - self._looked_at >= FILE_CHECK_EVERY_S:
            self._file.verify()
            self._looked_at = time.monotonic()
        control = conn.cursor()  # reused for all transaction statements
        control.execute("BEGIN IMMEDIATE")
        try:
            done = self._run_functions(control, tx, batch)
            self._probe("commit")
            control.execute("COMMIT")
        except BaseException as error:
            self._clock.rolled_back()
            if not isinstance(error, sqlite3.Error):
                raise
            tx.forget()
            if conn.in_transaction:
                control.execute("ROLLBACK")
            raise
        self.steps += self._clock.committed()
        self._probe("after-commit")
        return done

    def _run_functions(
        self, control: sqlite3.Cursor, tx: StoreTx, batch: list[QueuedWrite[Any]]
    ) -> int:
        ends_at = time.monotonic() + (BATCH_MS / 1000 if self._timed else math.inf)
        alone = len(batch) == 1  # then the transaction itself serves as its savepoint
        for done, job in enumerate(batch, start=1):
            if job.future.done():  # cancelled
                continue
            if self._clock.begin(tx):
                alone = False  # rolling back this function must keep what the clock wrote
            if not alone:
                control.execute("SAVEPOINT one")
            try:
                job.result = job.function(tx)
                job.changed = tx.end()
            except SimulatedCrash:
                raise
            except BaseException as error:
                job.error = as_future_error(error)
                self._check_for_damage(error)
                tx.forget()
                # SQLite itself rolls back the transaction when the disk is full or fails. The other
                # functions' work is lost too, so the whole batch must fail.
                if not control.connection.in_transaction:
                    raise sqlite3.OperationalError("the transaction was lost") from error
                if alone:
                    control.execute("ROLLBACK")
                    control.execute("BEGIN IMMEDIATE")
                else:
                    control.execute("ROLLBACK TO one")
            if not alone:
                control.execute("RELEASE one")
            if time.monotonic() > ends_at:
                return done
        return len(batch)

    def recover_if_restored(self, tx: StoreTx, conn: sqlite3.Connection) -> None:
        """Mark what may have happened since the backup as unknown before anything else runs."""
        if tx.restores.backup_made_at() is None:
            return
        conn.execute("BEGIN IMMEDIATE")
        try:
            self._clock.begin(tx)
            recover_after_restore(tx)
            tx.end()
            conn.execute("COMMIT")
        except BaseException:
            self._clock.rolled_back()
            tx.forget()
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
        self.steps += self._clock.committed()


def as_future_error(error: BaseException) -> Exception:
    """Wrap SQLite's own errors, and what a future cannot carry: ``StopIteration``, and exceptions
    that are not ``Exception``."""
    wrapped: Exception
    if isinstance(error, sqlite3.IntegrityError):
        wrapped = DatabaseRefused(str(error))
    elif isinstance(error, sqlite3.Error):
        wrapped = DatabaseFailed(str(error))
    elif isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    else:
        wrapped = RuntimeError(f"a database function raised {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
