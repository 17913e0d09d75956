"""How writing takes turns, and what goes wrong with a database."""

from __future__ import annotations

from enum import IntEnum


class DatabaseUnavailable(Exception):
    """Nothing in the batch was committed; the database is being reopened. Retry."""


class Priority(IntEnum):
    """Who goes first when both are waiting."""

    PEOPLE = 0
    JOBS = 1


class DatabaseDamaged(Exception):
    """The file cannot be trusted; the message says what was found."""


class DatabaseInUse(Exception):
    """Another process is using this database."""


class LockingUnsupported(Exception):
    """The file system cannot keep a second process out."""


class DatabaseFileMoved(Exception):
    """The database's name no longer leads to a file, or leads to a different one."""


class MigrationError(Exception):
    """The database does not fit this program; the message says what to do."""


class InvalidDatabaseFile(Exception):
    """The file is not a complete database of this program; the message says why."""


class SimulatedCrash(BaseException):
    """Raised by a probe: the writer stops at once, as if the process had been killed."""
