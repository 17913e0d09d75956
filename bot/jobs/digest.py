"""Sends a summary of the day every evening to the partners that want it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import partial

from bot.context import AppContext
from bot.jobs.daily import DailyRun
from bot.outbox.carriers import SMS
from bot.outbox.database_retries import PushRows
from services import digests
from services.domain.database import Priority
from services.domain.digest import Digest, DigestLine
from services.domain.ledger import AccountKind
from services.domain.notification import ChatMode, NotificationKind
from services.domain.outbox import OutboxRow, Rank
from services.ports import Clock, Tx
from services.ports.database import Database

AT = time(20, 0)  # Nairobi
_DAY = timedelta(days=1)  # without daylight saving, every business day has as many hours
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
            await self._send_all(run)
        return run.next_due_at

    async def _send_all(self, run: DailyRun) -> None:
        """Once per partner, even if interrupted and run again."""
        count = PAGE
        while count == PAGE:
            count, rows = await self._database.write(partial(self._page, run), Priority.JOBS)
            self._push(rows)

    def _page(self, run: DailyRun, tx: Tx) -> tuple[int, Sequence[OutboxRow]]:
        day = run.day.isoformat()
        partners = tx.notification_preferences.digests_due(day, PAGE)
        rows: list[OutboxRow] = []
        for partner in partners:
            if tx.notification_preferences.claim_digest(partner, day):
                rows += self._tell(tx, partner, run.due_at)
        return len(partners), rows

    def _tell(self, tx: Tx, code: str, until: datetime) -> list[OutboxRow]:
        """The 24 hours before ``until``, however late it is sent: each digest begins with the
        balance that the one before ended with."""
        partner = tx.people.partner(code)
        assert partner is not None
        preference = tx.notification_preferences.get(code, NotificationKind.DIGEST)
        day = digests.of(tx, code, until - _DAY, until)
        floats = digests.of(tx, code, until - _DAY, until, AccountKind.FLOAT)
        facts = {
            "partner": code,
            "at": until,
            "topups": day.operations.get(DigestLine.TOPUPS, 0),
            "received": day.said(DigestLine.TOPUPS),
            "purchases": day.operations.get(DigestLine.BOUGHT, 0),
            "bought": day.said(DigestLine.BOUGHT),
            "open": tx.operations.open_since(code, until - _DAY),
            "wallet": day.closing,
            "float": floats.closing,
        }
        rows: list[OutboxRow] = []
        for owner in tx.people.owners(code):
            accounts = tx.people.addresses(owner.id)
            if not accounts:  # unlinked people get no notices, not even by SMS
                continue
            more = self._more(day, owner.language) + self._paid_out(floats, owner.language)
            text = self._context.texts.say(owner.language, "notice.digest", {**facts, "more": more})
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

    def _more(self, day: Digest, language: str) -> str:
        """What else moved, and the change that all lines together add up to. Where only top-ups
        and float did, the two lines that are always there say it."""
        return self._lines(day, "digest", language) if day.more else ""

    def _paid_out(self, day: Digest, language: str) -> str:
        """Payouts, their charges, and what else moved the float, if anybody was paid. What was
        bought is said already."""
        paid = DigestLine.PAYOUTS in day.moved
        return self._lines(day, "float_digest", language) if paid else ""

    def _lines(self, day: Digest, section: str, language: str) -> str:
        say = partial(self._context.texts.say, language)
        lines = [
            say(f"{section}.{line}", {"amount": day.said(line), "count": day.operations[line]})
            for line in day.more
        ]
        lines.append(say(f"{section}.change", {"amount": day.change}))
        return "".join(f"\n{line}" for line in lines)
