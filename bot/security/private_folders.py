"""Folders for what passes through a disk unsealed: only their owner may enter, and whoever comes
next deletes what a killed program has left in them."""

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
# A folder as ``tempfile`` names it; and the unfinished backup of programs before this one.
_OURS = re.compile(re.escape(_PREFIX) + r"([a-z0-9_]{8}|[0-9]{8}T[0-9]{6}Z\.part)")
_HELD = "held"  # the file whose lock says that somebody is at work in the folder


@contextmanager
def private_folder(beside: Path) -> Iterator[Path]:
    """A folder in ``beside``, so on the same disk, that is gone afterwards. Raises ``OSError``."""
    sweep(beside)
    folder, held = _made(beside)
    try:
        yield folder
    finally:
        _clear(folder, held)


def sweep(beside: Path) -> None:
    """Delete what killed programs have left in ``beside``; what somebody still works in stays."""
    try:
        left = [one for one in beside.iterdir() if _OURS.fullmatch(one.name)]
    except FileNotFoundError:
        return
    for one in left:
        try:
            if one.is_symlink() or not one.is_dir():
                one.unlink(missing_ok=True)
            elif (held := _hold(one)) is not None:
                _clear(one, held)
        except OSError as error:  # such as one that belongs to somebody else
            _log.warning("what a killed backup left stays", folder=str(one), why=str(error))


def _made(beside: Path) -> tuple[Path, int]:
    while True:  # until none that sweeps has come in between
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=beside))  # mode 0700
        held = _hold(folder)
        if held is not None:
            return folder, held


def _hold(folder: Path) -> int | None:
    """Its lock, while the handle is open; ``None`` where another has it, or has deleted it."""
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
    """What is in it first, under the lock; then the rest, which tells nobody anything and may be
    deleted by two at once. NFS deletes no folder of an open file."""
    try:
        for one in folder.iterdir():
            if one.name != _HELD:
                one.unlink()
    finally:
        os.close(held)
    shutil.rmtree(folder, ignore_errors=True)
