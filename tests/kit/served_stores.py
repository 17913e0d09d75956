"""Databases on the server of ``--on-postgres`` for plain stores: each has one to itself while it is
open, and leaves it empty to the next."""

from __future__ import annotations

import atexit
from functools import partial

from storage.postgres.connection import PostgresConnection
from storage.postgres.server import connect
from storage.postgres.simulated import ServedDatabase
from tests.kit.on_server import test_server

VACUUM_EVERY = 400  # rewinds: rows that were rolled back stay in the tables, and are read over


class ServedStore:
    """``conn`` stays connected, so that its statements stay prepared."""

    def __init__(self) -> None:
        server = test_server()
        assert server is not None
        address = ServedDatabase(server).address  # which ends with the server
        self.conn = PostgresConnection(partial(connect, address, "store"))
        atexit.register(self.conn.close)
        self.conn.connect()
        self._numbers = self._read_numbers()
        tables = self.conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
        self._vacuum = f"VACUUM {', '.join(table for (table,) in tables)}".encode()
        self._rewinds = 0

    def rewind(self) -> None:
        """Take everything back that was not committed, drawn numbers too: the same test sees the
        same ids again, as it does with a new file."""
        self.conn.rollback()
        for sequence, last in self._read_numbers().items():
            begun = self._numbers[sequence]
            if last != begun:
                self.conn.execute(
                    "SELECT setval(CAST(? AS regclass), ?, CAST(? AS boolean))",
                    (sequence, 1 if begun is None else begun, int(begun is not None)),
                )
        self._rewinds += 1
        if self._rewinds % VACUUM_EVERY == 0:
            self.conn.driver.execute(self._vacuum)

    def _read_numbers(self) -> dict[str, int | None]:
        """The last number that each sequence has given."""
        return dict(
            self.conn.execute(
                "SELECT sequencename, last_value FROM pg_sequences"
                " WHERE schemaname = current_schema()"
            )
        )


_idle: list[ServedStore] = []


def take() -> ServedStore:
    return _idle.pop() if _idle else ServedStore()


def give_back(store: ServedStore) -> None:
    store.rewind()
    _idle.append(store)
