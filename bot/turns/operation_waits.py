"""Callers that wait for an operation to change: each commit wakes only those of its operations."""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog

from services import followed
from services.domain.public_batch import Followed
from services.ports.database import Database

REMEMBERED = 10_000  # operations changed last

_log = structlog.get_logger(__name__)


class OperationWaits:
    """However many wait for an operation, it is read once after a change; nothing is read while
    nothing changes. At most ``most`` calls of one partner wait at once, and ``most_in_all`` of all
    together: each holds a connection, and the bank and others need theirs.
    """

    def __init__(self, database: Database, most: int, most_in_all: int | None = None) -> None:
        self._database = database
        self._most = most
        self._most_in_all = most_in_all
        self._of_partner: Counter[str] = Counter()
        self._waiting: dict[str, dict[asyncio.Future[Followed | None], None]] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._changed: set[str] = set()
        self._closed = False
        self._commits = 0  # that changed an operation
        self._recent: dict[str, int] = {}  # the commit that changed it last; the oldest first
        self._forgotten = 0  # the newest commit that is no longer in ``_recent``

    @property
    def mark(self) -> int:
        """To be taken before the operation is read: what changes afterwards is not missed."""
        return self._commits

    @property
    def waiting(self) -> int:
        return sum(len(futures) for futures in self._waiting.values())

    def changed(self, references: frozenset[str]) -> None:
        """Call after a commit, with the operations that it changed."""
        self._commits += 1
        for reference in sorted(references):
            self._recent.pop(reference, None)
            self._recent[reference] = self._commits
            if reference in self._waiting:
                self._read(reference)
        while len(self._recent) > REMEMBERED:
            self._forgotten = self._recent.pop(next(iter(self._recent)))

    def _read(self, reference: str) -> None:
        self._changed.add(reference)
        if reference not in self._reading:
            self._reading[reference] = asyncio.create_task(self._tell(reference))

    async def until_changed(
        self, partner: str, reference: str, version: int, seconds: float, mark: int
    ) -> Followed | None:
        """The operation once its version is above ``version`` or it is final; ``None`` if that did
        not happen within so many real seconds, too many wait already, or the program stops. It was
        read after ``mark``.

        Raises ``services.domain.database.DatabaseFailed`` if it changed and cannot be read.
        """
        if self._closed or self._is_full(partner):
            return None
        self._of_partner[partner] += 1
        try:
            return await self._until(reference, version, seconds, mark)
        finally:
            self._of_partner[partner] -= 1
            if not self._of_partner[partner]:
                del self._of_partner[partner]

    def _is_full(self, partner: str) -> bool:
        if self._of_partner[partner] >= self._most:
            return True
        return self._most_in_all is not None and self._of_partner.total() >= self._most_in_all

    async def _until(
        self, reference: str, version: int, seconds: float, mark: int
    ) -> Followed | None:
        missed = max(self._recent.get(reference, 0), self._forgotten) > mark
        try:
            async with asyncio.timeout(seconds):
                while True:
                    seen = await self._next(reference, reading=missed)
                    missed = False
                    if seen is None or seen.version > version or seen.final:
                        return seen
        except TimeoutError:
            return None

    async def _next(self, reference: str, *, reading: bool) -> Followed | None:
        future: asyncio.Future[Followed | None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(reference, {})  # in order
        waiting[future] = None
        if reading:
            self._read(reference)
        try:
            return await future
        finally:
            del waiting[future]
            if not waiting and self._waiting.get(reference) is waiting:
                del self._waiting[reference]

    async def _tell(self, reference: str) -> None:
        try:
            while reference in self._changed:
                self._changed.discard(reference)
                try:
                    seen = await self._database.read(lambda tx: followed.find(tx, reference))
                except Exception as error:  # noqa: BLE001 - raised where it is waited for
                    _log.warning("an operation could not be read", reference=reference)
                    for future in self._unheard(reference):
                        future.set_exception(error)
                    return
                for future in self._unheard(reference):
                    future.set_result(seen)
        finally:
            del self._reading[reference]

    def _unheard(self, reference: str) -> list[asyncio.Future[Followed | None]]:
        """Those that are still to hear of it."""
        return [future for future in self._waiting.get(reference, ()) if not future.done()]

    def close(self) -> None:
        """The program stops: nobody waits any longer. Call before the open requests are counted,
        which would be waited for."""
        self._closed = True
        for reference in self._waiting:
            for future in self._unheard(reference):
                future.set_result(None)
