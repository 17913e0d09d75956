"""Whole databases as files: what backups and restores are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol


class FileCheck(Protocol):
    """Looks for damage in a database, even while it is in use."""

    def run(self) -> str | None:
        """Read everything from disk; returns the first fault on one line.

        For a thread: it takes milliseconds per megabyte. Raises ``DatabaseFailed`` when the
        database cannot be read for reasons other than damage.
        """
        ...

    def interrupt(self) -> None:
        """Abort a run on another thread, which then raises ``DatabaseFailed``."""
        ...


class DatabaseFiles(Protocol):
    """All methods raise ``OSError``, and ``DatabaseFailed`` when a file cannot be read or written
    as a database."""

    def copy(self, database: Path, to: Path, at: datetime | None = None) -> None:
        """Copy ``database`` as of one consistent moment, into an owner-only file.

        The copy is marked as made ``at`` that moment (default: now), so that whoever opens it to
        serve knows that the original went on. Writers are not blocked meanwhile. ``to`` must not
        exist.
        """
        ...

    def mark(self, database: Path, at: datetime) -> None:
        """Mark a copy that was made without a mark, no older than its newest content."""
        ...

    def sync(self, path: Path) -> None:
        """Flush a folder's names, or a file's content, to disk."""
        ...

    def validate(self, database: Path) -> None:
        """Check that the file is a complete database of this program, of any version. Raises
        ``InvalidDatabaseFile``."""
        ...

    def check_pages(self, database: Path) -> None:
        """Check its structure, not its content. Raises ``InvalidDatabaseFile``."""
        ...

    def upgrade(self, database: Path) -> None:
        """Migrate a copy made by an older program. Raises ``InvalidDatabaseFile``."""
        ...

    def faults(self, database: Path) -> Iterator[str]:
        """What is wrong with the file, its schema, the books and the audit log, in words."""
        ...

    def is_empty(self, database: Path) -> bool:
        """The file is missing or has no content."""
        ...

    def is_blank(self, database: Path) -> bool:
        """The file is missing, or a database with nothing in it."""
        ...

    def logs_beside(self, database: Path) -> Sequence[Path]:
        """Non-empty files beside it that hold what was committed last. Whatever database has its
        name, they would be applied to it."""
        ...

    def remove_index_beside(self, database: Path) -> None:
        """Remove what is kept beside an open database and made again from its logs."""
        ...

    def file_check(self, database: Path) -> FileCheck: ...

    def locked(self, database: Path) -> AbstractContextManager[None]:
        """Keep all other processes from writing to ``database``, which need not exist.

        Raises ``DatabaseInUse``, ``LockingUnsupported``.
        """
        ...
