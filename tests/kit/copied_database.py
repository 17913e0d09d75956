"""Databases on the server of ``--on-postgres`` for worlds, made in a fifth of the time that schemas
take: each is a copy of one that has been migrated. ``ServedDatabase`` is what the product makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from psycopg import conninfo, sql

from bot.simulation.home import home
from bot.simulation.world import Home
from services.domain.database import DatabaseServer
from storage.postgres.migrate import migrate
from storage.postgres.server import connect
from storage.postgres.simulated import WorldOnServer
from storage.random_name import new_name
from tests.kit.on_server import test_server

_BLANK = "hazina_blank"


class CopiedDatabase(WorldOnServer):
    """Of the database that ``make_original`` has made at ``server``."""

    def __init__(self, server: DatabaseServer) -> None:
        self._server = server
        self._name = f"hazina_world_{new_name()}"
        super().__init__(_beside(server, self._name))
        _run(server, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", self._name, _BLANK)

    def close(self) -> None:
        _run(self._server, "DROP DATABASE {}", self._name)


def make_original(server: DatabaseServer) -> None:
    """Once for each server, before its first copy."""
    _run(server, "CREATE DATABASE {}", _BLANK)
    with connect(_beside(server, _BLANK), "worlds") as conn:
        migrate(conn)


@contextmanager
def copied_home() -> Iterator[Home]:
    """As ``home``, for a world on the engine under test."""
    server = test_server()
    with home() if server is None else closing(CopiedDatabase(server)) as place:
        yield place


def _run(server: DatabaseServer, statement: str, *names: str) -> None:
    with connect(server, "worlds") as conn:
        conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _beside(server: DatabaseServer, database: str) -> DatabaseServer:
    return DatabaseServer(conninfo.make_conninfo(server.dsn, dbname=database))
