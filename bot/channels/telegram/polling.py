"""Long polling that acknowledges an update only after its turn is committed.

PTB's own polling acknowledges first and handles later (facts: channels, Telegram), so this loop
replaces it; PTB's client makes the calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from telegram import Bot
from telegram.error import Conflict, RetryAfter, TelegramError

from bot.channels.telegram.acknowledgements import Acknowledgements
from bot.channels.telegram.errors import seconds
from bot.channels.telegram.wire import (
    ALLOWED_UPDATES,
    GroupMessage,
    HandleUpdate,
    InboundUpdate,
    UnreadableUpdate,
    read_update,
    update_id_of,
)
from bot.outbox.database_retries import AGAIN_S
from services.domain.database import DatabaseUnavailable
from services.ports import Clock

POLL_S = 30  # seconds for which Telegram may hold a call when there are no updates
BATCH_MAX = 100  # updates a call; also the most held, as the offset stays until they are decided
READ_MARGIN_S = 10  # read timeout on top of the poll's own length
PATIENCE_S = 0.5  # seconds for which a slow turn may delay the next call
LAST_CALL_S = 3  # timeout of the last acknowledgement at a clean stop
PAUSE_FIRST_S, PAUSE_MAX_S = 1.0, 30.0
AT_ONCE_S = 0.5  # an empty answer sooner than this was not held by the server

T = TypeVar("T")
log = structlog.get_logger()


class Poller:
    """Receives updates, and handles those of one address in order, of several concurrently.

    ``run`` ends after ``stop``; cancelling it drops everything, like a crash. Either way, updates
    that were not decided are delivered again.
    """

    def __init__(
        self, bot: Bot, handle: HandleUpdate, clock: Clock, *, poll_s: int = POLL_S
    ) -> None:
        self._bot = bot
        self._handle = handle
        self._clock = clock
        self._poll_s = poll_s
        self._acks = Acknowledgements()
        self._queues: dict[str, deque[InboundUpdate]] = {}
        self._tasks = asyncio.TaskGroup()
        self._polling: asyncio.Task[None] | None = None
        self._pausing: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._ended = asyncio.Event()
        self._conflict = False
        self._asked_with: int | None = None  # the offset of the newest call

    async def run(self) -> None:
        if self._stopping:
            return
        try:
            async with self._tasks:
                self._polling = self._tasks.create_task(self._poll())
            await self._acknowledge()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Stop polling; return when the turns in progress have ended and are acknowledged."""
        self._stopping = True
        if self._polling is None:
            return
        for task in (self._polling, *self._pausing):
            task.cancel()
        await self._ended.wait()

    async def _poll(self) -> None:
        # With a webhook set, Telegram refuses every getUpdates.
        await self._until_answered(self._bot.delete_webhook)
        pauses = _pauses()
        while True:
            began = self._clock.monotonic()
            updates = await self._until_answered(self._fetch)
            if updates:
                fresh = [self._take(update) for update in updates]
                await self._wait_for_turns(any(fresh))
            elif self._clock.monotonic() - began < AT_ONCE_S:
                # A server that does not hold an empty poll must not be asked as fast as it answers.
                await self._clock.sleep(next(pauses) if self._poll_s else PAUSE_FIRST_S)
                continue
            pauses = _pauses()

    async def _fetch(self, wait_s: int | None = None) -> list[dict[str, Any]]:
        """Acknowledge decided updates, and fetch waiting ones.

        The offset is sent only if it acknowledges something: after a week without updates,
        Telegram's ids may restart below any offset we remember.
        """
        wait_s = self._poll_s if wait_s is None else wait_s
        offset = self._asked_with = self._acks.offset()
        updates = await self._bot.do_api_request(
            "getUpdates",
            api_kwargs={
                "offset": offset,
                "timeout": wait_s,
                "limit": BATCH_MAX,
                "allowed_updates": ALLOWED_UPDATES,
            },
            read_timeout=wait_s + READ_MARGIN_S,
        )
        if not isinstance(updates, list):
            raise TelegramError("Invalid server response")
        self._conflict = False
        self._acks.forget(offset)
        return updates

    def _take(self, raw: dict[str, Any]) -> bool:
        """Start handling one update; ``False`` if it is in progress or already decided."""
        inbound = read_update(raw)
        if isinstance(inbound, UnreadableUpdate):
            return self._let_pass(inbound)
        if not self._acks.begin(update_id_of(inbound)):
            return False
        key = _queue_key(inbound)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = deque()
            self._tasks.create_task(self._work(key, queue))
        queue.append(inbound)
        return True

    def _let_pass(self, unreadable: UnreadableUpdate) -> bool:
        log.warning(
            "telegram_update_unreadable", update_id=unreadable.update_id, why=unreadable.why
        )
        if unreadable.update_id is None or not self._acks.begin(unreadable.update_id):
            return False
        self._acks.decide(unreadable.update_id)
        return True

    async def _work(self, key: str, queue: deque[InboundUpdate]) -> None:
        try:
            while queue and not self._stopping and await self._decide(queue[0]):
                self._acks.decide(update_id_of(queue.popleft()))
        finally:
            del self._queues[key]
            self._acks.give_back(update_id_of(inbound) for inbound in queue)

    async def _decide(self, inbound: InboundUpdate) -> bool:
        """Retry until the update is decided; ``False`` if stopped before that."""
        pauses, is_away = _pauses(), False
        while not self._stopping:
            try:
                await self._handle(inbound)
            except DatabaseUnavailable as error:
                # People wait for its return, and being refused until then costs little.
                pause = AGAIN_S
                if not is_away:
                    _log_undecided(inbound, error, pause)
                is_away = True
            except Exception as error:  # noqa: BLE001  nothing was committed: retry
                pause, is_away = next(pauses), False
                _log_undecided(inbound, error, pause)
            else:
                return True
            if not self._stopping:
                await self._pause(pause)
        return False

    async def _pause(self, pause_s: float) -> None:
        """A sleep that ``stop`` may cancel together with its queue; turns are never cancelled."""
        task = asyncio.current_task()
        assert task is not None
        self._pausing.add(task)
        try:
            await self._clock.sleep(pause_s)
        finally:
            self._pausing.discard(task)

    async def _wait_for_turns(self, any_fresh: bool) -> None:
        """Let turns end before the next call, which would only deliver their updates again."""
        if not any_fresh and self._acks.all_decided.is_set():
            await self._clock.sleep(PATIENCE_S)  # nothing here can be acknowledged: do not spin
            return
        with suppress(TimeoutError):
            async with self._clock.deadline(PATIENCE_S):
                await self._acks.all_decided.wait()

    async def _until_answered(self, call: Callable[[], Awaitable[T]]) -> T:
        pauses = _pauses()
        while True:
            try:
                return await call()
            except TelegramError as error:
                await self._clock.sleep(self._report(error, next(pauses)))

    def _report(self, error: TelegramError, pause: float) -> float:
        """Log the failure, but a conflict only when it begins. Returns the seconds to wait."""
        if isinstance(error, RetryAfter):
            pause = seconds(error.retry_after)
        if not isinstance(error, Conflict):
            log.warning("telegram_no_answer", error=type(error).__name__, again_in_s=pause)
        elif not self._conflict:
            self._conflict = True
            log.error(
                "telegram_conflict",
                hint="another process polls with this token, or a webhook is set; one must go",
            )
        return pause

    async def _acknowledge(self) -> None:
        """Acknowledge at shutdown. If it fails, the updates come again and are deduplicated by id.

        Skipped if the last call already sent this offset: Telegram delays a call that repeats an
        offset within three seconds (facts: channels, Telegram).
        """
        if self._acks.offset() not in (None, self._asked_with):
            with suppress(TelegramError, TimeoutError):
                async with self._clock.deadline(LAST_CALL_S):
                    await self._fetch(wait_s=0)


def _log_undecided(inbound: InboundUpdate, error: Exception, again_in_s: float) -> None:
    log.error(
        "telegram_update_not_decided",
        update_id=update_id_of(inbound),
        error=type(error).__name__,
        again_in_s=again_in_s,
    )


def _queue_key(inbound: InboundUpdate) -> str:
    if isinstance(inbound, GroupMessage):
        return f"group {inbound.chat_id}"
    return inbound.address


def _pauses() -> Iterator[float]:
    pause = PAUSE_FIRST_S
    while True:
        yield pause
        pause = min(pause * 2, PAUSE_MAX_S)
