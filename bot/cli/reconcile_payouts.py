"""``hazina reconcile-payouts``: compares days of payouts with the short code's statement."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from bot.cli.faults import exit_with, faults_as_lines
from bot.cli.settings import command_settings


@click.command("reconcile-payouts")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only this day: 2026-11-24.")
def reconcile_payouts(file: Path, day: datetime | None) -> None:
    """Compare days of payouts with the short code's statement: a CSV FILE of M-PESA's portal.

    Exit 1 if a day differs. Admins find what is left over under /pending, and close it with
    /resolve; stop `hazina run` meanwhile.
    """
    import asyncio

    from bot.maintenance.payout_reconciliation import reconcile, report
    from bot.observe import log
    from bot.security.stored_secrets import with_stored_secrets
    from services.domain.business_days import is_of_this_century
    from services.domain.table import BYTES_MAX, TableFileError
    from services.gateways.daraja.short_code_statement import read_short_code_statement

    if day is not None and not is_of_this_century(day):
        exit_with(f"{day.date()}: not a day of ours")
    settings = command_settings()
    log.configure("error")
    try:
        with faults_as_lines():
            settings = with_stored_secrets(settings)
            with file.open("rb") as content:
                statement = read_short_code_statement(content.read(BYTES_MAX + 1))
            only = None if day is None else day.date()
            days = asyncio.run(reconcile(settings, statement, only))
    except TableFileError as fault:
        exit_with(f"{file}: {fault}")
    except OSError as error:
        exit_with(f"{error.filename}: {error.strerror}")
    for line in report(days, statement.charges):
        click.echo(line)
    sys.exit(0 if all(compared.agrees for compared in days) else 1)
