"""One transaction for many functions, run on the writer's thread."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from storage.after_restore import recover_after_restore
from storage.sqlite.database_file import DatabaseFile
from storage.stores.clock import ClockFollower, ClockStep
from storage.transaction import SqliteTx

T = TypeVar("T")

BATCH_MS = 20  # after which a batch commits what it has
FILE_CHECK_EVERY_S = 0.25  # at the file's name, while there is something to write


class SimulatedCrash(BaseException):
    """Raised by a probe: the writer stops where it stands, as if the process had been killed."""


class QueuedWrite(Generic[T]):
    __slots__ = ("error", "function", "future", "priority", "result")

    def __init__(
        self, function: Callable[[SqliteTx], T], future: asyncio.Future[T], priority: int
    ) -> None:
        self.function = function
        self.future = future
        self.priority = priority
        self.result: T
        self.error: Exception | None = None

    def tell(self) -> None:
        """Its caller hears what came of it, unless it has gone away."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class BatchRunner:
    """Belongs to the writer's thread, but for ``steps``: what the clock did, told to nobody yet."""

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

    def run(self, tx: SqliteTx, batch: list[QueuedWrite[Any]]) -> int:
        """On the writer's thread: one transaction, and a savepoint each where they are several.

        Returns how many were run.
        """
        if self._file is not None and time.monotonic() - self._looked_at >= FILE_CHECK_EVERY_S:
            self._file.verify()
            self._looked_at = time.monotonic()
        conn = tx.conn
        control = conn.cursor()  # one for all that begins and ends
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
        self, control: sqlite3.Cursor, tx: SqliteTx, batch: list[QueuedWrite[Any]]
    ) -> int:
        ends_at = time.monotonic() + (BATCH_MS / 1000 if self._timed else math.inf)
        alone = len(batch) == 1  # then the transaction itself is its savepoint
        for done, job in enumerate(batch, start=1):
            if job.future.done():  # its caller has gone away
                continue
            if self._clock.begin(tx):
                alone = False  # what it wrote is not taken back with the function's own work
            if not alone:
                control.execute("SAVEPOINT one")
            try:
                job.result = job.function(tx)
            except SimulatedCrash:
                raise
            except BaseException as error:
                job.error = as_future_error(error)
                self._check_for_damage(error)
                tx.forget()
                # SQLite ends the transaction itself when the disk is full or fails: then the
                # work of the others in the batch is gone too, and all must hear of it.
                if not tx.conn.in_transaction:
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

    def recover_if_restored(self, tx: SqliteTx) -> None:
        """What may have been done after a backup is unknown before anybody works with it."""
        if tx.restores.backup_made_at() is None:
            return
        tx.conn.execute("BEGIN IMMEDIATE")
        try:
            self._clock.begin(tx)
            recover_after_restore(tx)
            tx.conn.execute("COMMIT")
        except BaseException:
            self._clock.rolled_back()
            tx.forget()
            if tx.conn.in_transaction:
                tx.conn.execute("ROLLBACK")
            raise
        self.steps += self._clock.committed()


def as_future_error(error: BaseException) -> Exception:
    """What a future can carry: it takes no ``StopIteration``, and a function cannot cancel."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError(f"a database function raised {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
