"""A backup as a file: what it is called, and how it is opened without trusting it."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bot.security import sealed_file
from bot.security.private_folders import private_folder
from bot.security.sealed_file import CannotUnseal
from storage.sqlite import snapshots
from storage.sqlite.snapshots import InvalidDatabaseFile

SUFFIX, SEALED_SUFFIX = ".db", ".db.sealed"
AT = "%Y%m%dT%H%M%SZ"  # a moment within a name, UTC
_NAME = re.compile(r"hazina-(?P<at>[0-9]{8}T[0-9]{6}Z)\.db(\.sealed)?")


class BackupFault(Exception):
    """It cannot be done; says why and what to do."""


def name_of(at: datetime, *, sealed: bool) -> str:
    return f"hazina-{at.astimezone(UTC).strftime(AT)}{SEALED_SUFFIX if sealed else SUFFIX}"


def named_at(file: Path) -> datetime | None:
    """``None`` of a file that is not called as backups are."""
    match = _NAME.fullmatch(file.name)
    return None if match is None else datetime.strptime(match["at"], AT).replace(tzinfo=UTC)


def resolve_links(path: Path) -> Path:
    """Where links lead to: there SQLite keeps what belongs to a database."""
    return Path(os.path.realpath(path))


def logs_beside(database: Path) -> list[Path]:
    """What SQLite has left of a database beside it, and would take up with any that lies there."""
    logs = (database.with_name(database.name + tail) for tail in snapshots.LOGS)
    return [log for log in logs if not snapshots.is_empty(log)]


@contextmanager
def extracted(
    backup: Path, keys: Mapping[str, bytes], beside: Path
) -> Iterator[tuple[Path, datetime]]:
    """The database in it, brought up to date, in a folder of its own that is gone afterwards; and
    when it was made. Nobody can change it between a look at it and its use.

    Raises ``InvalidDatabaseFile``, ``BackupFault`` where there is no such file, ``OSError``.
    """
    with private_folder(beside) as folder:
        plain = folder / "opened.db"
        with _whole(backup) as source, open(plain, "xb", opener=owner_only) as target:
            made_at = named_at(backup) or _changed_at(source)
            if sealed_file.is_sealed(source):
                try:
                    sealed_file.unseal(source, target, keys)
                except CannotUnseal as why:
                    raise InvalidDatabaseFile(f"it does not open: {why}") from None
            else:
                shutil.copyfileobj(source, target, sealed_file.CHUNK)
        snapshots.upgrade(plain)
        yield plain, made_at


@contextmanager
def _whole(backup: Path) -> Iterator[BinaryIO]:
    """Open, if it is a file (a pipe would be waited for), and no log has parts of it."""
    try:
        handle = os.open(backup, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise BackupFault(f"there is no file {backup}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BackupFault(f"{backup} is no file")
    with os.fdopen(handle, "rb") as file:
        if logs := logs_beside(resolve_links(backup)):
            raise InvalidDatabaseFile(
                f"{logs[0]} is beside it and has parts of it: copy both, and `hazina backup` with"
                " DATABASE set to the copy makes a backup that is whole"
            )
        yield file


def _changed_at(file: BinaryIO) -> datetime:
    return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)


def owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, snapshots.OWNER_ONLY)
