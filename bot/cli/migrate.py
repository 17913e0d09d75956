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
    from bot.security import lost_database
    from storage.sqlite.database import Database
    from storage.sqlite.migrate import applied_migrations

    settings = command_settings()

    async def bring_up() -> list[str]:
        database = await Database.open(settings.database, SystemClock().now)
        try:
            return await database.read(
                lambda tx: [name for name, _ in applied_migrations(tx.conn).values()]
            )
        finally:
            await database.close()

    with faults_as_lines():
        lost_database.check_not_lost(settings, new=new)
        for name in asyncio.run(bring_up()):
            click.echo(f"{settings.database} has {name}")
