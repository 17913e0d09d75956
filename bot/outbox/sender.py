"""Sends the outbox: each chat in order, within rate limits, retrying uncertain deliveries.

The database is the source of truth and holds the whole backlog. Memory holds only what can be sent
soon; the rest is read in pages, answers first, when there is room again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.outbox.answer_backlog import AnswerBacklog
from bot.outbox.attempt import (
    Finished,
    OnCodeLost,
    OnDelivered,
    Rescheduled,
    SendAttempts,
    SendResult,
)
from bot.outbox.channel import Channel
from bot.outbox.chat_queue import ChatQueue
from bot.outbox.database_retries import AGAIN_S
from bot.outbox.pacing import ROUNDING_S, MessageRates, OverallRateLimiter, RateLimiter
from services.domain.database import DatabaseUnavailable, Priority
from services.domain.outbox import BEFORE_ALL, OutboxRow, Rank
from services.ports import Clock, Keys, Tx
from services.ports.database import Database

PAGE = 500  # rows per read
# Rows in memory at most, by rank: broadcasts leave room for notices, and both for answers.
IN_MEMORY_MAX: Mapping[int, int] = {Rank.ANSWER: 10_000, Rank.NOTICE: 2_000, Rank.BULK: 500}
SMS_FALLBACK_AFTER_S = 300.0  # then important messages also go by SMS
DOWN_AFTER = 5  # consecutive sends without a clear answer: the channel counts as down
SCAN_EVERY = timedelta(minutes=30)  # picks up rows that were committed but never pushed
AT_ONCE_S = 1.0  # a message sent this soon after its commit cannot have been cancelled
STOP_S = 5.0  # real seconds for sends in flight at shutdown
LIMITERS_MAX = 10_000  # chats whose rate is remembered


# Channel, address, and whether it carries a code: codes do not wait behind postponed messages.
Chat = tuple[str, str, bool]


class OutboxSender:
    """See ``bot.outbox.attempt.SendAttempts`` for ``code_lost`` and ``delivered``."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        channels: Mapping[str, Channel],
        pace: MessageRates,
        keys: Keys,
        code_lost: OnCodeLost,
        delivered: OnDelivered | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._pace = pace
        self._attempts = SendAttempts(database, clock, channels, keys, code_lost, delivered)
        self._queues: dict[Chat, ChatQueue] = {}
        self._in_memory: dict[int, float] = {}  # by row id: monotonic time it was or will be due
        self._limiters: dict[Chat, RateLimiter] = {}
        self._overall = (
            OverallRateLimiter(clock, pace.overall, pace.burst_overall) if pace.overall else None
        )
        # Rows of this rank, and less urgent ones, wait in the database.
        self._overflow_rank: int | None = None
        self._filling: asyncio.Task[None] | None = None
        self._fills_again = False
        self._backlog = AnswerBacklog(clock)
        self._sms_due: dict[int, float] = {}  # row id to the time of its SMS, soonest first
        self._sms_task: asyncio.Task[None] | None = None
        self._unclear: defaultdict[str, int] = defaultdict(int)  # consecutive, by channel
        self._stopping = False

    # In memory -----------------------------------------------------------------------------------

    def push(self, rows: Sequence[OutboxRow]) -> None:
        """Send rows that were just committed; repeated rows are ignored."""
        if self._stopping or not rows or not self._database.leads:
            return  # they stay queued until the next start, or for the process that leads
        if self._database.others:  # which may have queued something before these, in the same chats
            self._fill_soon()
            return
        self._take_all(rows)

    def _take_all(self, rows: Sequence[OutboxRow]) -> None:
        now, passed = self._clock.now(), self._clock.monotonic()
        for row in rows:
            if row.id in self._in_memory:
                continue
            is_behind = self._overflow_rank is not None and row.rank >= self._overflow_rank
            if is_behind or len(self._in_memory) >= IN_MEMORY_MAX[row.rank]:
                self._overflow_rank = (
                    row.rank if self._overflow_rank is None else min(self._overflow_rank, row.rank)
                )
            else:
                self._take(row, passed + (row.due_at - now).total_seconds())

    async def scan(self) -> datetime | None:
        """Pick up queued rows that are not in memory, as after a start."""
        await self._fill()
        return self._clock.now() + SCAN_EVERY

    def forget(self) -> None:
        """Another process may have sent since: what is known of messages is read again."""
        self._attempts.sent.forget()

    async def room(self, channel: str) -> None:
        """Wait while the channel has a backlog of answers."""
        if not self._stopping:
            await self._backlog.room(channel)

    async def stop(self) -> None:
        """Let sends in flight finish and be recorded; the rest stays queued."""
        self._stopping = True
        self._backlog.stop()
        sending = set()
        for queue in self._queues.values():
            assert queue.task is not None
            if queue.sending is None:
                queue.task.cancel()
            else:
                sending.add(queue.task)
        if sending:
            await asyncio.wait(sending, timeout=STOP_S)
        self.abort()

    def abort(self) -> None:
        """Stop without waiting, as a kill would."""
        self._stopping = True
        tasks = [queue.task for queue in self._queues.values()]
        for task in (*tasks, self._filling, self._sms_task):
            if task is not None:
                task.cancel()
        if self._overall is not None:
            self._overall.abort()
        self._backlog.abort()
        self._attempts.sent.abort()

    def _take(self, row: OutboxRow, due: float) -> None:
        self._in_memory[row.id] = due
        if row.fallback is not None:
            self._schedule_sms(row)
        chat = row.channel, row.address, self._attempts.is_code_by_carrier(row)
        queue = self._queues.get(chat)
        if queue is None:
            queue = self._queues[chat] = ChatQueue()
            queue.task = asyncio.create_task(self._serve(chat, queue))
        queue.add(row)
        self._backlog.add(queue, row)
        if queue.turn is not None and self._overall is not None and queue.rows[0] is row:
            self._overall.raise_priority(queue.turn, row.rank)

    def _release(self, queue: ChatQueue, row: OutboxRow) -> None:
        del self._in_memory[row.id]
        self._sms_due.pop(row.id, None)
        self._backlog.tried(queue, row)
        if self._overflow_rank is not None and self._filling is None and not self._stopping:
            most = IN_MEMORY_MAX[self._overflow_rank]
            if len(self._in_memory) <= most // 2:
                self._fill_soon()

    def _fill_soon(self) -> None:
        """Read what is queued, once more if it is being read now."""
        self._fills_again = True
        if self._filling is None:
            self._filling = asyncio.create_task(self._keep_filling())

    async def _keep_filling(self) -> None:
        """In the background, and again and again while the database is away."""
        try:
            while self._fills_again and not self._stopping:
                self._fills_again = False
                try:
                    await self._fill()
                except DatabaseUnavailable:
                    self._fills_again = True
                    await self._clock.sleep(AGAIN_S)
        finally:
            self._filling = None

    async def _fill(self) -> None:
        """Read the backlog, most urgent first, until it is empty or memory is full."""
        self._overflow_rank, after = None, BEFORE_ALL
        while not self._stopping and self._database.leads:
            # On the writer, which also records what was sent: a reader's older snapshot could
            # return a row that was sent in the meantime.
            rows = await self._database.write(partial(_queued, after), Priority.JOBS)
            self._take_all(rows)
            if len(rows) < PAGE or self._overflow_rank is not None:
                return
            after = rows[-1].rank, rows[-1].id

    # One chat ------------------------------------------------------------------------------------

    async def _serve(self, chat: Chat, queue: ChatQueue) -> None:
        try:
            while queue.rows and not self._stopping:
                await self._wait(chat, queue)
                if not self._database.leads:
                    return  # whoever leads sends what is left
                row = queue.sending = queue.rows[0]
                waited = self._clock.monotonic() - self._in_memory[row.id]
                is_fresh = not row.put_off and waited <= AT_ONCE_S
                outcome = await self._attempts.send(row, is_fresh=is_fresh)
                queue.sending = None
                self._apply(queue, row, outcome)
        finally:
            queue.sending = None
            self._queues.pop(chat, None)
            for row in queue.rows:
                self._release(queue, row)

    async def _wait(self, chat: Chat, queue: ChatQueue) -> None:
        """Wait until the first row may be sent; it may be a different row by then."""
        while queue.rows[0].put_off:
            # Only postponed rows wait: setting the clock back must not stop all sending.
            wait = self._in_memory[queue.rows[0].id] - self._clock.monotonic()
            if wait <= ROUNDING_S:
                break
            await queue.rest(self._clock, wait)
        if self._pace.per_chat is not None:
            now = self._clock.monotonic()
            if chat not in self._limiters:
                self._forget_idle()
                self._limiters[chat] = RateLimiter(self._pace.per_chat, self._pace.burst, now)
            wait = self._limiters[chat].wait(now)
            if wait > 0:
                await self._clock.sleep(wait)
        if self._overall is not None:
            queue.turn = self._overall.turn(queue.rows[0].rank)
            if queue.turn is not None:
                await queue.turn
                queue.turn = None

    def _apply(self, queue: ChatQueue, row: OutboxRow, outcome: SendResult) -> None:
        """Apply the result of sending the queue's first row."""
        match outcome:
            case Finished(accepted, rows):
                queue.pop()
                self._release(queue, row)
                if accepted:
                    self._channel_answered(row.channel, queue)
                self.push(rows)
            case Rescheduled(again, seconds, unclear):
                self._backlog.tried(queue, row)
                self._in_memory[row.id] = self._clock.monotonic() + seconds
                queue.put_off(again, backing_off=unclear)
                if unclear:
                    self._unclear[row.channel] += 1

    def _channel_answered(self, channel: str, queue: ChatQueue) -> None:
        """The channel works: retry at once what was postponed without a clear answer, in this chat,
        or after an outage in all chats of the channel."""
        queues = [queue]
        if self._unclear[channel] >= DOWN_AFTER:
            queues = [other for chat, other in self._queues.items() if chat[0] == channel]
        self._unclear[channel] = 0
        for other in queues:
            if other.backing_off and other.rows and other.sending is None:
                for row in other.rows:
                    if row.put_off:
                        self._in_memory[row.id] = self._clock.monotonic()
                other.wake()
            other.backing_off = False

    def _forget_idle(self) -> None:
        if len(self._limiters) > LIMITERS_MAX:
            self._limiters = {
                chat: limiter for chat, limiter in self._limiters.items() if chat in self._queues
            }

    # SMS fallback --------------------------------------------------------------------------------

    def _schedule_sms(self, row: OutboxRow) -> None:
        self._sms_due[row.id] = self._clock.monotonic() + SMS_FALLBACK_AFTER_S
        if self._sms_task is None:
            self._sms_task = asyncio.create_task(self._send_sms_when_due())

    async def _send_sms_when_due(self) -> None:
        """Send an SMS for each important message the chat has not accepted in time."""
        try:
            while self._sms_due and not self._stopping:
                row_id, at = next(iter(self._sms_due.items()))
                wait = at - self._clock.monotonic()
                if wait > ROUNDING_S:
                    await self._clock.sleep(wait)
                    continue
                del self._sms_due[row_id]
                self.push(await self._attempts.fall_back_to_sms(row_id))
        finally:
            self._sms_task = None


def _queued(after: tuple[int, int], tx: Tx) -> list[OutboxRow]:
    return tx.outbox.queued(after, PAGE)
