"""``hazina reconcile``: compares days with a statement, from a file or NCBA, and reports them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path

from bot.bootstrap import Dependencies, open_app
from bot.channels.terminal import TerminalChannel
from bot.jobs.reconciliation import lines_after
from bot.settings import Settings
from services.documents.csv_statement import spreadsheet_text
from services.domain.bank import NoAnswer
from services.domain.bank_line import BankLine
from services.domain.business_days import business_day
from services.domain.reconciliation import ReconciliationDay

COLUMNS = ("day", "state", "reference", "kind", "about", "partner", "amount", "currency", "said")


class NoStatement(Exception):
    """The bank gave no statement; says why."""


async def reconcile(
    settings: Settings, lines: Sequence[BankLine] | None, day: date | None
) -> list[ReconciliationDay]:
    """Reconcile every day that the lines cover, or only ``day``.

    Without lines, fetches them from NCBA for ``day``, or else for yesterday. Notices to admins are
    queued, and sent when the desk runs again.
    Raises ``NoStatement``, and whatever ``open_app`` raises.
    """
    async with AsyncExitStack() as stack:
        # Notices to admins are queued for their chats but not sent from here.
        dependencies = Dependencies(channels={"telegram": TerminalChannel()})
        app = await open_app(settings, dependencies, stack)
        await app.stop(0)
        if lines is None:
            day = day or business_day(dependencies.clock.now()) - timedelta(days=1)
            answer = await app.reconciliation.bank.lines(day)
            if isinstance(answer, NoAnswer):
                raise NoStatement(answer.why)
            lines, source = answer, "ncba"
        else:
            source = "file"
        by_day: dict[date, list[BankLine]] = {} if day is None else {day: []}
        for line in lines:
            by_day.setdefault(line.day, []).append(line)
        return [
            await app.reconciliation.day(when, source, by_day[when], lines_after(when, by_day))
            for when in ([day] if day is not None else sorted(by_day))
        ]


def report(days: Sequence[ReconciliationDay]) -> Iterator[str]:
    """Lines for the terminal."""
    for day in days:
        state = "open" if day.closed_at is None else "closed"
        yield (
            f"{day.day.isoformat()}  {state}  {day.lines} lines, {day.matched} ours,"
            f" in {day.credits}, out {day.debits}, {len(day.findings)} left over"
        )
        for found in day.findings:
            about = found.about or found.said
            yield f"  {found.id}  {found.amount}  {found.kind.replace('_', ' ')}: {about}"


def write_csv(file: Path, days: Sequence[ReconciliationDay]) -> None:
    """One row for each finding, and one for each day without findings. Raises ``OSError``."""
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(COLUMNS)
        for day in days:
            state = "open" if day.closed_at is None else "closed"
            if not day.findings:
                rows.writerow((day.day.isoformat(), state, "", "", "", "", "", "", ""))
            for found in day.findings:
                rows.writerow(
                    (
                        day.day.isoformat(),
                        state,
                        found.id,
                        found.kind,
                        found.about,
                        found.partner or "",
                        found.amount.decimal,
                        found.amount.currency,
                        spreadsheet_text(found.said),
                    )
                )
