"""``hazina talk``: plays conversation scripts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.database_address import server_option

if TYPE_CHECKING:
    from services.domain.database import DatabaseServer


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--channel", help="Play this channel only.")
@click.option(
    "--restart-after-every-line", "restart", is_flag=True, help="Restart again and again."
)
@click.option("--record", is_flag=True, help="Write the play as a transcript.")
@server_option
def talk(
    files: tuple[Path, ...],
    channel: str | None,
    restart: bool,
    record: bool,
    server: DatabaseServer | None,
) -> None:
    """Play conversation scripts against the whole product, simulated."""
    import asyncio
    from functools import partial

    from bot.scripts.command import talk as play
    from bot.simulation.home import home
    from bot.simulation.stage import SimulatedStage

    sys.exit(
        asyncio.run(
            play(
                files,
                channel=channel,
                restart=restart,
                record=record,
                stage_factory=partial(SimulatedStage, home=partial(home, server)),
            )
        )
    )
