"""The queue of messages for one chat, and their order."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from services.domain.outbox import OutboxRow
from services.ports import Clock


class ChatQueue:
    """Messages are sent in commit order, except that answers go before notices.

    While the first message waits for a retry because the channel gave no clear answer, new answers
    go ahead of it: the person is writing, so the chat is reachable again.
    """

    __slots__ = ("_ahead", "_changed", "backing_off", "rows", "sending", "task", "turn", "untried")

    def __init__(self) -> None:
        self.rows: deque[OutboxRow] = deque()
        self.sending: OutboxRow | None = None
        self.untried = 0  # answers without a first attempt
        self.backing_off = False  # the first got no clear answer, and waits for a retry
        self.task: asyncio.Task[None] | None = None
        self.turn: asyncio.Future[None] | None = (
            None  # for the overall rate limit; the first waits for it
        )
        self._ahead = 0
        self._changed: asyncio.Event | None = None

    def add(self, row: OutboxRow) -> None:
        rows = self.rows
        if self.backing_off and self.sending is None and row.kind == "answer":
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
        """Remove the first."""
        self.rows.popleft()
        self._ahead = max(0, self._ahead - 1)
        self.backing_off = self.backing_off and self.is_put_off

    @property
    def is_put_off(self) -> bool:
        return bool(self.rows) and self.rows[self._ahead].put_off

    def put_off(self, row: OutboxRow, *, backing_off: bool) -> None:
        """Keep the first for a retry; nothing is ahead of it any more."""
        self.rows[0] = row
        self._ahead = 0
        self.backing_off = backing_off

    def wake(self) -> None:
        """Interrupt ``rest``: what the first waits for may have changed."""
        if self._changed is not None:
            self._changed.set()

    async def rest(self, clock: Clock, seconds: float) -> None:
        """Wait for ``seconds``, or until ``wake``."""
        self._changed = asyncio.Event()
        try:
            with suppress(TimeoutError):
                async with clock.deadline(seconds):
                    await self._changed.wait()
        finally:
            self._changed = None
