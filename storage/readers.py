"""Connections that only look, each on a thread of its own, for whoever waits: first come, first
served.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from storage.sql import Connection
from storage.transaction import StoreTx

T = TypeVar("T")

HAND_OVER_S = 0.00005  # lets a reader's thread acquire the interpreter lock


class WorkEnded:
    """Stands in for the future that a connection's thread resolves: ``tell`` is called on the event
    loop when the work has ended, however."""

    __slots__ = ("_loop", "_tell")

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
        self._loop = loop
        self._tell = tell

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def done(self) -> bool:
        return False

    def set_result(self, result: None) -> None:
        self._tell()

    def set_exception(self, error: BaseException) -> None:
        self._tell()


class ReaderConnection(Protocol):
    """A connection on a thread of its own."""

    @property
    def raw(self) -> Connection: ...

    def queue(self, function: Callable[[], None], ended: WorkEnded) -> None:
        """Run ``function`` on the thread, and report to ``ended``."""
        ...

    async def close(self) -> None: ...


class _Read(NamedTuple, Generic[T]):
    function: Callable[[StoreTx], T]
    answer: asyncio.Future[T]


class _Outcome(NamedTuple):
    answer: asyncio.Future[Any]
    result: Any
    error: BaseException | None


class Readers:
    """A thread works through all that wait before it hands over to the event loop for good, and
    results that are ready together are told together: switching threads for each read takes longer
    than most of them.

    ``begin`` opens a snapshot and ``end`` closes it; both run on the thread. A read fails to begin
    only if it does so on every connection: one that is lost may be unable to connect anew while
    those that are left go on.
    """

    def __init__(
        self,
        begin: Callable[[StoreTx], None],
        end: Callable[[StoreTx], None],
        failed: Callable[[BaseException], BaseException],
    ) -> None:
        self._begin = begin
        self._end = end
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        # The next one is the last. In front are those that could not begin their newest read.
        self._idle: list[tuple[ReaderConnection, StoreTx]] = []
        self._failing: set[StoreTx] = set()
        self._waiting: deque[_Read[Any]] = deque()
        self._outcomes: deque[_Outcome] = deque()
        self._is_telling = False
        self._all_idle = asyncio.Event()
        self.open = 0
        self.in_flight = 0

    def add(self, connection: ReaderConnection) -> None:
        self._idle.append((connection, StoreTx(connection.raw)))
        self._all_idle.set()
        self.open += 1

    async def read(self, function: Callable[[StoreTx], T]) -> T:
        answer: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Read(function, answer))
        self.in_flight += 1
        if self._idle:
            self._start()
        return await answer

    async def close(self) -> None:
        """Finish what waits, then close."""
        while self.open:
            await self._all_idle.wait()
            connection, _ = self._idle.pop()
            self.open -= 1
            await connection.close()

    def _start(self) -> None:
        reader = self._idle.pop()
        self._all_idle.clear()
        connection, tx = reader
        connection.queue(lambda: self._work(tx), WorkEnded(self._loop, lambda: self._ended(reader)))
        # Threads do not get the interpreter lock in turn: a loop that releases it only for
        # microseconds would delay a reader by milliseconds.
        time.sleep(HAND_OVER_S)

    def _ended(self, reader: tuple[ReaderConnection, StoreTx]) -> None:
        if reader[1] in self._failing:
            self._idle.insert(0, reader)
        else:
            self._idle.append(reader)
        if self._waiting:  # it came while the thread was ending, or could not begin on it
            # While all idle ones fail, a busy one takes it as soon as it is done.
            if self._idle[-1][1] not in self._failing or len(self._idle) == self.open:
                self._start()
        elif len(self._idle) == self.open:
            self._all_idle.set()

    # On a reader's thread -----------------------------------------------------------------------

    def _work(self, tx: StoreTx) -> None:
        while self._waiting:
            try:
                read = self._waiting.popleft()
            except IndexError:  # another reader was faster
                return
            function, answer = read
            if answer.cancelled():
                self._tell(_Outcome(answer, None, None))
                continue
            try:
                self._begin(tx)
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                self._failing.add(tx)
                is_passed_on = len(self._failing) < self.open
                if is_passed_on:
                    self._waiting.appendleft(read)
                else:
                    self._tell(_Outcome(answer, None, self._failed(error)))
                self._end(tx)
                if is_passed_on:
                    return
                continue
            self._failing.discard(tx)
            try:
                self._tell(_Outcome(answer, function(tx), None))
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                self._tell(_Outcome(answer, None, self._failed(error)))
            self._end(tx)  # after the caller was told

    def _tell(self, outcome: _Outcome) -> None:
        self._outcomes.append(outcome)
        if not self._is_telling:
            self._is_telling = True
            self._loop.call_soon_threadsafe(self._tell_all)

    def _tell_all(self) -> None:
        self._is_telling = False  # first: what comes from now on calls again
        while self._outcomes:
            answer, result, error = self._outcomes.popleft()
            self.in_flight -= 1
            if answer.done():
                continue
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)
