"""``hazina copy``: a whole database, from a file to a server or back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.cli.database_address import ADDRESS
from bot.cli.faults import faults_as_lines
from bot.cli.settings import command_settings

if TYPE_CHECKING:
    from services.domain.database import DatabaseAddress


@click.command()
@click.argument("source", metavar="FROM", type=ADDRESS)
@click.argument("target", metavar="TO", type=ADDRESS)
@click.option(
    "--move", "moves", is_flag=True, help="The desk goes on at TO, and FROM counts as a backup."
)
def copy(source: DatabaseAddress, target: DatabaseAddress, moves: bool) -> None:
    """Copy the database FROM a path or postgresql://… TO another, where none is yet.

    No desk may run on either. Every row is read back, and books and audit log are checked. TO
    counts as a backup, so that a desk opened there does not send again what FROM has sent since;
    with --move it is the other way round.
    """
    from bot.clock import SystemClock
    from bot.database import copy_database
    from bot.security.desk_keys import check_keys_to_copy

    settings = command_settings()
    with faults_as_lines():
        check_keys_to_copy(settings, source, target)
        rows, head = copy_database(source, target, SystemClock().now(), moves=moves)
    click.echo(f"{target} has all {rows:,} rows of {source}: books and audit log are sound")
    click.echo(f"audit head: {head.rows} {head.digest}")
    if moves:
        click.echo(f"Set DATABASE to {target}. {source} counts as a backup from now on.")
