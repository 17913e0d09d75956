"""The command line: ``hazina COMMAND``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hazina")
def main() -> None:
    """The chat desk where partner businesses keep the money that pays their customers."""


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--channel", help="Play this channel only.")
@click.option(
    "--restart-after-every-line", "restart", is_flag=True, help="Restart again and again."
)
@click.option("--record", is_flag=True, help="Write the play as a transcript.")
def talk(files: tuple[Path, ...], channel: str | None, restart: bool, record: bool) -> None:
    """Play conversation scripts against the whole product, simulated."""
    from bot.simulator.stage import SimulatedStage
    from bot.talk.command import talk as play

    sys.exit(
        asyncio.run(
            play(
                files,
                channel=channel,
                restart=restart,
                record=record,
                stage_factory=SimulatedStage,
            )
        )
    )
