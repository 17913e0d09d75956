"""Backups: made while the desk serves, sealed where a key is set, checked before they are used."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot import sealed_file
from bot.keys import KeysFault, read_keys
from bot.sealed_file import Unopened
from bot.settings import Settings
from storage import copies
from storage.database import locked
from storage.migrate import MigrationError

SUFFIX, SEALED_SUFFIX = ".db", ".db.sealed"
_NAME = re.compile(r"hazina-(?P<at>[0-9]{8}T[0-9]{6}Z)\.db(\.sealed)?")
_AT = "%Y%m%dT%H%M%SZ"


class BackupFault(Exception):
    """It cannot be done; says why and what to do."""


def folder_of(settings: Settings) -> Path:
    """Where backups go: beside the database, unless the setting says otherwise."""
    return settings.backup_dir or settings.database.parent / "backups"


def keys_of(settings: Settings) -> Mapping[str, bytes]:
    """Newest first; empty where backups are not sealed. Raises ``KeysFault``."""
    secret = settings.backup_keys
    try:
        return {} if secret is None else read_keys(secret.get_secret_value())
    except KeysFault as fault:
        raise KeysFault(f"BACKUP_KEYS: {fault}") from None


def make(database: Path, folder: Path, keys: Mapping[str, bytes], at: datetime) -> Path:
    """A backup of this moment in ``folder``: whole and on disk under its name, or not there.

    Raises ``BackupFault``, ``sqlite3.Error`` and ``OSError``.
    """
    if not database.exists():
        raise BackupFault(f"there is no database {database}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"hazina-{at.astimezone(UTC).strftime(_AT)}"
    made = folder / f"{name}{SEALED_SUFFIX if keys else SUFFIX}"
    if made.exists():
        raise BackupFault(f"{made} is there already")
    with _passing(database.parent) as passing:  # unsealed only where the database is so too
        plain = passing / "copy.db"
        copies.copy(database, plain, at)
        part = folder / f".{name}.part"
        try:
            with open(part, "xb", opener=_owner_only) as target, plain.open("rb") as source:
                if keys:
                    key_id, key = next(iter(keys.items()))
                    sealed_file.seal(source, target, key_id, key)
                else:
                    shutil.copyfileobj(source, target, sealed_file.CHUNK)
            copies.sync(part)
            part.rename(made)
        finally:
            part.unlink(missing_ok=True)
    copies.sync(folder)
    return made


def made_in(folder: Path) -> list[tuple[datetime, Path]]:
    """The backups that are there, oldest first."""
    if not folder.is_dir():
        return []
    found = []
    for file in folder.iterdir():
        match = _NAME.fullmatch(file.name)
        if match is not None:
            found.append((datetime.strptime(match["at"], _AT).replace(tzinfo=UTC), file))
    return sorted(found)


def prune(folder: Path, kept: int, now: datetime | None = None) -> list[Path]:
    """Delete all but the newest ``kept``; returns what went. What was made later than ``now`` was
    dated by a clock that was ahead of its time, and goes first."""
    made = made_in(folder)
    if now is not None:
        made.sort(key=lambda one: one[0] <= now)
    gone = [file for _, file in made[:-kept]]
    for file in gone:
        file.unlink()
    return gone


def verify(backup: Path, keys: Mapping[str, bytes], beside: Path) -> list[str]:
    """What is wrong with it, in words. Raises ``BackupFault`` where it does not open."""
    with _opened(backup, keys, beside) as plain:
        return list(copies.faults(plain))


def restore(
    backup: Path, to: Path, keys: Mapping[str, bytes], at: datetime, *, replace: bool
) -> Path | None:
    """Put it in the place of ``to`` if nothing is wrong with it; returns where the old one went.

    Raises ``BackupFault``, ``DatabaseInUse`` while a desk runs on ``to``.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with locked(to), _opened(backup, keys, to.parent) as plain:
        if wrong := list(copies.faults(plain)):
            raise BackupFault(f"{backup} is not sound, nothing was done: {wrong[0]}")
        if to.exists() and not replace:
            raise BackupFault(f"{to} is there already: --replace keeps it beside the restored one")
        copies.mark(plain, _made_at(backup))  # one from before there were marks has none
        old = _set_aside(to, at)
        ready = plain.with_name("ready.db")
        with plain.open("rb") as source, open(ready, "xb", opener=_owner_only) as target:
            shutil.copyfileobj(source, target, sealed_file.CHUNK)
        copies.sync(ready)
        ready.rename(to)
        copies.sync(to.parent)
        return old


def _made_at(backup: Path) -> datetime:
    """As its name says; a file of another name is as old as its content."""
    match = _NAME.fullmatch(backup.name)
    if match is None:
        return datetime.fromtimestamp(backup.stat().st_mtime, UTC)
    return datetime.strptime(match["at"], _AT).replace(tzinfo=UTC)


def _set_aside(database: Path, at: datetime) -> Path | None:
    """With what SQLite keeps beside it, so that it still is a database."""
    if not database.exists():
        return None
    old = database.with_name(f"{database.name}.before-{at.astimezone(UTC).strftime(_AT)}")
    for tail in ("", "-wal", "-shm"):
        file = database.with_name(database.name + tail)
        if file.exists():
            file.rename(old.with_name(old.name + tail))
    return old


@contextmanager
def _opened(backup: Path, keys: Mapping[str, bytes], beside: Path) -> Iterator[Path]:
    """The database in a backup, in a folder of its own that is gone afterwards."""
    if not backup.is_file():
        raise BackupFault(f"there is no file {backup}")
    with _passing(beside) as passing:
        plain = passing / "opened.db"
        with backup.open("rb") as source, open(plain, "xb", opener=_owner_only) as target:
            if sealed_file.is_sealed(backup):
                try:
                    sealed_file.unseal(source, target, keys)
                except Unopened as why:
                    raise BackupFault(f"{backup} does not open: {why}") from None
            else:
                shutil.copyfileobj(source, target, sealed_file.CHUNK)
        try:
            copies.bring_up(plain)
        except (sqlite3.Error, MigrationError) as why:
            raise BackupFault(f"{backup} is no database of this program: {why}") from None
        yield plain


@contextmanager
def _passing(beside: Path) -> Iterator[Path]:
    """A folder on the same disk that only its owner may enter, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".hazina-", dir=beside) as folder:
        yield Path(folder)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, copies.OWNER_ONLY)
