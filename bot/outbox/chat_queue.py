"""What one chat is still to be sent, and in which order."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from services.ports import Clock
from storage.stores.outbox import OutboxRow


class ChatQueue:
    """Messages go in the order in which they were committed; notices let answers pass.

    While the first is put off without a clear answer, the answer to somebody who writes goes ahead
    of it: the chat is there again.
    """

    __slots__ = ("_ahead", "_changed", "resting", "rows", "sending", "task", "turn", "untried")

    def __init__(self) -> None:
        self.rows: deque[OutboxRow] = deque()
        self.sending: OutboxRow | None = None
        self.untried = 0  # answers that were never tried
        self.resting = False  # the first had no clear answer, and is tried again later
        self.task: asyncio.Task[None] | None = None
        self.turn: asyncio.Future[None] | None = None  # that the first waits for
        self._ahead = 0
        self._changed: asyncio.Event | None = None

    def add(self, row: OutboxRow) -> None:
        rows = self.rows
        if self.resting and self.sending is None and row.kind == "answer":
            rows.insert(self._ahead, row)
            self._ahead += 1
            self.wake()
            return
        place = len(rows)
        first = self._ahead + (self.sending is not None or (place > 0 and rows[0].put_off))
        while place > first and rows[place - 1].rank > row.rank:
            place -= 1
        rows.insert(place, row)

    def pop(self) -> None:
        """The first has left."""
        self.rows.popleft()
        self._ahead = max(0, self._ahead - 1)
        self.resting = self.resting and self.is_put_off

    @property
    def is_put_off(self) -> bool:
        return bool(self.rows) and self.rows[self._ahead].put_off

    def put_off(self, row: OutboxRow, *, resting: bool) -> None:
        """The first is to be tried again; nobody is ahead of it any more."""
        self.rows[0] = row
        self._ahead = 0
        self.resting = resting

    def wake(self) -> None:
        """What the first waits for may have changed."""
        if self._changed is not None:
            self._changed.set()

    async def rest(self, clock: Clock, seconds: float) -> None:
        """For so long, or until ``wake``."""
        self._changed = asyncio.Event()
        try:
            with suppress(TimeoutError):
                async with clock.deadline(seconds):
                    await self._changed.wait()
        finally:
            self._changed = None
