"""Records messages that channels have accepted, many of them per transaction.

A transaction per message would cost as much as sending it. Messages that arrive during a commit are
recorded together in the next one, and each caller is told after the commit.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from bot.outbox.database_retries import read_when_available, write_until_committed
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

NOTES_MAX = 64  # messages per transaction, to keep it short
LIVE_MAX = 10_000  # live messages cached; others are read from the database

_Slot = tuple[str, str, str]  # channel, address, slot


class SentMessage(NamedTuple):
    """``takes_slot``: it becomes the slot's live message."""

    row: OutboxRow
    message_id: str
    takes_slot: bool


class SentRecorder:
    """Also caches the live message of each slot."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[SentMessage, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._live: OrderedDict[_Slot, str] = OrderedDict()

    async def record(self, sent: SentMessage) -> None:
        """Returns once it is committed, however long the database is unavailable."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sent, committed))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await committed

    async def live(self, channel: str, address: str, slot: str) -> str | None:
        """The id of the slot's live message."""
        known = self._live.get((channel, address, slot))
        if known is not None:
            return known
        return await read_when_available(
            self._database, self._clock, lambda tx: tx.sessions.slot(channel, address, slot)
        )

    def forget(self) -> None:
        """Another process may have sent since."""
        self._live.clear()

    def abort(self) -> None:
        """Stop writing, as a kill would."""
        if self._writing is not None:
            self._writing.cancel()

    async def _write(self) -> None:
        batch: list[tuple[SentMessage, asyncio.Future[None]]] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:NOTES_MAX], self._waiting[NOTES_MAX:]
                notes = [sent for sent, _ in batch]
                await write_until_committed(self._database, self._clock, partial(_note, notes))
                for sent, committed in batch:
                    self._remember(sent)
                    if not committed.done():  # its caller may have been cancelled
                        committed.set_result(None)
        except Exception as error:  # noqa: BLE001 - raised in every caller that waits
            for _, committed in (*batch, *self._waiting):
                if not committed.done():
                    committed.set_exception(error)
            self._waiting = []
        finally:
            self._writing = None
            for _, committed in (*batch, *self._waiting):
                committed.cancel()

    def _remember(self, sent: SentMessage) -> None:
        row = sent.row
        if not sent.takes_slot or row.slot is None:
            return
        key = row.channel, row.address, row.slot
        self._live[key] = sent.message_id
        self._live.move_to_end(key)
        if len(self._live) > LIVE_MAX:
            self._live.popitem(last=False)


def _note(notes: list[SentMessage], tx: Tx) -> None:
    tx.outbox.mark_sent([(sent.message_id, sent.row.id) for sent in notes])
    for sent in notes:
        row = sent.row
        if sent.takes_slot and row.slot is not None:
            tx.sessions.take_slot(row.channel, row.address, row.slot, sent.message_id)
