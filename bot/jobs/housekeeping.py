"""Ends expired conversations and codes, and deletes old rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.turns.sessions import SessionCache
from flows.engine.session import IDLE_TIMEOUT
from services import otp, spending, topups
from services.domain.database import Priority
from services.policy import Policy
from services.ports import Clock, Tx
from services.ports.database import Database

EVENTS_KEPT = timedelta(days=3)  # Telegram's ids can restart after an idle week
OUTBOX_KEPT = timedelta(days=3)  # as long as events: repeated events get the same answer
SLOTS_KEPT = timedelta(days=3)
DOCUMENTS_KEPT = timedelta(days=3)  # longer than the outbox retries
INVITES_KEPT = timedelta(days=90)
FLOODS_KEPT = timedelta(days=1)
PINS_BEGUN_KEPT = timedelta(days=1)  # desk PINs that were asked for, and never typed
STRANGERS_KEPT = timedelta(days=1)  # their conversations and our answers
PARTNER_EVENTS_KEPT = timedelta(days=90)
USSD_SESSIONS_KEPT = timedelta(days=3)  # as long as events: a repeated hop gets the same answer
USSD_EVENTS_KEPT = timedelta(days=90)  # for whoever compares them with the gateway's bill
PAYOUT_MESSAGES_KEPT = timedelta(days=90)  # those about a payout stay
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
        """End expired codes with the operations they would have approved, and old quotes.

        This only cleans up: an expired code is refused to the second where it is entered.
        """

        def expire(tx: Tx) -> tuple[bool, datetime | None]:
            operations, deleted = otp.clean_up(tx, self._policy.otp_kept, PAGE)
            spending.expire(tx, operations)
            topups.expire(tx, operations)
            stale = spending.drop_stale_quotes(tx, QUOTES_KEPT)
            return max(len(operations), deleted, stale) >= PAGE, tx.otps.next_expiry()

        more = True
        while more:
            more, expiry = await self._database.write(expire, Priority.JOBS)
        now = self._clock.now()
        if expiry is None:
            return now + QUOTES_KEPT  # issuing a code wakes this job when that expires
        return max(expiry, now + CODES_EVERY)

    async def expire_sessions(self) -> datetime | None:
        """End conversations that were idle too long; returns when the next may expire.

        New conversations need not wake this job: none can expire before the idle timeout from now.
        """

        def expire(tx: Tx) -> tuple[bool, datetime | None]:
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
        """Delete old events, sent messages, idle slots, trail rows and the like, page by page."""

        def clean(tx: Tx) -> bool:
            now = tx.now
            deleted = (
                tx.sessions.delete_before(now - EVENTS_KEPT, now - SLOTS_KEPT, PAGE),
                tx.outbox.delete_before(now - OUTBOX_KEPT, PAGE),
                tx.trail.delete_before(now - TRAIL_KEPT, PAGE),
                tx.documents.delete_before(now - DOCUMENTS_KEPT, PAGE),
                tx.invites.delete_before(now - INVITES_KEPT, PAGE),
                tx.floods.delete_before(now - FLOODS_KEPT, PAGE),
                tx.desk_pins.delete_before(now - PINS_BEGUN_KEPT, PAGE),
                tx.sessions.delete_unseen(now - STRANGERS_KEPT, PAGE),
                tx.outbox.delete_unseen(now - STRANGERS_KEPT, PAGE),
                tx.partner_events.delete_before(now - PARTNER_EVENTS_KEPT, PAGE),
                tx.ussd_sessions.delete_before(now - USSD_SESSIONS_KEPT, PAGE),
                tx.ussd_events.delete_before(now - USSD_EVENTS_KEPT, PAGE),
                tx.payout_messages.delete_before(now - PAYOUT_MESSAGES_KEPT, PAGE),
            )
            return any(count >= PAGE for count in deleted)

        while await self._database.write(clean, Priority.JOBS):
            pass
        return self._clock.now() + CLEAN_EVERY
