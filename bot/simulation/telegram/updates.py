"""Updates on their way to the bot, kept until acknowledged or expired.

Facts: channels, Telegram (what the Bot API server does). Times follow the simulation's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from bot.simulation.telegram.errors import ApiError, ApiRefusal
from services.ports import Clock

REMEMBERED_MAX = 10_000  # updates that can be repeated
KEPT_S = 24 * 3600.0
TAP_KEPT_S = 150.0
AHEAD_MAX = 10  # an offset further beyond the next id is ignored
SLOWED_S = 3.0  # a call with the same offset within these seconds is delayed by as long
HURRIED_S = 0.5  # and a call within these seconds returns one update

_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
DEFAULT_KINDS = frozenset(
    [
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
    ]
)
_KINDS = DEFAULT_KINDS | _NOT_BY_DEFAULT


@dataclass(slots=True, eq=False)
class QueuedUpdate:
    """Updates in one ``queue`` keep their order: a chat's messages, a person's taps."""

    update: dict[str, Any]
    queue: str
    expires_at: float  # on the monotonic clock
    owed: bool = False  # repeated on purpose: no offset drops it before it is sent

    @property
    def id(self) -> int:
        return int(self.update["update_id"])


class _Poll:
    """A waiting ``getUpdates`` call."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.ended_by: ApiRefusal | None = None


class Updates:
    def __init__(self, clock: Clock, first_id: int) -> None:
        self._clock = clock
        self._next_id = first_id
        self._queue: list[QueuedUpdate] = []
        self._sent_before: dict[int, tuple[str, dict[str, Any]]] = {}
        self._poll: _Poll | None = None
        self._last_poll: tuple[int, float] | None = None  # (offset, time)
        self.allowed = DEFAULT_KINDS
        self.arrived = asyncio.Event()

    @property
    def waiting(self) -> list[QueuedUpdate]:
        """In sending order, without expired ones."""
        now = self._clock.monotonic()
        if any(waiting.expires_at < now for waiting in self._queue):
            self._queue = [w for w in self._queue if w.expires_at >= now]
        return self._queue

    @property
    def unacknowledged(self) -> list[int]:
        return [waiting.id for waiting in self.waiting]

    def allow(self, kinds: object) -> None:
        """Applies to updates from now on.

        Anything but a list of names changes nothing. Unknown names are skipped; if none is left,
        the default applies.
        """
        if isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds):
            self.allowed = _KINDS & {kind.lower() for kind in kinds} or DEFAULT_KINDS

    def add(self, kind: str, content: dict[str, Any]) -> int:
        """Returns the update's id, which is used up even if the bot does not want this kind."""
        update_id = self._next_id
        self._next_id += 1
        if kind in self.allowed:
            update = {"update_id": update_id, kind: content}
            self._sent_before[update_id] = (kind, update)
            if len(self._sent_before) > REMEMBERED_MAX:
                del self._sent_before[next(iter(self._sent_before))]
            self._append(kind, update)
        return update_id

    def repeat(self, update_id: int) -> None:
        """Send it again, acknowledged or not. Raises ``KeyError`` for an unknown id."""
        kind, update = self._sent_before[update_id]
        self._append(kind, update, owed=True)

    def shuffle(self, random: Random) -> None:
        """Reorder waiting updates; their ids do not change."""
        random.shuffle(self._queue)

    def restart_ids(self, first_id: int) -> None:
        self._next_id = first_id

    def next_in(self, queue: str) -> QueuedUpdate | None:
        return next((waiting for waiting in self.waiting if waiting.queue == queue), None)

    def drop(self, done: QueuedUpdate) -> None:
        self._queue = [waiting for waiting in self._queue if waiting is not done]

    def drop_all(self) -> None:
        self._queue.clear()

    async def poll(self, offset: int, limit: int, timeout_s: float) -> list[dict[str, Any]]:
        """``getUpdates``: a new call replaces a waiting one, which is refused."""
        now = self._clock.monotonic()
        if self._last_poll is not None and self._last_poll[0] == offset:
            passed = now - self._last_poll[1]
            timeout_s = max(timeout_s, SLOWED_S) if passed < SLOWED_S else timeout_s
            limit = 1 if passed < HURRIED_S else limit
        self._last_poll = (offset, now)
        batch = self._take(offset, limit)
        if not batch and timeout_s > 0:
            await self._wait(timeout_s)
            batch = self._take(offset, limit)
        return batch

    def end_poll(self, why: ApiRefusal) -> None:
        """Refuse the waiting call, if any."""
        if self._poll is not None:
            self._poll.ended_by = why
            self._poll.wake.set()

    async def _wait(self, timeout_s: float) -> None:
        self.end_poll(ApiRefusal.OTHER_POLL)
        self._poll = poll = _Poll()
        try:
            with suppress(TimeoutError):
                async with self._clock.deadline(timeout_s):
                    await poll.wake.wait()
        finally:
            if self._poll is poll:
                self._poll = None
        if poll.ended_by is not None:
            raise ApiError(poll.ended_by)

    def _take(self, offset: int, limit: int) -> list[dict[str, Any]]:
        self._acknowledge(offset)
        batch = self.waiting[:limit]
        for waiting in batch:
            waiting.owed = False
        return [waiting.update for waiting in batch]

    def _acknowledge(self, offset: int) -> None:
        if offset < 0:  # "the last so many, forget the rest"
            ids: Sequence[int] = sorted(self.unacknowledged)
            offset = ids[offset] if len(ids) >= -offset else 0
        if 0 < offset <= self._next_id + AHEAD_MAX:
            self._queue = [w for w in self._queue if w.id >= offset or w.owed]

    def _append(self, kind: str, update: dict[str, Any], *, owed: bool = False) -> None:
        kept_s = TAP_KEPT_S if kind == "callback_query" else KEPT_S
        expires_at = self._clock.monotonic() + kept_s
        self._queue.append(QueuedUpdate(update, _queue_of(kind, update), expires_at, owed))
        self.arrived.set()
        if self._poll is not None:
            self._poll.wake.set()


def _queue_of(kind: str, update: dict[str, Any]) -> str:
    """Messages are ordered by chat, taps by person; any other update stands alone."""
    match update[kind]:
        case {"from": {"id": user}} if kind == "callback_query":
            return f"taps of {user}"
        case {"chat": {"id": chat}}:
            return f"{'membership' if kind == 'my_chat_member' else 'messages'} in {chat}"
        case _:
            return f"update {update['update_id']}"
