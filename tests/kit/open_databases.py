"""Databases of the engine under test: SQLite's, or on the server of ``--on-postgres``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.database import simulated_databases
from services.ports.simulated_databases import SimulatedDatabase
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.copied_database import CopiedDatabase
from tests.kit.on_server import test_server


def simulated_database() -> SimulatedDatabase:
    """A blank database for work without threads, to be closed. SQLite's is in memory."""
    server = test_server()
    if server is None:
        return simulated_databases.in_memory()
    return CopiedDatabase(server)


@asynccontextmanager
async def open_database(path: Path, now: Callable[[], datetime]) -> AsyncIterator[Any]:
    """A blank database as the product opens it. SQLite's is the file at ``path``."""
    server = test_server()
    if server is None:
        database = await Database.open(blank_file(path), now)
        try:
            yield database
        finally:
            await database.close()
        return
    served = CopiedDatabase(server)
    try:
        on_server = await served.open(now, threads=True)
        try:
            yield on_server
        finally:
            await on_server.close()
    finally:
        served.close()
