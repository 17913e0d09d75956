"""A database "on a server" that is a file in truth: what stands above storage, without a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest

from services.domain.database import DatabaseCondition, DatabaseServer
from services.domain.stored_secret import StoredSecret
from services.ports import Audit
from services.ports.database import Database
from storage.sqlite import engine

PASSWORD = "s3cr@t/w0rds"
WRITTEN = "s3cr%40t%2Fw0rds"  # as an address has it
ADDRESS = f"postgresql://desk:{WRITTEN}@a.test:5432,b.test:5432/hazina?target_session_attrs=any"
MASKED = "postgresql://desk:***@a.test:5432,b.test:5432/hazina?target_session_attrs=any"
SERVER = DatabaseServer(ADDRESS)


class FileBehindServer:
    """An engine for ``SERVER`` alone; ``opened`` counts how often it was opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened = 0

    async def open_database(
        self,
        address: DatabaseServer,
        /,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = lambda point: None,
        threads: bool = True,
    ) -> Database:
        self.opened += 1
        return await engine.open_database(
            self._behind(address), now, monotonic=monotonic, probe=probe, threads=threads
        )

    async def migrate(
        self, address: DatabaseServer, /, now: Callable[[], datetime]
    ) -> Sequence[str]:
        return await engine.migrate(self._behind(address), now)

    def condition(self, address: DatabaseServer, /) -> DatabaseCondition:
        return engine.condition(self._behind(address))

    def stored_secrets(self, address: DatabaseServer, /) -> Sequence[StoredSecret]:
        return engine.stored_secrets(self._behind(address))

    def audit_log(self, address: DatabaseServer, /) -> AbstractContextManager[Audit]:
        return engine.audit_log(self._behind(address))

    def _behind(self, address: DatabaseServer) -> Path:
        assert address == SERVER
        return self.path


def serve_file(path: Path, patch: pytest.MonkeyPatch) -> FileBehindServer:
    """Every address on a server leads to this file from here on."""
    server = FileBehindServer(path)
    patch.setattr("bot.database._on_server", lambda: server)
    return server
