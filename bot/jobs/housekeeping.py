"""Close conversations whose time has run out, and delete what nobody needs any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.turns.sessions import SessionCache
from flows.engine.session import IDLE_TIMEOUT
from services import float_purchases, otp
from services.policy import Policy
from services.ports import Clock
from storage.sqlite.database import Database, Priority
from storage.transaction import SqliteTx

EVENTS_KEPT = timedelta(days=3)  # Telegram's ids can restart after an idle week
OUTBOX_KEPT = timedelta(days=3)  # answers to repeated events are found as long as the events
SLOTS_KEPT = timedelta(days=3)
DOCUMENTS_KEPT = timedelta(days=3)  # longer than any retry of sending one
INVITES_KEPT = timedelta(days=90)
FLOODS_KEPT = timedelta(days=1)
STRANGERS_KEPT = timedelta(days=1)  # their conversations, and what they were answered
TRAIL_KEPT = timedelta(days=90)
QUOTES_KEPT = timedelta(minutes=30)  # as long as the conversation that shows one
CODES_EVERY = timedelta(minutes=1)
CLEAN_EVERY = timedelta(hours=1)
PAGE = 500  # rows in one transaction


class Housekeeping:
    def __init__(
        self, database: Database, clock: Clock, sessions: SessionCache, policy: Policy
    ) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._policy = policy

    async def expire_codes(self) -> datetime | None:
        """End codes whose time has run out, with what they were to approve, and old quotes.

        A code never passes late: that is checked to the second where it is typed. This only
        tidies up, when the next code ends.
        """

        def expire(tx: SqliteTx) -> tuple[bool, datetime | None]:
            operations, gone = otp.clean_up(tx, self._policy.otp_kept, PAGE)
            float_purchases.expire(tx, list(operations))
            stale = float_purchases.drop_stale_quotes(tx, QUOTES_KEPT)
            return max(len(operations), gone, stale) >= PAGE, tx.otps.next_expiry()

        more = True
        while more:
            more, expiry = await self._database.write(expire, Priority.JOBS)
        now = self._clock.now()
        if expiry is None:
            return now + QUOTES_KEPT  # who draws one meanwhile wakes this for its end
        return max(expiry, now + CODES_EVERY)

    async def expire_sessions(self) -> datetime | None:
        """Close what has been idle too long; returns when the next one may have been.

        Nobody wakes this for a conversation that begins meanwhile: none can expire earlier than
        the idle time from now.
        """

        def expire(tx: SqliteTx) -> tuple[bool, datetime | None]:
            expired = tx.sessions.expired(PAGE)
            for channel, address in expired:
                session = self._sessions.load(tx, channel, address)
                self._sessions.save(tx, channel, address, session)
            return len(expired) == PAGE, tx.sessions.next_expiry()

        more = True
        while more:
            more, expiry = await self._database.write(expire, Priority.JOBS)
        soonest = self._clock.now() + IDLE_TIMEOUT
        return soonest if expiry is None else min(expiry, soonest)

    async def clean_up(self) -> datetime | None:
        """Delete decided events, sent messages, idle slots and old trail rows, page by page."""

        def clean(tx: SqliteTx) -> bool:
            now = tx.now
            gone = (
                tx.sessions.delete_before(now - EVENTS_KEPT, now - SLOTS_KEPT, PAGE),
                tx.outbox.delete_before(now - OUTBOX_KEPT, PAGE),
                tx.trail.delete_before(now - TRAIL_KEPT, PAGE),
                tx.documents.delete_before(now - DOCUMENTS_KEPT, PAGE),
                tx.invites.delete_before(now - INVITES_KEPT, PAGE),
                tx.floods.delete_before(now - FLOODS_KEPT, PAGE),
                tx.sessions.delete_unseen(now - STRANGERS_KEPT, PAGE),
                tx.outbox.delete_unseen(now - STRANGERS_KEPT, PAGE),
            )
            return any(count >= PAGE for count in gone)

        while await self._database.write(clean, Priority.JOBS):
            pass
        return self._clock.now() + CLEAN_EVERY
