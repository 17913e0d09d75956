"""``hazina sim``: everything simulated, in this terminal or over HTTP."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from bot.cli.database_address import server_option

if TYPE_CHECKING:
    from services.domain.database import DatabaseServer

PORT = 8420


@click.command()
@click.option("--verbose", is_flag=True, help="Show all that is logged, not only warnings.")
@click.option(
    "--channel",
    type=click.Choice(["chat", "ussd"]),
    help="What is in your hand at first: the chat (if left out), or a phone that dials.",
)
@click.option(
    "--serve",
    "port",
    type=click.IntRange(0, 65_535),
    is_flag=False,
    flag_value=PORT,
    metavar="[PORT]",
    help=f"Serve the world over HTTP on this machine instead ({PORT} if left out; 0: any).",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="NAME=VALUE",
    help="With --serve: another value of a setting.",
)
@server_option
def sim(
    verbose: bool,
    channel: str | None,
    port: int | None,
    overrides: tuple[str, ...],
    server: DatabaseServer | None,
) -> None:
    """Chat or dial here as a demo partner: bank, phones and SMS are simulated."""
    values = dict(_parted(override) for override in overrides)
    if port is not None:
        if channel is not None:
            raise click.UsageError("--channel belongs to the terminal, not to --serve")
        from bot.simulation.served.start import serve

        sys.exit(serve(port, values, verbose=verbose, server=server))
    if values:
        raise click.UsageError("--set belongs to --serve")
    from bot.simulation.console.start import chat

    sys.exit(chat(verbose=verbose, dials=channel == "ussd", server=server))


def _parted(override: str) -> tuple[str, str]:
    name, equals, value = override.partition("=")
    if not (name and equals):
        click.echo(f"--set: {override or 'nothing'} is not written NAME=VALUE", err=True)
        sys.exit(2)
    return name, value
