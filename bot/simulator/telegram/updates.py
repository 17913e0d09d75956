"""Updates on their way to the bot: kept until acknowledged, whoever asked for them meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from bot.simulator.telegram import errors
from services.ports import Clock

REMEMBERED_MAX = 10_000  # updates that can be sent once more
# What a bot gets when it never said what it wants.
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True)
class _Waiting:
    update: dict[str, Any]
    owed: bool = False  # repeated on purpose: no offset drops it before it was sent

    @property
    def id(self) -> int:
        return int(self.update["update_id"])


class _Poll:
    """One ``getUpdates`` call that waits."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.superseded = False


class Updates:
    def __init__(self, clock: Clock, first_id: int) -> None:
        self._clock = clock
        self._next_id = first_id
        self._queue: list[_Waiting] = []
        self._sent_before: dict[int, dict[str, Any]] = {}
        self._allowed: frozenset[str] = frozenset()
        self._poll: _Poll | None = None
        self.arrived = asyncio.Event()

    @property
    def unacknowledged(self) -> list[int]:
        return [waiting.id for waiting in self._queue]

    @property
    def first(self) -> dict[str, Any] | None:
        return self._queue[0].update if self._queue else None

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Applies to what comes from now on; ``None`` leaves it as it was, none is the default."""
        if kinds is not None:
            self._allowed = frozenset(kinds)

    def add(self, kind: str, content: dict[str, Any]) -> int:
        """Returns the update's id, which is also used up when the bot does not want the kind."""
        update_id = self._next_id
        self._next_id += 1
        update = {"update_id": update_id, kind: content}
        wanted = kind in self._allowed if self._allowed else kind not in _NOT_BY_DEFAULT
        if wanted:
            self._remember(update)
            self._queue.append(_Waiting(update))
            self._tell()
        return update_id

    def repeat(self, update_id: int) -> None:
        """Send it once more, acknowledged or not. ``KeyError`` when there never was one."""
        self._queue.append(_Waiting(self._sent_before[update_id], owed=True))
        self._tell()

    def shuffle(self, random: Random) -> None:
        """Put what waits into another order; the ids stay as they are."""
        random.shuffle(self._queue)

    def restart_ids(self, first_id: int) -> None:
        self._next_id = first_id

    def drop(self, update_id: int) -> None:
        self._queue = [waiting for waiting in self._queue if waiting.id != update_id]

    def drop_all(self) -> None:
        self._queue.clear()

    async def poll(self, offset: int | None, limit: int, timeout_s: float) -> list[dict[str, Any]]:
        """``getUpdates``: the latest call wins, an older one that still waits is refused."""
        self._acknowledge(offset)
        poll = _Poll()
        self.end_poll()
        self._poll = poll
        try:
            if not self._queue and timeout_s > 0:
                with suppress(TimeoutError):
                    async with self._clock.deadline(timeout_s):
                        await poll.wake.wait()
        finally:
            if self._poll is poll:
                self._poll = None
        if poll.superseded:
            raise errors.other_poller()
        batch = self._queue[:limit]
        for waiting in batch:
            waiting.owed = False
        return [waiting.update for waiting in batch]

    def end_poll(self) -> None:
        """Refuse the call that waits, if one does."""
        if self._poll is not None:
            self._poll.superseded = True
            self._poll.wake.set()

    def _acknowledge(self, offset: int | None) -> None:
        if offset is None or offset == 0:
            return
        if offset < 0:  # "the last so many, forget the rest"
            self._queue = self._queue[offset:]
        else:
            self._queue = [w for w in self._queue if w.id >= offset or w.owed]

    def _remember(self, update: dict[str, Any]) -> None:
        self._sent_before[update["update_id"]] = update
        if len(self._sent_before) > REMEMBERED_MAX:
            del self._sent_before[next(iter(self._sent_before))]

    def _tell(self) -> None:
        self.arrived.set()
        if self._poll is not None:
            self._poll.wake.set()
