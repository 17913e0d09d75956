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
    ├── InvalidDatabaseFile
    ├── CopyRefused
    └── DriverMissing
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

# The user's password, and the parameters that libpq keeps from being shown.
_SECRET = re.compile(
    r"(?<=://)(?P<user>[^:/@]*:)(?P<password>[^/]*)(?=@)"
    r"|(?P<name>[?&](?:password|sslpassword|oauth_client_secret|scram_(?:client|server)_key)=)"
    r"(?P<value>[^&]*)"
)

# Behind a password, in which commas may stand; or as a parameter.
_SEVERAL_HOSTS = re.compile(r"://(?:[^/?]*@)?+[^/?]*,|[?&]host=[^&]*(?:,|%2C)", re.IGNORECASE)


@dataclass(frozen=True)
class DatabaseServer:
    """A database on a server. ``dsn`` may hold a password; in words it is masked."""

    dsn: str = field(repr=False)
    patroni: tuple[str, ...] = ()  # addresses of Patroni's REST API; then it names the primary

    def __str__(self) -> str:
        return _SECRET.sub(lambda found: f"{found['user'] or found['name']}***", self.dsn)

    @property
    def has_several_hosts(self) -> bool:
        return _SEVERAL_HOSTS.search(self.dsn) is not None

    @property
    def secrets(self) -> list[str]:
        """What is masked, both as it is written in ``dsn`` and decoded."""
        found = (match["password"] or match["value"] for match in _SECRET.finditer(self.dsn))
        return [form for written in found if written for form in (written, unquote(written))]


DatabaseAddress: TypeAlias = Path | DatabaseServer  # a file, or a database on a server


class Priority(IntEnum):
    """Who goes first when both are waiting."""

    PEOPLE = 0
    JOBS = 1


# Set for what only the leader of several processes may write: once another leads, it is refused.
leading: ContextVar[bool] = ContextVar("leading", default=False)


@dataclass(frozen=True, slots=True)
class OtherProcess:
    """One that serves the same database. ``says`` is what it last said of itself, a second or two
    ago; ``leads``: it does what only one may."""

    id: str
    leads: bool
    says: str


class LogArchive(NamedTuple):
    """Whether a server archives its log, and when it last did and last could not. Its figures begin
    anew when another node becomes the primary."""

    is_on: bool
    archived_at: datetime | None
    failed_at: datetime | None


class DatabaseCondition(NamedTuple):
    """``damage``: the first fault found in the file; ``pending``: migrations not yet applied;
    ``archive``: of a server's log, ``None`` for a file."""

    damage: str | None
    pending: tuple[str, ...]
    archive: LogArchive | None = None


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


class CopyRefused(DatabaseFault):
    """A database cannot be copied to where it was meant to go; the message says why."""


class DriverMissing(DatabaseFault):
    """The library that speaks to the database's server is not installed."""

    def __init__(self) -> None:
        super().__init__("PostgreSQL needs its driver: install hazina[postgres]")


class SimulatedCrash(BaseException):
    """Raised by a probe: the writer stops at once, as if the process had been killed."""
