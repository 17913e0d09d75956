"""Holds back new events while a channel has a backlog of answers that nobody has tried to send.

Accepting more events would only make everybody wait longer, and use more memory.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import suppress

from bot.outbox.chat_queue import ChatQueue
from services.domain.outbox import OutboxRow
from services.ports import Clock

UNANSWERED_MAX = 96  # answers of a channel without a first attempt before new events wait
UNANSWERED_EACH = 2  # of them counted per chat: one slow chat must not hold up the others
CAPACITY_WAIT_S = 5.0  # how long an event waits: a channel that is down must not stop the program


class AnswerBacklog:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.untried: defaultdict[str, int] = defaultdict(int)  # answers, by channel
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # events, by channel

    async def room(self, channel: str) -> None:
        """Wait until the channel has room for one more event, ``CAPACITY_WAIT_S`` at most."""
        if self.untried[channel] < UNANSWERED_MAX:
            return
        waiting = self._waiting.setdefault(channel, deque())
        room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(room)
        try:
            async with self._clock.deadline(CAPACITY_WAIT_S):
                await room
        except TimeoutError:
            with suppress(ValueError):
                waiting.remove(room)

    def add(self, queue: ChatQueue, row: OutboxRow) -> None:
        if not _is_untried_answer(row):
            return
        queue.untried += 1
        if queue.untried <= UNANSWERED_EACH:
            self.untried[row.channel] += 1

    def tried(self, queue: ChatQueue, row: OutboxRow) -> None:
        """The first attempt of an answer makes room for one more event."""
        if not _is_untried_answer(row):
            return
        queue.untried -= 1
        if queue.untried >= UNANSWERED_EACH:
            return
        self.untried[row.channel] -= 1
        waiting = self._waiting.get(row.channel)
        while waiting:
            room = waiting.popleft()
            if not room.done():
                room.set_result(None)
                return

    def stop(self) -> None:
        """Let every waiting event in."""
        for room in self._all_waiting():
            room.set_result(None)

    def abort(self) -> None:
        for room in self._all_waiting():
            room.cancel()

    def _all_waiting(self) -> list[asyncio.Future[None]]:
        return [room for rooms in self._waiting.values() for room in rooms if not room.done()]


def _is_untried_answer(row: OutboxRow) -> bool:
    return row.kind == "answer" and not row.put_off
