"""``hazina migrate``: applies pending migrations."""

from __future__ import annotations

import click

from bot.cli.faults import faults_as_lines
from bot.cli.settings import command_settings


@click.command()
@click.option("--new", is_flag=True, help="Make a missing one anew, though a desk has been here.")
def migrate(new: bool) -> None:
    """Bring the database up to date; `hazina run` does so by itself."""
    import asyncio

    from bot.clock import SystemClock
    from bot.database import database_engine
    from bot.security import lost_database
    from bot.security.desk_keys import require_keys

    settings = command_settings()

    with faults_as_lines():
        require_keys(settings)
        lost_database.check_not_lost(settings, new=new)
        for name in asyncio.run(database_engine.migrate(settings.database, SystemClock().now)):
            click.echo(f"{settings.database} has {name}")
