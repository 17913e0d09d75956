"""Sends broadcasts slowly, so that they never delay receipts and codes."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.context import AppContext
from bot.outbox.database_retries import PushRows
from services.domain.database import Priority
from services.domain.outbox import OutboxRow, Rank
from services.ports import Clock, Tx
from services.ports.database import Database

PAGE = 10  # people per second: a third of Telegram's limit (facts: channels)
EVERY = timedelta(seconds=1)


class BroadcastJob:
    def __init__(
        self, database: Database, clock: Clock, context: AppContext, push: PushRows
    ) -> None:
        self._database = database
        self._clock = clock
        self._context = context
        self._push = push

    async def scan(self) -> datetime | None:
        """Send a page of the running broadcast; returns ``None`` when there is none left."""
        if await self._database.read(lambda tx: tx.broadcasts.running()) is None:
            return None
        rows, goes_on = await self._database.write(
            lambda tx: queue_next_page(tx, self._context), Priority.JOBS
        )
        self._push(rows)
        return self._clock.now() + EVERY if goes_on else None


def queue_next_page(
    tx: Tx, context: AppContext, people: int = PAGE
) -> tuple[list[OutboxRow], bool]:
    """Queue the next page and record the progress in one transaction, so nobody gets it twice.

    It goes only where chats can be written to, never by SMS.
    """
    running = tx.broadcasts.running()
    if running is None:
        return [], False
    recipients = tx.broadcasts.next_recipients(running.last_person, people)
    if not recipients:
        tx.broadcasts.end(running.id, "DONE")
        return [], False
    rows = []
    for recipient in recipients:
        if context.channel(recipient.channel).push:
            text = context.texts.say(recipient.language, "notice.broadcast", {"text": running.text})
            rows.append(
                tx.outbox.add(
                    recipient.channel, recipient.address, kind="notice", text=text, rank=Rank.BULK
                )
            )
    tx.broadcasts.went_on(running.id, recipients[-1].person_id, len(rows))
    return rows, True
