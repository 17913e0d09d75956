"""``hazina reconcile-payouts``: compares days of payouts with the short code's statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import date
from functools import partial

from bot.bootstrap import Dependencies, open_app
from bot.channels.terminal import TerminalChannel
from bot.settings import Settings
from services import payout_reconciliation
from services.domain.money import Money
from services.domain.short_code_line import PayoutDay, ShortCodeLine, ShortCodeStatement
from services.ports import Tx


async def reconcile(
    settings: Settings, statement: ShortCodeStatement, day: date | None
) -> list[PayoutDay]:
    """Compare every day that the statement covers, or only ``day``. Notices are queued, and sent
    when the desk runs again.

    Raises whatever ``open_app`` raises.
    """
    by_day: dict[date, list[ShortCodeLine]] = {} if day is None else {day: []}
    for line in statement.lines:
        if day is None or line.day == day:
            by_day.setdefault(line.day, []).append(line)
    async with AsyncExitStack() as stack:
        dependencies = Dependencies(channels={"telegram": TerminalChannel()})
        app = await open_app(settings, dependencies, stack)
        await app.stop(0)

        def compare(when: date, tx: Tx) -> PayoutDay:
            compared, changes = payout_reconciliation.compare_day(
                tx, app.random, when, by_day[when]
            )
            for change in changes:
                app.queue_payout(tx, change)
            return compared

        return [await app.database.write(partial(compare, when)) for when in sorted(by_day)]


def report(days: Sequence[PayoutDay], charges: Money) -> Iterator[str]:
    """Lines for the terminal."""
    for day in days:
        state = "agrees" if day.agrees else "differs"
        yield (
            f"{day.day.isoformat()}  {state}  {day.lines} payments, {day.matched} ours,"
            f" out {day.withdrawn}, charges by the tariff {day.tariff},"
            f" {len(day.findings)} left over"
        )
        for reference in day.settled:
            yield f"  {reference}  is paid: the statement shows it"
        for found in day.findings:
            yield f"  {found.about}  {found.amount}  {found.why.replace('_', ' ')}: {found.said}"
    if charges.cents:
        yield f"charges on the statement: {charges}"
