"""``hazina secrets``: manages the credentials sealed in the database."""

from __future__ import annotations

import sys

import click

from bot.cli.faults import exit_with, faults_as_lines
from bot.cli.settings import command_settings, settings_for_writing

INPUT_MAX = 65_536  # bytes read from standard input; far more than a secret may have


@click.group()
def secrets() -> None:
    """Credentials sealed in the database. The environment wins over them."""


@secrets.command("set")
@click.argument("name")
@click.argument("value", nargs=-1)
def secrets_set(name: str, value: tuple[str, ...]) -> None:
    """Seal one, asked for without echo or read from standard input. Stop `hazina run` meanwhile."""
    import asyncio

    from bot.security.stored_secrets import check_secret_name, set_secret

    if value:
        exit_with("a value is not taken from the command line, which others see: leave it out")
    with settings_for_writing() as settings:
        check_secret_name(name)
        click.echo(asyncio.run(set_secret(settings, name, _read_secret(name))))


@secrets.command("list")
def secrets_list() -> None:
    """Say which there are, when each was set and by which key it is sealed; never a value."""
    from bot.security.stored_secrets import describe_secrets

    settings = command_settings()
    with faults_as_lines():
        for line in describe_secrets(settings):
            click.echo(line)


@secrets.command("rotate")
def secrets_rotate() -> None:
    """Seal all of them again with the newest key. Stop `hazina run` meanwhile."""
    import asyncio

    from bot.security.stored_secrets import rotate_secrets

    with settings_for_writing() as settings:
        click.echo(asyncio.run(rotate_secrets(settings)))


@secrets.command("remove")
@click.argument("name")
def secrets_remove(name: str) -> None:
    """Take one out of the database. Stop `hazina run` meanwhile."""
    import asyncio

    from bot.security.stored_secrets import remove_secret

    with settings_for_writing() as settings:
        click.echo(asyncio.run(remove_secret(settings, name)))


def _read_secret(name: str) -> str:
    """Read the secret so that no screen, process list or shell history shows it."""
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True))
    try:
        text = sys.stdin.buffer.read(INPUT_MAX).decode()
    except UnicodeDecodeError:  # its message would repeat the secret
        exit_with("a secret is text in UTF-8")
    return text.removesuffix("\n").removesuffix("\r")
