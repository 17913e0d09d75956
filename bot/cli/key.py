"""``hazina key``: makes an encryption key."""

from __future__ import annotations

import click

from bot.cli.faults import exit_with


@click.command()
@click.option("--id", "key_id", default="1", show_default=True, help="Its name: a-z, 0-9 and -.")
def key(key_id: str) -> None:
    """Print a fresh key for HAZINA_KEYS."""
    from bot.security.keyring import Keyring, KeysFault, new_key

    line = new_key(key_id)
    try:
        Keyring.read(line)
    except KeysFault as fault:
        exit_with(str(fault))
    click.echo(line)
