"""``hazina reconcile``: compares days with the bank's statement."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from bot.cli.faults import exit_with, faults_as_lines
from bot.cli.settings import command_settings


@click.command()
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only this day: 2026-11-24.")
@click.option("--csv", "out", type=click.Path(path_type=Path), help="Write what is left over here.")
@click.option(
    "--dates",
    type=click.Choice(["day-first", "month-first"]),
    help="How the days of FILE are written, where it cannot be told.",
)
def reconcile(file: Path | None, day: datetime | None, out: Path | None, dates: str | None) -> None:
    """Compare days with NCBA's statement: a CSV FILE, or as NCBA gives it now (yesterday's).

    Exit 1 if a day stays open. The desk does so by itself each morning; stop `hazina run`
    meanwhile.
    """
    import asyncio

    from bot.clock import SystemClock
    from bot.maintenance.reconciliation import NoStatement, report, write_csv
    from bot.maintenance.reconciliation import reconcile as compare
    from bot.observe import log
    from bot.security.stored_secrets import with_stored_secrets
    from services.domain.business_days import business_day, is_of_this_century
    from services.domain.table import BYTES_MAX, TableFileError
    from services.gateways.statement_file import AmbiguousDates, read_statement_file

    if day is not None and not is_of_this_century(day):
        exit_with(f"{day.date()}: not a day of ours")
    settings = command_settings()
    log.configure("error")
    try:
        with faults_as_lines():
            settings = with_stored_secrets(settings)
            lines = None
            if file is not None:
                with file.open("rb") as content:
                    lines = read_statement_file(
                        content.read(BYTES_MAX + 1),
                        month_first=None if dates is None else dates == "month-first",
                        today=business_day(SystemClock().now()),
                    )
            days = asyncio.run(compare(settings, lines, None if day is None else day.date()))
            if out is not None:
                write_csv(out, days)
    except AmbiguousDates as fault:
        exit_with(f"{file}: {fault}: --dates day-first or --dates month-first")
    except TableFileError as fault:
        exit_with(f"{file}: {fault}")
    except NoStatement as fault:
        exit_with(f"NCBA gave no statement: {fault}")
    except OSError as error:
        exit_with(f"{error.filename}: {error.strerror}")
    for line in report(days):
        click.echo(line)
    sys.exit(0 if all(compared.closed_at is not None for compared in days) else 1)
