"""Sends a summary of the day every evening to the partners that want it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from functools import partial

from bot.context import AppContext
from bot.jobs.daily import DailyRun
from bot.outbox.carriers import SMS
from bot.outbox.durable_write import PushRows
from services import balances
from services.domain.business_days import start_of_day_at
from services.domain.database import Priority
from services.domain.notification import ChatMode, NotificationKind
from services.domain.outbox import OutboxRow, Rank
from services.ports import Clock, Tx
from services.ports.database import Database

AT = time(20, 0)  # Nairobi
PAGE = 100  # partners in one transaction


class DigestJob:
    def __init__(
        self, database: Database, clock: Clock, context: AppContext, push: PushRows
    ) -> None:
        self._database = database
        self._clock = clock
        self._context = context
        self._push = push

    async def scan(self) -> datetime | None:
        """Runs once per business day, catching up after downtime; returns the next 20:00."""
        run = DailyRun.on_day_of(self._clock.now(), AT)
        if run.is_due:
            await self._send_all(run.day.isoformat())
        return run.next_due_at

    async def _send_all(self, day: str) -> None:
        """Once per partner, even if interrupted and run again."""
        count = PAGE
        while count == PAGE:
            count, rows = await self._database.write(partial(self._page, day), Priority.JOBS)
            self._push(rows)

    def _page(self, day: str, tx: Tx) -> tuple[int, Sequence[OutboxRow]]:
        partners = tx.notification_preferences.digests_due(day, PAGE)
        rows: list[OutboxRow] = []
        for partner in partners:
            if tx.notification_preferences.claim_digest(partner, day):
                rows += self._tell(tx, partner)
        return len(partners), rows

    def _tell(self, tx: Tx, code: str) -> list[OutboxRow]:
        partner = tx.people.partner(code)
        assert partner is not None
        preference = tx.notification_preferences.get(code, NotificationKind.DIGEST)
        balance = balances.of(tx, partner)
        day = tx.operations.day_totals(code, start_of_day_at(tx.now))
        facts = {
            "partner": code,
            "at": tx.now,
            "topups": day.topups,
            "received": day.received,
            "purchases": day.purchases,
            "bought": day.bought,
            "open": day.open,
            "wallet": balance.wallet.posted,
            "float": balance.float.posted,
        }
        rows: list[OutboxRow] = []
        for owner in tx.people.owners(code):
            accounts = tx.people.addresses(owner.id)
            if not accounts:  # unlinked people get no notices, not even by SMS
                continue
            text = self._context.texts.say(owner.language, "notice.digest", facts)
            if preference.chat is not ChatMode.OFF:
                silent = preference.chat is ChatMode.SILENT
                rows += [
                    tx.outbox.add(
                        channel, address, kind="notice", text=text, silent=silent, rank=Rank.BULK
                    )
                    for channel, address in accounts
                    if self._context.channel(channel).push
                ]
            if preference.sms:
                phone = owner.phone.msisdn
                rows.append(tx.outbox.add(SMS, phone, kind="notice", text=text, rank=Rank.BULK))
        return rows
