"""The database's file: locked against a second process, and checked to be still in place.

If its name is given to another file while it is open, nobody will find what is written to it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain.database import DatabaseFileMoved, DatabaseInUse, LockingUnsupported

TAILS = ("-wal", "-shm")  # files SQLite keeps beside it while it is open
OWNER_ONLY = 0o600
# Errors of file systems that have no locks, or whose server does not grant them.
LOCKLESS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})

_Identity = tuple[int, int]  # device and inode


class DatabaseFile:
    """Created by ``hold``. While it is held, no other process can hold the same file by any name.

    On Linux the file itself is locked: flock(2) and SQLite's locks do not affect each other there.
    Elsewhere they do, so only the name is locked, through a separate lock file
    (docs/decisions/0025). The descriptor must outlive SQLite's own: closing any descriptor of a
    file drops all of SQLite's locks on it (sqlite.org/howtocorrupt, 2.2).
    """

    def __init__(self, path: Path, name: int, file: int | None) -> None:
        self._path = path
        self._name = name
        self._file = file
        self._beside: dict[Path, _Identity | None] = {}

    @classmethod
    def hold(cls, path: Path, *, make: bool = True) -> DatabaseFile:
        """With ``make``, create an empty, owner-only file if there is none.

        Raises ``DatabaseInUse``, ``LockingUnsupported``, ``OSError``.
        """
        name = os.open(f"{path.resolve()}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
        try:
            _lock(name, path)
            file = _open(path, make)
        except BaseException:
            os.close(name)
            raise
        if file is not None and sys.platform == "linux":
            try:
                _lock(file, path)
                _let_sqlite_lock(file, path)
            except BaseException:
                # Keep ``file`` open: it may be our own database by another name, with SQLite's
                # locks on it.
                os.close(name)
                raise
        return cls(path, name, file)

    def record_side_files(self) -> None:
        """Remember the files SQLite opened beside it. Call only while it is open, and by nobody
        else."""
        beside = (self._path.with_name(self._path.name + tail) for tail in TAILS)
        self._beside = {file: _identity(file) for file in beside}

    def forget(self) -> None:
        """Call when SQLite has closed it, and may have deleted the files beside it."""
        self._beside = {}

    def verify(self) -> None:
        """Raises ``DatabaseFileMoved`` when a name leads to another file or none; ``OSError``."""
        assert self._file is not None, "what is looked at was made"
        opened = os.fstat(self._file)
        _compare(self._path, (opened.st_dev, opened.st_ino))
        for file, identity in self._beside.items():
            _compare(file, identity)

    def release(self) -> None:
        """Call only after all connections to it are closed."""
        if self._file is not None:
            os.close(self._file)
        os.close(self._name)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep all other processes from writing to ``path``, which need not exist.

    Raises ``DatabaseInUse``, ``LockingUnsupported``, ``OSError``.
    """
    held = DatabaseFile.hold(path, make=False)
    try:
        yield
    finally:
        held.release()


def _open(path: Path, make: bool) -> int | None:
    """Open for writing: otherwise an overlay file system may open the lower layer's file."""
    if not make and not path.is_file():
        return None
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0)
    return os.open(path, flags, OWNER_ONLY)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DatabaseInUse(f"another hazina is using {path}: stop it first") from None
    except OSError as error:
        if error.errno in LOCKLESS:
            raise _no_locks(path, str(error.strerror)) from None
        raise


def _let_sqlite_lock(handle: int, path: Path) -> None:
    """Over NFS a flock locks the whole file and would keep SQLite itself out; detect that."""
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        fcntl.lockf(handle, fcntl.LOCK_UN, 1)
    except OSError as error:
        if error.errno in LOCKLESS or error.errno in (errno.EAGAIN, errno.EACCES):
            raise _no_locks(path, str(error.strerror)) from None
        raise


def _no_locks(path: Path, why: str) -> LockingUnsupported:
    return LockingUnsupported(
        f"the file system of {path} has no locks that keep a second hazina out ({why}):"
        " set DATABASE to a local disk"
    )


def _identity(file: Path) -> _Identity | None:
    try:
        there = os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return there.st_dev, there.st_ino


def _compare(file: Path, opened: _Identity | None) -> None:
    found = _identity(file)
    if found != opened:
        raise DatabaseFileMoved(f"{file.name} is {'gone' if found is None else 'another file'}")
