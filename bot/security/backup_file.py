"""Backup files: how they are named, and how they are opened without trusting them."""

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

from bot.database import database_files
from bot.security import sealed_file
from bot.security.private_folders import private_folder
from bot.security.sealed_file import CannotUnseal
from services.domain.database import InvalidDatabaseFile

OWNER_ONLY = 0o600
SUFFIX, SEALED_SUFFIX = ".db", ".db.sealed"
AT = "%Y%m%dT%H%M%SZ"  # timestamp in file names, UTC
_NAME = re.compile(r"hazina-(?P<at>[0-9]{8}T[0-9]{6}Z)\.db(\.sealed)?")


class BackupFault(Exception):
    """The operation is not possible; says why and what to do."""


def name_of(at: datetime, *, sealed: bool) -> str:
    return f"hazina-{at.astimezone(UTC).strftime(AT)}{SEALED_SUFFIX if sealed else SUFFIX}"


def named_at(file: Path) -> datetime | None:
    """``None`` if the file is not named like a backup."""
    match = _NAME.fullmatch(file.name)
    return None if match is None else datetime.strptime(match["at"], AT).replace(tzinfo=UTC)


def resolve_links(path: Path) -> Path:
    """The link's target: a database's logs are beside it, not beside the link."""
    return Path(os.path.realpath(path))


@contextmanager
def extracted(
    backup: Path, keys: Mapping[str, bytes], beside: Path
) -> Iterator[tuple[Path, datetime]]:
    """The backup's database, migrated, and when it was made. It is in a private folder, deleted
    afterwards, so that nobody can change it between check and use.

    Raises ``InvalidDatabaseFile``, ``BackupFault`` if there is no such file, ``OSError``.
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
        database_files.upgrade(plain)
        yield plain, made_at


@contextmanager
def _whole(backup: Path) -> Iterator[BinaryIO]:
    """Open it if it is a regular file (a pipe would block), and no log holds parts of it."""
    try:
        handle = os.open(backup, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise BackupFault(f"there is no file {backup}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BackupFault(f"{backup} is no file")
    with os.fdopen(handle, "rb") as file:
        if logs := database_files.logs_beside(resolve_links(backup)):
            raise InvalidDatabaseFile(
                f"{logs[0]} is beside it and has parts of it: copy both, and `hazina backup` with"
                " DATABASE set to the copy makes a backup that is whole"
            )
        yield file


def _changed_at(file: BinaryIO) -> datetime:
    return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)


def owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, OWNER_ONLY)
