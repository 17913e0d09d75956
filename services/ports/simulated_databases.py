"""Databases of simulations: blank ones, in memory or on a server, and files as a killed process
leaves them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from services.domain.database import DatabaseAddress, DatabaseServer
from services.ports.database import Database


class SimulatedDatabase(Protocol):
    """A blank database of one world. It survives simulated crashes, with what was committed."""

    @property
    def address(self) -> DatabaseAddress:
        """Where a process that is not simulated finds it."""
        ...

    async def open(
        self,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = ...,
        threads: bool = False,
    ) -> Database:
        """As ``DatabaseEngine.open_database``. One in memory has no threads."""
        ...

    def content(self) -> bytes:
        """All that is stored."""
        ...

    def close(self) -> None:
        """Drop it. The database must be closed."""
        ...


class SimulatedDatabases(Protocol):
    def in_memory(self) -> SimulatedDatabase: ...

    def on_server(self, server: DatabaseServer) -> SimulatedDatabase:
        """In a schema of its own in the database at ``server``. Raises ``DatabaseFault``."""
        ...

    def create_blank(self, path: Path) -> None:
        """A fully migrated empty database, faster than by migrations."""
        ...

    def copy_as_killed(self, path: Path, to: Path) -> None:
        """Copy an open database as a kill at this moment would leave it on disk."""
        ...

    def delete(self, path: Path) -> None:
        """Delete it with everything that is kept beside it."""
        ...
