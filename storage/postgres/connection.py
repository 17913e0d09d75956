"""A connection to PostgreSQL that runs the stores' statements (``storage.sql.Connection``).

What only writes is queued, and goes in one round trip with the next statement whose rows are read:
a round trip takes far longer than most statements. So an error may show only at that next
statement. psycopg's cursors take several times longer for each statement than the server does, so
statements go through its wrapper of libpq, prepared once per connection and in libpq's pipeline
mode. A statement is prepared before the pipeline that uses it: one that was prepared inside an
aborted pipeline would be missing afterwards.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection as DriverConnection
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus, abc

from storage.postgres.faults import CommitUnknown, ConnectionLost, error_of
from storage.postgres.statements import DECODERS, as_sent, can_wait, changes, encode, format_of

QUEUE_MAX = 200  # statements sent together at most
# A server that was frozen keeps its connections and says nothing. Both are longer than the server
# itself lets a statement wait for a lock (``storage.postgres.server``), and a commit for its disk.
ANSWER_MAX_S = 75.0
COMMIT_MAX_S = 5.0
LOOK_EVERY_S = 3.0  # of silence: is this still the primary?
UNREPLICATED = "01000"  # of the warning that a commit is here, but on no standby

_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class _Statement(NamedTuple):
    name: bytes
    changes: bool
    can_wait: bool  # until something is read


class _Queued(NamedTuple):
    statement: _Statement
    values: Sequence[bytes | None]
    formats: Sequence[Format]
    rows: PostgresRows


class PostgresRows:
    """What a statement, or one that was run with many sets of values, returned or changed."""

    __slots__ = ("_conn", "_count", "_next", "_rows", "_waiting")

    def __init__(self, conn: PostgresConnection) -> None:
        self._conn = conn
        self._rows: list[tuple[Any, ...]] = []
        self._next = 0
        self._count = 0
        self._waiting = 0  # statements that were not sent yet

    def queued(self) -> None:
        self._waiting += 1

    def done(self, result: abc.PGresult) -> None:
        self._waiting -= 1
        self._count += result.command_tuples or 0
        if result.nfields:
            self._rows += _rows_of(result)

    @property
    def rowcount(self) -> int:
        self._resolve()
        return self._count

    @property
    def lastrowid(self) -> int | None:
        """Read it before anything else is inserted."""
        return int(self._conn.execute("SELECT lastval()").fetchone()[0])

    def fetchone(self) -> Any:
        self._resolve()
        if self._next == len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[Any]:
        self._resolve()
        rows = self._rows[self._next :]
        self._next = len(self._rows)
        return rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def _resolve(self) -> None:
        if self._waiting:
            self._conn.flush()


class PostgresConnection:
    """Used by one thread at a time. ``connector`` opens a connection of the driver, in autocommit
    mode, so that transactions are ours to begin. ``is_primary``: ``None`` when no node says so.
    What is not answered within ``answer_max_s`` is lost, with the connection."""

    def __init__(
        self,
        connector: Callable[[], DriverConnection[Any]],
        is_primary: Callable[[DriverConnection[Any]], bool | None] = lambda driver: True,
        answer_max_s: float = ANSWER_MAX_S,
    ) -> None:
        self._connector = connector
        self._is_primary = is_primary
        self._answer_max_s = answer_max_s
        self._driver: DriverConnection[Any] | None = None
        self._statements: dict[str, _Statement] = {}
        self._queue: list[_Queued] = []
        self._was_unreplicated = False
        self._is_doubted = False
        self.has_changes = False  # since the transaction began

    def connect(self) -> None:
        """Connect anew. Raises ``psycopg.OperationalError``."""
        self._is_doubted = False  # first: a doubt that comes meanwhile stays
        self.close()
        self._driver = self._connector()
        self._driver.add_notice_handler(self._notice)

    @property
    def is_connected(self) -> bool:
        return self._driver is not None and self._driver.pgconn.status == ConnStatus.OK

    def doubt(self) -> None:
        """Another node may be the primary by now. May be called on any thread."""
        self._is_doubted = True

    @property
    def is_doubted(self) -> bool:
        """Whether to ``connect`` before the next transaction."""
        return self._is_doubted

    @property
    def driver(self) -> DriverConnection[Any]:
        """Raises ``ConnectionLost``."""
        if self._driver is None:
            raise ConnectionLost("there is no connection to the database")
        return self._driver

    def check_primary(self) -> None:
        """Call after waiting for long: a leader that was replaced without noticing never answers
        whoever holds what is waited for. Raises ``ConnectionLost``."""
        if self._is_primary(self.driver) is False:
            self.close()
            raise ConnectionLost("another node is the primary now")

    def close(self) -> None:
        """What was not committed is rolled back."""
        self._statements.clear()
        self._queue.clear()
        self._was_unreplicated = False
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    # Statements -----------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> PostgresRows:
        """Raises ``psycopg.Error``, also for statements before it."""
        statement = self._statements.get(sql) or self._prepare(sql)
        rows = PostgresRows(self)
        self._enqueue(statement, parameters, rows)
        if not statement.can_wait:
            self.flush()
        return rows

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> PostgresRows:
        statement = self._statements.get(sql) or self._prepare(sql)
        rows = PostgresRows(self)
        for values in parameters:
            self._enqueue(statement, values, rows)
        return rows

    def flush(self, answer_max_s: float | None = None) -> None:
        """Run what is queued. Raises the error of the first statement that failed, and
        ``ConnectionLost``, also when there is no answer for so long, or for some seconds from what
        is no primary: the connection is then closed, since a statement that was cancelled could be
        taken for one that was done."""
        queue, self._queue = self._queue, []
        if not queue:
            return
        pgconn = self.driver.pgconn
        try:
            pgconn.enter_pipeline_mode()
            for statement, values, formats, _ in queue:
                pgconn.send_query_prepared(statement.name, values, formats)
            pgconn.pipeline_sync()
            failed = _results(self._answers(answer_max_s), queue)
            pgconn.exit_pipeline_mode()
        except psycopg.OperationalError as error:
            self.close()
            raise ConnectionLost(str(error).strip()) from error
        if failed is not None:
            raise failed

    # Transactions ---------------------------------------------------------------------------

    def begin(self) -> None:
        self.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        self.has_changes = False

    def begin_reading(self) -> None:
        """All that is read is as of the first statement."""
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def begin_function(self) -> None:
        """What comes from here on can be undone alone."""
        self.execute("SAVEPOINT one")

    def end_function(self) -> None:
        self.execute("RELEASE one")

    def discard(self) -> None:
        """Forget what is only queued."""
        self._queue.clear()

    def undo_function(self) -> None:
        """Undo what came after ``begin_function``, also what was only queued."""
        self.discard()
        self.execute("ROLLBACK TO one")
        self.flush()

    def commit(self) -> None:
        """Raises ``CommitUnknown`` when nobody can say whether it was, and ``psycopg.Error`` when
        it was not."""
        self.flush()
        try:
            self.execute("COMMIT")  # is only queued, so that the next line limits it
            self.flush(COMMIT_MAX_S)
        except ConnectionLost as error:
            raise CommitUnknown(str(error)) from error
        if self._was_unreplicated:
            self._was_unreplicated = False
            raise CommitUnknown("the commit is on no standby")

    def rollback(self) -> None:
        """End the transaction, whatever state it is in. Raises ``ConnectionLost``."""
        self._queue.clear()
        if self.in_transaction:
            self.execute("ROLLBACK")
            self.flush()

    @property
    def in_transaction(self) -> bool:
        """Whether the server has begun one."""
        return self.is_connected and self.driver.pgconn.transaction_status in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        )

    # ----------------------------------------------------------------------------------------

    def _prepare(self, sql: str) -> _Statement:
        statement = _Statement(b"h%d" % len(self._statements), changes(sql), can_wait(sql))
        pgconn = self.driver.pgconn
        try:
            pgconn.send_prepare(statement.name, as_sent(sql).encode())
            answers = self._answers()
            result = answers.next()
            if result is None:
                raise ConnectionLost("the server closed the connection")
            answers.next()  # nothing: the end
        except psycopg.OperationalError as error:
            self.close()
            raise ConnectionLost(str(error).strip()) from error
        if result.status != ExecStatus.COMMAND_OK:
            raise error_of(result)
        self._statements[sql] = statement
        return statement

    def _answers(self, max_s: float | None = None) -> _Answers:
        driver = self.driver
        return _Answers(
            driver.pgconn,
            self._answer_max_s if max_s is None else max_s,
            lambda: self._is_primary(driver) is True,
        )

    def _enqueue(self, statement: _Statement, values: Sequence[Any], rows: PostgresRows) -> None:
        formats = [format_of(value) for value in values]
        self._queue.append(_Queued(statement, [encode(value) for value in values], formats, rows))
        rows.queued()
        self.has_changes |= statement.changes
        if len(self._queue) >= QUEUE_MAX:
            self.flush()

    def _notice(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.sqlstate == UNREPLICATED:
            self._was_unreplicated = True


class _Answers:
    """What the server sends, read without holding the interpreter: libpq's own call to wait for it
    would stop every thread of the process. A machine that was frozen keeps its connections, so
    whoever hears nothing asks whether it is still the primary: ``is_primary``."""

    def __init__(self, pgconn: abc.PGconn, max_s: float, is_primary: Callable[[], bool]) -> None:
        self._pgconn = pgconn
        self._is_primary = is_primary
        self._ends_at = time.monotonic() + max_s
        self._poll = select.poll()
        self._poll.register(pgconn.socket, select.POLLIN)
        self._send()

    def next(self) -> abc.PGresult | None:
        while self._pgconn.is_busy():
            self._wait()
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _send(self) -> None:
        while self._pgconn.flush():
            self._poll.modify(self._pgconn.socket, select.POLLIN | select.POLLOUT)
            self._wait()
            self._pgconn.consume_input()
            self._poll.modify(self._pgconn.socket, select.POLLIN)

    def _wait(self) -> None:
        while True:
            left_s = self._ends_at - time.monotonic()
            if left_s <= 0:
                raise ConnectionLost("the server does not answer")
            if self._poll.poll(min(left_s, LOOK_EVERY_S) * 1_000):
                return
            if not self._is_primary():
                raise ConnectionLost("the server does not answer, and is no primary")


def _results(answers: _Answers, queue: Sequence[_Queued]) -> psycopg.Error | None:
    """Give each statement its result, and return the first error: those behind it were not run."""
    failed: psycopg.Error | None = None
    for queued in queue:
        result = answers.next()
        if result is None:
            raise ConnectionLost("the server closed the connection")
        if result.status in _DONE:
            queued.rows.done(result)
        elif failed is None:
            failed = error_of(result)
        if isinstance(failed, ConnectionLost):
            raise failed
        answers.next()  # nothing: the end of this statement's results
    end = answers.next()
    if end is None or end.status != ExecStatus.PIPELINE_SYNC:
        raise ConnectionLost("the server closed the connection")
    return failed


def _rows_of(result: abc.PGresult) -> list[tuple[Any, ...]]:
    columns = [(number, DECODERS[result.ftype(number)]) for number in range(result.nfields)]
    value = result.get_value
    return [
        tuple(
            None if (found := value(row, number)) is None else decode(found)
            for number, decode in columns
        )
        for row in range(result.ntuples)
    ]
