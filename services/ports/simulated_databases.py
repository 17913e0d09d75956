"""Databases of simulations: blank ones, in memory, and as a killed process leaves them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from services.ports.database import Database


class MemoryDatabase(Protocol):
    """A blank database without a file or threads. It survives simulated crashes, with what was
    committed."""

    async def open(
        self,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = ...,
    ) -> Database:
        """As ``DatabaseEngine.open_database`` does without threads."""
        ...

    def content(self) -> bytes:
        """All that is stored."""
        ...

    def close(self) -> None:
        """Drop it. The database must be closed."""
        ...


class SimulatedDatabases(Protocol):
    def in_memory(self) -> MemoryDatabase: ...

    def create_blank(self, path: Path) -> None:
        """A fully migrated empty database, faster than by migrations."""
        ...

    def copy_as_killed(self, path: Path, to: Path) -> None:
        """Copy an open database as a kill at this moment would leave it on disk."""
        ...

    def delete(self, path: Path) -> None:
        """Delete it with everything that is kept beside it."""
        ...
