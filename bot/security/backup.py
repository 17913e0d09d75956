"""Backups: made while the program runs, sealed if a key is set, verified before they are used."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from bot.database import database_files
from bot.security import sealed_file
from bot.security.backup_file import (
    AT,
    BackupFault,
    extracted,
    name_of,
    named_at,
    owner_only,
    resolve_links,
)
from bot.security.keyring import KeysFault, read_keys
from bot.security.private_folders import private_folder, sweep
from bot.settings import Settings
from services.domain.database import InvalidDatabaseFile

NEVER = datetime.fromtimestamp(0, UTC)
ON_SERVER = (
    "the database is on a server: pgbackrest backs it up and restores it (docs/scale.md), and"
    " `hazina copy` brings it back to a file"
)


def file_to_back_up(settings: Settings) -> Path:
    """The database, which backups are made of and restored to. Raises ``BackupFault`` if it is on
    a server."""
    if settings.database_file is None:
        raise BackupFault(ON_SERVER)
    return settings.database_file


def backup_folder(settings: Settings, database: Path) -> Path:
    """The folder for backups: beside the database, unless the setting says otherwise."""
    return settings.backup_dir or database.parent / "backups"


def read_backup_keys(settings: Settings) -> Mapping[str, bytes]:
    """Newest first; empty if backups are not sealed. Raises ``KeysFault``."""
    secret = settings.backup_keys
    try:
        return {} if secret is None else read_keys(secret.get_secret_value())
    except KeysFault as fault:
        raise KeysFault(f"BACKUP_KEYS: {fault}") from None


def make(database: Path, folder: Path, keys: Mapping[str, bytes], at: datetime) -> Path:
    """Make a backup in ``folder``: complete and synced to disk under its name, or none at all.

    A database that is empty, damaged, or differs from its version's schema is not backed up: the
    backup would displace older, sound ones. Raises ``BackupFault``, ``DatabaseFailed``,
    ``OSError``.
    """
    database = resolve_links(database)
    if not database.is_file():
        raise BackupFault(f"there is no database {database}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = folder / name_of(at, sealed=bool(keys))
    if made.exists():
        raise BackupFault(f"{made} is there already")
    # The unsealed copy stays beside the database, which is unsealed too.
    with private_folder(database.parent) as inside, private_folder(folder) as outside:
        plain, part = inside / "copy.db", outside / "part"
        database_files.copy(database, plain, at)
        try:
            database_files.validate(plain)
            database_files.check_pages(plain)
        except InvalidDatabaseFile as why:
            raise BackupFault(f"{database} is not backed up: {why}") from None
        with open(part, "xb", opener=owner_only) as target, plain.open("rb") as source:
            if keys:
                key_id, key = next(iter(keys.items()))
                sealed_file.seal(source, target, key_id, key)
            else:
                shutil.copyfileobj(source, target, sealed_file.CHUNK)
        database_files.sync(part)
        part.rename(made)
    database_files.sync(folder)
    return made


def list_backups(folder: Path) -> list[tuple[datetime, Path]]:
    """The existing backups, oldest first."""
    if not folder.is_dir():
        return []
    return sorted((at, file) for file in folder.iterdir() if (at := named_at(file)) is not None)


def newest_at(folder: Path, now: datetime) -> datetime:
    """When the newest backup was made, ``NEVER`` if there is none. One dated after ``now``, by a
    clock that was ahead, does not count."""
    return max((at for at, _ in list_backups(folder) if at <= now), default=NEVER)


def prune(folder: Path, kept: int, now: datetime | None = None) -> list[Path]:
    """Delete all but the newest ``kept``; returns those deleted. Backups dated after ``now``, by a
    clock that was ahead, are deleted first."""
    backups = list_backups(folder)
    if now is not None:
        backups.sort(key=lambda backup: backup[0] <= now)
    deleted = [file for _, file in backups[:-kept]]
    for file in deleted:
        file.unlink()
    return deleted


def sweep_leftovers(settings: Settings) -> None:
    """Delete leftovers of killed backups and restores. Raises ``OSError``."""
    if (database := settings.database_file) is not None:
        sweep(resolve_links(database).parent)
        sweep(backup_folder(settings, database))


def verify(backup: Path, keys: Mapping[str, bytes], beside: Path) -> list[str]:
    """Descriptions of what is wrong with it; it is extracted in ``beside``. Raises ``BackupFault``
    if there is no such file, ``OSError``."""
    beside.mkdir(parents=True, exist_ok=True)
    try:
        with extracted(backup, keys, beside) as (plain, _):
            return list(database_files.faults(plain))
    except InvalidDatabaseFile as why:
        return [str(why)]


def restore(
    backup: Path, to: Path, keys: Mapping[str, bytes], at: datetime, *, replace: bool
) -> Path | None:
    """Replace ``to`` with the backup if that is sound; returns where the old database was moved.

    A link to the database stays a link. Raises ``BackupFault``, ``DatabaseFailed``, ``OSError``,
    ``LockingUnsupported``, and ``DatabaseInUse`` while the program runs on ``to``.
    """
    to = resolve_links(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    with database_files.locked(to):
        if (there := _there(to)) and not replace:
            _refuse(to, there)
        try:
            with extracted(backup, keys, to.parent) as (plain, made_at):
                if wrong := list(database_files.faults(plain)):
                    raise InvalidDatabaseFile(wrong[0])
                database_files.mark(plain, min(made_at, at))  # backups of old versions have no mark
                database_files.sync(plain)
                old = _set_aside(to, at)
                plain.rename(to)
        except InvalidDatabaseFile as why:
            raise BackupFault(f"{backup} is not sound, nothing was done: {why}") from None
        database_files.sync(to.parent)
        return old


def _there(database: Path) -> list[Path]:
    """The database unless it is empty, and its logs, which may exist without it."""
    if database.exists() and not database.is_file():
        raise BackupFault(f"{database} is no file")
    logs = database_files.logs_beside(database)
    return [*([] if database_files.is_empty(database) else [database]), *logs]


def _refuse(database: Path, there: list[Path]) -> NoReturn:
    if database in there:
        keeps = "--replace keeps it beside the restored one"
        raise BackupFault(f"{database} is there already: {keeps}")
    raise BackupFault(
        f"{there[0]} is there without its database: what was committed last may stand in it alone."
        " Put its database back beside it, or say --replace, which keeps it"
    )


def _set_aside(database: Path, at: datetime) -> Path | None:
    """Moves the database first: if interrupted, nothing can start on a partial one."""
    name = f"{database.name}.before-{at.astimezone(UTC).strftime(AT)}"
    aside = {
        file: file.with_name(name + file.name.removeprefix(database.name))
        for file in _there(database)
    }
    for new in aside.values():
        if new.exists():
            raise BackupFault(f"{new} is there already: move it away")
    for file, new in aside.items():
        file.rename(new)
    database_files.remove_index_beside(database)
    return next(iter(aside.values()), None)
