"""Close conversations whose time has run out, and delete what nobody needs any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.turns import save_session
from flows.session import IDLE, Flows, Session
from services.ports import Clock
from storage.database import Database, Priority
from storage.transaction import SqliteTx

EVENTS_KEPT = timedelta(days=3)  # Telegram's ids can restart after an idle week
OUTBOX_KEPT = timedelta(days=3)  # answers to repeated events are found as long as the events
SLOTS_KEPT = timedelta(days=3)
TRAIL_KEPT = timedelta(days=90)
CLEAN_EVERY = timedelta(hours=1)
PAGE = 500  # rows in one transaction


class Housekeeping:
    def __init__(self, database: Database, clock: Clock, flows: Flows) -> None:
        self._database = database
        self._clock = clock
        self._flows = flows

    async def expire_sessions(self) -> datetime | None:
        """Close what has been idle too long; returns when the next one may have been.

        Nobody wakes this for a conversation that begins meanwhile: none can expire earlier than
        the idle time from now.
        """

        def expire(tx: SqliteTx) -> int:
            expired = tx.sessions.expired(PAGE)
            for channel, address, row in expired:
                session = Session.load(self._flows, row.turn, row.body)
                session.expire()
                save_session(tx, channel, address, session)
            return len(expired)

        while await self._database.write(expire, Priority.JOBS) == PAGE:
            pass
        soonest = self._clock.now() + IDLE
        expiry = await self._database.read(lambda tx: tx.sessions.next_expiry())
        return soonest if expiry is None else min(expiry, soonest)

    async def clean_up(self) -> datetime | None:
        """Delete decided events, sent messages, idle slots and old trail rows, page by page."""

        def clean(tx: SqliteTx) -> bool:
            now = tx.now
            gone = (
                tx.sessions.forget_before(now - EVENTS_KEPT, now - SLOTS_KEPT, PAGE),
                tx.outbox.forget_before(now - OUTBOX_KEPT, PAGE),
                tx.trail.forget_before(now - TRAIL_KEPT, PAGE),
            )
            return any(count >= PAGE for count in gone)

        while await self._database.write(clean, Priority.JOBS):
            pass
        return self._clock.now() + CLEAN_EVERY
