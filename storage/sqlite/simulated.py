"""SQLite databases of simulations (``services.ports.simulated_databases``)."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from storage.sqlite import empty_database
from storage.sqlite.database import Database

LOG = "-wal"
TAILS = (LOG, "-shm", ".lock")  # of the files kept beside a database


class MemoryDatabase:
    """Lives until it is closed. It has no log to search for secrets."""

    address = Path("in memory")  # nobody else finds it

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn

    async def open(
        self,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = lambda point: None,
        threads: bool = False,
    ) -> Database:
        assert not threads, "memory belongs to one thread"
        return await Database.open(
            self.address,
            now,
            monotonic=monotonic,
            probe=probe,
            threads=False,
            memory=self.conn,
        )

    def content(self) -> bytes:
        return self.conn.serialize()

    def close(self) -> None:
        self.conn.close()


def in_memory() -> MemoryDatabase:
    return MemoryDatabase(empty_database.in_memory())


def create_blank(path: Path) -> None:
    path.write_bytes(empty_database.empty_database())


def copy_as_killed(path: Path, to: Path) -> None:
    """The file with its log; locks and the log's index end with the process."""
    for tail in ("", LOG):
        source = path.with_name(path.name + tail)
        if source.exists():
            shutil.copyfile(source, to.with_name(to.name + tail))


def delete(path: Path) -> None:
    for tail in ("", *TAILS):
        path.with_name(path.name + tail).unlink(missing_ok=True)
