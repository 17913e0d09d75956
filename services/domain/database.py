"""How writing takes turns, and what can be wrong with a database.

Every fault says in its message what is wrong, in words for whoever runs the program::

    DatabaseFault
    ├── DatabaseFailed            reading or writing failed
    │   ├── DatabaseRefused       a rule of the schema was broken: a fault of the program
    │   └── DatabaseUnavailable   it is being reopened: retry
    ├── DatabaseDamaged
    ├── DatabaseInUse
    ├── DatabaseFileMoved
    ├── LockingUnsupported
    ├── MigrationError
    └── InvalidDatabaseFile
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Priority(IntEnum):
    """Who goes first when both are waiting."""

    PEOPLE = 0
    JOBS = 1


class DatabaseCondition(NamedTuple):
    """``damage``: the first fault found in the file; ``pending``: migrations not yet applied."""

    damage: str | None
    pending: tuple[str, ...]


class DatabaseFault(Exception):
    """The database cannot be used as it is."""


class DatabaseFailed(DatabaseFault):
    """Reading or writing failed; the message is the database engine's own."""


class DatabaseRefused(DatabaseFailed):
    """What was to be written breaks a rule of the schema, and will the next time too."""


class DatabaseUnavailable(DatabaseFailed):
    """Nothing in the batch was committed; the database is being reopened. Retry."""


class DatabaseDamaged(DatabaseFault):
    """The file cannot be trusted; the message says what was found."""


class DatabaseInUse(DatabaseFault):
    """Another process is using this database."""


class LockingUnsupported(DatabaseFault):
    """The file system cannot keep a second process out."""


class DatabaseFileMoved(DatabaseFault):
    """The database's name no longer leads to a file, or leads to a different one."""


class MigrationError(DatabaseFault):
    """The database does not fit this program; the message says what to do."""


class InvalidDatabaseFile(DatabaseFault):
    """The file is not a complete database of this program; the message says why."""


class SimulatedCrash(BaseException):
    """Raised by a probe: the writer stops at once, as if the process had been killed."""
