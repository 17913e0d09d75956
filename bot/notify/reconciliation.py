"""Notices to the admins about days compared with the bank's statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.context import AppContext, queue_admin_notices
from flows.engine.texts import format_value
from services.domain.outbox import OutboxRow
from services.domain.phone import mask_phones
from services.domain.reconciliation import ReconciliationDay
from services.ports import Tx

SHOWN_MAX = 10  # findings or days in one notice; the report has all of them


def queue_day_reconciled(tx: Tx, context: AppContext, day: ReconciliationDay) -> list[OutboxRow]:
    """Queue the day's totals and what is left over, if anything."""
    say = context.texts.say
    shown = [
        say(
            "en",
            "notice.reconciled.line",
            {
                "reference": found.id,
                "amount": found.amount,
                "why": found.kind,
                "about": found.about or mask_phones(found.said) or "-",
            },
        )
        for found in day.findings[:SHOWN_MAX]
    ]
    facts = {
        "day": day.day,
        "lines": day.lines,
        "matched": day.matched,
        "credits": day.credits,
        "debits": day.debits,
        "count": len(day.findings),
        "findings": "\n".join(shown),
    }
    key = "notice.reconciled.open" if day.findings else "notice.reconciled.closed"
    return queue_admin_notices(tx, context, key, facts)


def queue_statement_missing(tx: Tx, context: AppContext, days: Sequence[date]) -> list[OutboxRow]:
    """Queue the days for which the bank has given no readable statement."""
    shown = [format_value(day, "en") for day in days[:SHOWN_MAX]]
    more = ["…"] if len(days) > len(shown) else []
    facts = {"days": ", ".join([*shown, *more])}
    return queue_admin_notices(tx, context, "notice.no_statement", facts)
