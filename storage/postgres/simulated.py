"""Databases of simulations on a server (``services.ports.simulated_databases``): copies of one
blank database, each dropped when its world ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from psycopg import Connection, conninfo, sql

from services.domain.database import DatabaseServer
from storage.numbered_migrations import shipped
from storage.postgres.database import Database
from storage.postgres.faults import as_database_failed
from storage.postgres.migrate import ENGINE, migrate
from storage.postgres.server import connect, is_true

MAKING = 7003  # advisory lock of who makes the blank database


class ServedDatabase:
    """A blank database beside the one at ``server``, whose user may make databases."""

    @as_database_failed()
    def __init__(self, server: DatabaseServer) -> None:
        self._server = server
        self._name = f"hazina_world_{uuid4().hex}"
        with connect(server, "worlds") as conn:
            _copy(conn, _blank(server), self._name)
        self.address = _beside(server, self._name)

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

    @as_database_failed()
    def close(self) -> None:
        with connect(self._server, "worlds") as conn:
            conn.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    sql.Identifier(self._name)
                )
            )


def on_server(server: DatabaseServer) -> ServedDatabase:
    """Raises ``DatabaseFailed``."""
    return ServedDatabase(server)


def _beside(server: DatabaseServer, name: str) -> DatabaseServer:
    return DatabaseServer(conninfo.make_conninfo(server.dsn, dbname=name))


@cache
def _blank(server: DatabaseServer) -> str:
    """Name of the migrated database that the others are copies of; made at the first need."""
    digest = hashlib.sha256("".join(one.checksum for one in shipped(ENGINE)).encode()).hexdigest()
    name = f"hazina_blank_{digest[:16]}"
    with connect(server, "worlds") as conn, _alone(conn):
        if not is_true(conn, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", name):
            making = f"{name}_made"  # its name says whether it is finished
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(making)))
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'").format(
                    sql.Identifier(making)
                )
            )
            with connect(_beside(server, making), "worlds") as made:
                migrate(made)
            conn.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(making), sql.Identifier(name)
                )
            )
    return name


def _copy(conn: Connection[Any], blank: str, name: str) -> None:
    """One after the other: a database that is being copied may not be copied by another."""
    with _alone(conn):
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(blank)
            )
        )


@contextmanager
def _alone(conn: Connection[Any]) -> Iterator[None]:
    conn.execute("SELECT set_config('lock_timeout', '0', false)")
    conn.execute("SELECT pg_advisory_lock(%s)", (MAKING,))
    try:
        yield
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", (MAKING,))


def _rows(conn: Connection[Any]) -> Iterator[bytes]:
    tables = conn.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    ).fetchall()
    for (table,) in tables:
        statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
        with conn.cursor().copy(statement) as rows:
            for row in rows:
                yield bytes(row)
