"""Write to everybody, slowly: receipts and codes are never kept waiting behind a broadcast."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.outbox.durable_write import PushRows
from services.ports import Clock
from storage.sqlite.database import Database, Priority
from storage.stores.outbox import OutboxRow, Rank
from storage.transaction import SqliteTx

PAGE = 10  # people a second: a third of what Telegram takes (facts: channels)
EVERY = timedelta(seconds=1)


class BroadcastJob:
    def __init__(self, database: Database, clock: Clock, push: PushRows) -> None:
        self._database = database
        self._clock = clock
        self._push = push

    async def scan(self) -> datetime | None:
        """One page of the broadcast that runs; nothing to come back for when none does."""
        if await self._database.read(lambda tx: tx.broadcasts.running()) is None:
            return None
        rows, goes_on = await self._database.write(queue_next_page, Priority.JOBS)
        self._push(rows)
        return self._clock.now() + EVERY if goes_on else None


def queue_next_page(tx: SqliteTx, people: int = PAGE) -> tuple[list[OutboxRow], bool]:
    """Queue the next page, and move behind it in the same transaction: nobody hears it twice."""
    running = tx.broadcasts.running()
    if running is None:
        return [], False
    hearers = tx.broadcasts.next_recipients(running.last_person, people)
    if not hearers:
        tx.broadcasts.end(running.id, "DONE")
        return [], False
    rows = [
        tx.outbox.add(
            hearer.channel, hearer.address, kind="notice", text=running.text, rank=Rank.BULK
        )
        for hearer in hearers
    ]
    tx.broadcasts.went_on(running.id, hearers[-1].person_id, len(hearers))
    return rows, True
