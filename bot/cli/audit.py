"""``hazina audit``: verifies the audit log."""

from __future__ import annotations

import sys

import click

from bot.cli.faults import faults_as_lines
from bot.cli.settings import command_settings


@click.group()
def audit() -> None:
    """The trace of what was done."""


@audit.command("verify")
@click.option("--head", "heads", multiple=True, help="TIME=HASH, as an admin was told.")
def audit_verify(heads: tuple[str, ...]) -> None:
    """Check every chain of the audit log, also while the desk runs; exit 1 if one is broken."""
    from bot.maintenance.audit import verify_audit_log

    settings = command_settings()
    with faults_as_lines():
        well, lines = verify_audit_log(settings.database, heads)
    for line in lines:
        click.echo(line, err=not well)
    sys.exit(0 if well else 1)
