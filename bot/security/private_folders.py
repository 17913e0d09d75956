"""Temporary folders for unsealed data, accessible to their owner only.

What a killed program leaves in them is deleted by the next one.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

_PREFIX = ".hazina-"
# A folder named by ``tempfile``, or an unfinished backup of earlier versions.
_OURS = re.compile(re.escape(_PREFIX) + r"([a-z0-9_]{8}|[0-9]{8}T[0-9]{6}Z\.part)")
_HELD = "held"  # lock file: locked while a program uses the folder


@contextmanager
def private_folder(beside: Path) -> Iterator[Path]:
    """A folder in ``beside``, so on the same disk, deleted afterwards. Raises ``OSError``."""
    sweep(beside)
    folder, held = _made(beside)
    try:
        yield folder
    finally:
        _clear(folder, held)


def sweep(beside: Path) -> None:
    """Delete what killed programs left in ``beside``; folders still in use stay."""
    try:
        leftovers = [path for path in beside.iterdir() if _OURS.fullmatch(path.name)]
    except FileNotFoundError:
        return
    for path in leftovers:
        try:
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)
            elif (held := _hold(path)) is not None:
                _clear(path, held)
        except OSError as error:  # for example, another user owns it
            _log.warning("what a killed backup left stays", folder=str(path), why=str(error))


def _made(beside: Path) -> tuple[Path, int]:
    while True:  # until no concurrent sweep deleted it
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=beside))  # mode 0700
        held = _hold(folder)
        if held is not None:
            return folder, held


def _hold(folder: Path) -> int | None:
    """Lock it until the handle is closed; ``None`` if another holds or has deleted it."""
    file = folder / _HELD
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        raise
    if not file.exists():
        os.close(handle)
        return None
    return handle


def _clear(folder: Path, held: int) -> None:
    """Delete its contents under the lock, and then the folder with the lock file.

    The second step may race with another program, which is harmless. NFS does not delete the folder
    of an open file, so the lock is released first.
    """
    try:
        for path in folder.iterdir():
            if path.name != _HELD:
                path.unlink()
    finally:
        os.close(held)
    shutil.rmtree(folder, ignore_errors=True)
