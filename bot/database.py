"""The database engine, chosen here and nowhere else: the rest of ``bot`` knows only protocols.

An engine is a few modules of functions, which mypy compares with the protocols. SQLite's databases
are files, PostgreSQL's are on servers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from services.domain.audit import Head
from services.domain.database import (
    DatabaseAddress,
    DatabaseCondition,
    DatabaseServer,
    DriverMissing,
)
from services.domain.stored_secret import StoredSecret
from services.ports import Audit
from services.ports.database import Database, DatabaseEngine
from services.ports.database_files import DatabaseFiles
from services.ports.simulated_databases import SimulatedDatabase, SimulatedDatabases
from storage.sqlite import engine as sqlite_engine
from storage.sqlite import simulated as sqlite_simulated
from storage.sqlite import snapshots as sqlite_files

if TYPE_CHECKING:
    from services.ports import Tx
    from storage.transaction import StoreTx

    def compared(tx: StoreTx) -> Tx:
        """Of a store that does not fit its protocol, mypy says here which one it is."""
        return tx


def _check_driver() -> None:
    if find_spec("psycopg") is None:
        raise DriverMissing


def _on_server() -> DatabaseEngine[DatabaseServer]:
    """Imported only where it is needed: its driver is an extra. Raises ``DriverMissing``."""
    _check_driver()
    from storage.postgres import engine

    return engine


class _ByAddress:
    """Each call goes to the engine that the address belongs to."""

    async def open_database(
        self,
        address: DatabaseAddress,
        /,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = lambda point: None,
        threads: bool = True,
    ) -> Database:
        if isinstance(address, Path):
            return await _in_files.open_database(
                address, now, monotonic=monotonic, probe=probe, threads=threads
            )
        return await _on_server().open_database(
            address, now, monotonic=monotonic, probe=probe, threads=threads
        )

    async def migrate(
        self, address: DatabaseAddress, /, now: Callable[[], datetime]
    ) -> Sequence[str]:
        if isinstance(address, Path):
            return await _in_files.migrate(address, now)
        return await _on_server().migrate(address, now)

    def condition(self, address: DatabaseAddress, /) -> DatabaseCondition:
        if isinstance(address, Path):
            return _in_files.condition(address)
        return _on_server().condition(address)

    def stored_secrets(self, address: DatabaseAddress, /) -> Sequence[StoredSecret]:
        if isinstance(address, Path):
            return _in_files.stored_secrets(address)
        return _on_server().stored_secrets(address)

    def audit_log(self, address: DatabaseAddress, /) -> AbstractContextManager[Audit]:
        if isinstance(address, Path):
            return _in_files.audit_log(address)
        return _on_server().audit_log(address)


class _Simulated:
    """Files and memory are SQLite's."""

    in_memory = staticmethod(sqlite_simulated.in_memory)
    create_blank = staticmethod(sqlite_simulated.create_blank)
    copy_as_killed = staticmethod(sqlite_simulated.copy_as_killed)
    delete = staticmethod(sqlite_simulated.delete)

    def on_server(self, server: DatabaseServer) -> SimulatedDatabase:
        _check_driver()
        from storage.postgres import simulated

        return simulated.on_server(server)


def copy_database(
    source: DatabaseAddress, target: DatabaseAddress, at: datetime, *, moves: bool
) -> tuple[int, Head]:
    """See ``storage.copying.copy``; the number of rows, and the head of the audit log."""
    _check_driver()
    from storage import copying

    return copying.copy(source, target, at, moves=moves)


_in_files: DatabaseEngine[Path] = sqlite_engine
database_engine: DatabaseEngine[DatabaseAddress] = _ByAddress()
database_files: DatabaseFiles = sqlite_files
simulated_databases: SimulatedDatabases = _Simulated()
