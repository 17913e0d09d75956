"""``hazina backup`` and ``hazina restore``: copy the database, verify a copy, put it back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.cli.faults import faults_as_lines
from bot.cli.settings import command_settings


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
def backup(folder: Path | None) -> None:
    """Copy the database to FOLDER (BACKUP_DIR if left out), while the desk serves."""
    from bot.clock import SystemClock
    from bot.security import backup as backups

    settings = command_settings()
    with faults_as_lines():
        database = backups.file_to_back_up(settings)
        keys = backups.read_backup_keys(settings)
        to = folder or backups.backup_folder(settings, database)
        click.echo(str(backups.make(database, to, keys, SystemClock().now())))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), help="Database to put it at: DATABASE.")
@click.option("--verify", is_flag=True, help="Only say whether it is sound; exit 1 if not.")
@click.option("--replace", is_flag=True, help="Keep the database that is there beside it.")
def restore(file: Path, to: Path | None, verify: bool, replace: bool) -> None:
    """Put a backup in the database's place, if file, books and audit log are sound."""
    from bot.clock import SystemClock
    from bot.security import backup as backups

    settings = command_settings()
    with faults_as_lines():
        target = to or backups.file_to_back_up(settings)
        keys = backups.read_backup_keys(settings)
        if verify:
            wrong = backups.verify(file, keys, target.parent)
            for line in wrong:
                click.echo(line, err=True)
            if wrong:
                sys.exit(1)
            click.echo(f"{file} is sound: file, books and audit log")
            return
        old = backups.restore(file, target, keys, SystemClock().now(), replace=replace)
    tail = "" if old is None else f"; what was there is now {old}"
    click.echo(f"{target} is restored from {file}{tail}")
