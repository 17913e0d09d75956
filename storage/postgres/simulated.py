"""Databases of simulations on a server (``services.ports.simulated_databases``): each world has a
schema of its own, which is dropped when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from psycopg import Connection, conninfo, sql

from services.domain.database import DatabaseServer
from storage.postgres.database import Database
from storage.postgres.faults import as_database_failed
from storage.postgres.migrate import migrate
from storage.postgres.server import connect
from storage.random_name import new_name


class WorldOnServer:
    """The database of one world. Subclasses make it, and drop it in ``close``."""

    def __init__(self, address: DatabaseServer) -> None:
        self.address = address

    async def open(
        self,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = lambda point: None,
        threads: bool = False,
    ) -> Database:
        return await Database.open(
            self.address, now, monotonic=monotonic, probe=probe, threads=threads
        )

    @as_database_failed()
    def content(self) -> bytes:
        """Every row of every table, as PostgreSQL's COPY writes them."""
        with connect(self.address, "worlds") as conn:
            return b"".join(_rows(conn))


class ServedDatabase(WorldOnServer):
    """A blank database in a schema beside what else is in the database at ``server``, whose user
    may make schemas."""

    @as_database_failed()
    def __init__(self, server: DatabaseServer) -> None:
        self._server = server
        self._name = f"hazina_world_{new_name()}"
        super().__init__(_inside(server, self._name))
        with connect(server, "worlds") as conn:
            conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self._name)))
        with connect(self.address, "worlds") as conn:
            migrate(conn)

    @as_database_failed()
    def close(self) -> None:
        with connect(self._server, "worlds") as conn:
            conn.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(self._name))
            )


def on_server(server: DatabaseServer) -> ServedDatabase:
    """Raises ``DatabaseFailed``."""
    return ServedDatabase(server)


def _inside(server: DatabaseServer, schema: str) -> DatabaseServer:
    options = conninfo.conninfo_to_dict(server.dsn).get("options", "")
    options = f"{options} -c search_path={schema}".strip()
    return DatabaseServer(conninfo.make_conninfo(server.dsn, options=options), server.patroni)


def _rows(conn: Connection[Any]) -> Iterator[bytes]:
    tables = conn.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    ).fetchall()
    for (table,) in tables:
        statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
        with conn.cursor().copy(statement) as rows:
            for row in rows:
                yield bytes(row)
