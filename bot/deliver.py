"""The outbox's way out: each chat in order, at a pace, again when it did not surely arrive.

The database is the truth. A row leaves the queue only when the channel took it or never will.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from bot.channel import Blocked, Channel, Content, Gone, Invalid, Lost, RetryAfter, Unclear
from bot.messages import MAIL, SMS, rows_of
from bot.persist import persist
from bot.sent import Sent, SentMessages
from services.domain.phone import Phone
from services.ports import Clock, Keys
from storage.database import Database, Priority
from storage.outbox import OutboxRow
from storage.transaction import SqliteTx

_log = structlog.get_logger(__name__)

ATTEMPTS_MAX = 8
RETRIES_S = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 60.0)  # after a send without a clear answer
# A carrier may be down for an hour; but whoever waits for a code must hear within minutes.
CARRIER_RETRIES_S = (5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 3_600.0)
CARRIERS = frozenset({SMS, MAIL})
UNSURE_MAX = 2  # messages with a code that may have arrived; whoever waits may ask for another
AFTER_LOST_S = 15.0  # before the second of them
PAGE = 500  # rows read at once at start-up
SCAN_EVERY = timedelta(minutes=30)  # takes up what was committed and never handed over
AT_ONCE_S = 1.0  # within which nothing can have overtaken a message
STOP_S = 5.0  # real seconds that a send in flight is given at shutdown

_ROUNDING_S = 1e-6  # sums of seconds are not exact

T = TypeVar("T")
# Channel, address, and whether it carries a code: one does not wait behind what is put off.
Chat = tuple[str, str, bool]

Delivered = Callable[[OutboxRow, str, bool], None]  # row, message id, edited in place
CodeLost = Callable[[SqliteTx, str], Sequence[OutboxRow]]  # no message with this code is left


@dataclass(frozen=True, slots=True)
class Pace:
    """Messages a second, with a burst; ``None`` is no limit (facts: channels, Telegram)."""

    per_chat: float | None = 1.0
    overall: float | None = 30.0
    burst: int = 3


class _Tap:
    """Lets ``rate`` a second through, ``burst`` at once; tells how many seconds the next must wait
    by a clock that nobody can set."""

    __slots__ = ("_burst", "_every", "_next")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._every = 1 / rate
        self._burst = self._every * (burst - 1)
        self._next = now

    def wait(self, now: float) -> float:
        start = max(self._next, now)
        self._next = start + self._every
        wait = start - self._burst - now
        return wait if wait > _ROUNDING_S else 0.0


class Deliverer:
    """``delivered`` is told of each message that a channel took, in order; ``code_lost`` is
    asked in the transaction in which a message with a code is given up."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        channels: Mapping[str, Channel],
        pace: Pace,
        keys: Keys,
        code_lost: CodeLost,
        delivered: Delivered | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._channels = channels
        self._pace = pace
        self._keys = keys
        self._code_lost = code_lost
        self._delivered = delivered
        self._sent = SentMessages(database, clock)
        self._chats: dict[Chat, deque[OutboxRow]] = {}
        self._tasks: dict[Chat, asyncio.Task[None]] = {}
        self._sending: set[Chat] = set()  # chats with a message on its way
        self._due: dict[int, float] = {}  # rows in hand: since when, by the clock nobody can set
        self._put_off: set[int] = set()
        self._taps: dict[Chat, _Tap] = {}
        self._overall = _Tap(pace.overall, 30, clock.monotonic()) if pace.overall else None
        self._stopping = False

    def push(self, rows: Sequence[OutboxRow]) -> None:
        """Send rows that were just committed; repeated rows are ignored."""
        if self._stopping:
            return  # they stay queued, and go out at the next start
        now, passed = self._clock.now(), self._clock.monotonic()
        for row in rows:
            if row.id in self._due:
                continue
            self._due[row.id] = passed + (row.due_at - now).total_seconds()
            if row.attempts:
                self._put_off.add(row.id)
            chat = _chat(row)
            self._chats.setdefault(chat, deque()).append(row)
            if chat not in self._tasks:
                self._tasks[chat] = asyncio.create_task(self._serve(chat))

    async def scan(self) -> datetime | None:
        """Pick up what is queued and held by nobody, as after a start."""
        after = 0
        while True:
            # Through the writer, which also notes what was sent: its answers come in order, so a
            # row that was sent meanwhile cannot come back from an older snapshot.
            rows = await self._database.write(partial(_queued, after), Priority.JOBS)
            self.push(rows)
            if len(rows) < PAGE:
                return self._clock.now() + SCAN_EVERY
            after = rows[-1].id

    async def stop(self) -> None:
        """Let sends in flight end and be noted; the rest stays queued."""
        self._stopping = True
        sending = {self._tasks[chat] for chat in self._sending}
        for task in set(self._tasks.values()) - sending:
            task.cancel()
        if sending:
            await asyncio.wait(sending, timeout=STOP_S)
        self.drop()

    def drop(self) -> None:
        """Stop without waiting, as a kill would."""
        self._stopping = True
        for task in self._tasks.values():
            task.cancel()
        self._sent.drop()

    # One chat ------------------------------------------------------------------------------

    async def _serve(self, chat: Chat) -> None:
        queue = self._chats[chat]
        try:
            while queue and not self._stopping:
                await self._wait(chat, queue[0])
                self._sending.add(chat)
                await self._send(queue, queue[0])
                self._sending.discard(chat)
        finally:
            self._sending.discard(chat)
            self._tasks.pop(chat, None)
            self._chats.pop(chat, None)
            for row in queue:
                self._due.pop(row.id, None)

    async def _wait(self, chat: Chat, row: OutboxRow) -> None:
        now = self._clock.monotonic()
        # Only what was put off has to wait: a clock that was set back must not mute the desk.
        wait = self._due[row.id] - now if row.id in self._put_off else 0.0
        if self._pace.per_chat is not None:
            if chat not in self._taps:
                self._forget_idle()
                self._taps[chat] = _Tap(self._pace.per_chat, self._pace.burst, now)
            wait = max(wait, self._taps[chat].wait(now))
        if self._overall is not None:
            wait = max(wait, self._overall.wait(now))
        if wait > 0:
            await self._clock.sleep(wait)

    def _forget_idle(self) -> None:
        if len(self._taps) > 10_000:
            self._taps = {chat: tap for chat, tap in self._taps.items() if chat in self._tasks}

    async def _send(self, queue: deque[OutboxRow], row: OutboxRow) -> None:
        """Try once; afterwards the row is gone from the queue, or due again at its head."""
        channel = self._channels.get(row.channel)
        if channel is None:
            await self._give_up(queue, row, f"no channel {row.channel}")
            return
        try:
            # One that had to wait may have been overtaken: its code, or who is to read it, is gone.
            if self._has_waited(row) and not await self._is_queued(row):
                self._done(queue, row)
                return
            if _may_be_lost(row):
                if row.unsure >= UNSURE_MAX:
                    await self._give_up(queue, row, "the desk stopped while it was sent")
                    return
                # Written down before the call, as lost: a kill during it must not send it anew.
                await self._note(lambda tx: tx.outbox.begin_unsure(row.id, row.unsure + 1))
            message_id, edited = await self._show(channel, row)
        except Blocked:
            await self._blocked(queue, row)
            return
        except RetryAfter as error:
            await self._again(queue, row, row.attempts, error.seconds, str(error))
            return
        except Lost as error:
            await self._lost(queue, row, str(error))
            return
        except Unclear as error:
            await self._tried(queue, row, str(error))
            return
        except (Gone, Invalid) as error:
            await self._give_up(queue, row, str(error))
            return
        except Exception as error:  # noqa: BLE001 - logged; a fault must not stop the chat
            _log.exception("sending failed", row=row.id, channel=row.channel)
            await self._lost(queue, row, type(error).__name__)
            return

        if self._delivered is not None and row.kind != "wipe":
            self._delivered(row, message_id, edited)
        takes_slot = row.slot is not None and not edited
        await self._sent.note(Sent(row, message_id, takes_slot))
        self._done(queue, row)

    def _has_waited(self, row: OutboxRow) -> bool:
        waited = self._clock.monotonic() - self._due[row.id]
        return row.id in self._put_off or waited > AT_ONCE_S

    async def _is_queued(self, row: OutboxRow) -> bool:
        return await self._database.read(lambda tx: tx.outbox.is_queued(row.id))

    async def _note(self, note: Callable[[SqliteTx], T]) -> T:
        return await persist(self._database, self._clock, note)

    async def _show(self, channel: Channel, row: OutboxRow) -> tuple[str, bool]:
        """Edit the slot's message, or send a new one; returns its id and whether it was edited."""
        if row.target is not None:
            await channel.delete(row.address, row.target)
            return row.target, False
        text = row.text if row.otp is None else self._keys.unseal(row.text)
        if text is None:
            raise Invalid("no key opens what was sealed")
        content = Content(text, rows_of(row.rows), row.turn, silent=row.silent, protect=row.protect)
        if row.document is not None:
            document = row.document
            file = await self._database.read(lambda tx: tx.documents.content(document))
            if file is None:
                raise Invalid("the document is not kept any more")
            return await channel.send_document(row.address, *file, content), False
        if row.edits and row.slot is not None:
            live = await self._sent.live(row.channel, row.address, row.slot)
            if live is not None:
                try:
                    await channel.edit(row.address, live, content)
                    return live, True
                except Gone:
                    if row.kind == "progress":
                        raise
            elif row.kind == "progress":
                raise Gone("there is no live message to edit")
        return await channel.send(row.address, content), False

    def _done(self, queue: deque[OutboxRow], row: OutboxRow) -> None:
        queue.popleft()
        self._due.pop(row.id, None)
        self._put_off.discard(row.id)

    async def _lost(self, queue: deque[OutboxRow], row: OutboxRow, why: str) -> None:
        """It may well have arrived. A code goes once more at most, and then counts as sent."""
        if not _may_be_lost(row):
            await self._tried(queue, row, why)
            return
        row = row._replace(unsure=row.unsure + 1)
        if row.unsure < UNSURE_MAX:
            await self._again(queue, row, row.attempts + 1, AFTER_LOST_S, why)
        else:
            await self._give_up(queue, row, why)

    async def _tried(self, queue: deque[OutboxRow], row: OutboxRow, why: str) -> None:
        """Not surely taken: again, but not for ever."""
        patient = row.channel in CARRIERS and row.otp is None
        retries = CARRIER_RETRIES_S if patient else RETRIES_S
        if row.attempts + 1 < ATTEMPTS_MAX:
            await self._again(queue, row, row.attempts + 1, retries[row.attempts], why)
        else:
            await self._give_up(queue, row, why)

    async def _again(
        self, queue: deque[OutboxRow], row: OutboxRow, attempts: int, seconds: float, why: str
    ) -> None:
        due = self._clock.monotonic() + seconds
        wait = timedelta(seconds=seconds)
        await self._note(
            lambda tx: tx.outbox.again(row.id, attempts, tx.now + wait, why, row.unsure)
        )
        self._put_off.add(row.id)
        self._due[row.id] = due
        queue[0] = row._replace(attempts=attempts)

    async def _give_up(self, queue: deque[OutboxRow], row: OutboxRow, why: str) -> None:
        if row.unsure:  # one of them may be there: a code does not die of a carrier's silence
            await self._note(lambda tx: tx.outbox.unanswered(row.id, why))
            self._done(queue, row)
            return
        if row.kind not in ("progress", "wipe"):
            _log.warning("message will never arrive", row=row.id, channel=row.channel, why=why)

        def bury(tx: SqliteTx) -> Sequence[OutboxRow]:
            tx.outbox.dead(row.id, why)
            return () if row.otp is None else self._code_lost(tx, row.otp)

        rows = await self._note(bury)
        self._done(queue, row)
        self.push(rows)

    async def _blocked(self, queue: deque[OutboxRow], row: OutboxRow) -> None:
        """The chat is shut: what must be known goes by SMS."""

        def fall_back(tx: SqliteTx) -> list[OutboxRow]:
            stands = tx.outbox.is_queued(row.id)  # its reader may have been let go meanwhile
            tx.outbox.dead(row.id, "blocked")
            if row.fallback is None or not stands:
                return []
            return [tx.outbox.add(SMS, row.fallback, kind=row.kind, text=row.text)]

        rows = await self._note(fall_back)
        if rows:
            _log.info("chat is shut, texting", phone=Phone(rows[0].address).masked)
        self._done(queue, row)
        self.push(rows)


def _chat(row: OutboxRow) -> Chat:
    return row.channel, row.address, row.otp is not None and row.channel in CARRIERS


def _may_be_lost(row: OutboxRow) -> bool:
    """Whether it carries a code over a carrier, which may send it and never say so."""
    return row.otp is not None and row.channel in CARRIERS


def _queued(after: int, tx: SqliteTx) -> list[OutboxRow]:
    return tx.outbox.queued(after, PAGE)
