"""Databases in PostgreSQL, and connections to them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from tests.kit.postgres_server import PostgresServer

Connection = psycopg.Connection[tuple[Any, ...]]
# Whoever waits for longer than this in a test waits for ever.
_OPTIONS = "-c lock_timeout=20s -c statement_timeout=60s"


def migrations() -> list[str]:
    """The texts of PostgreSQL's migrations, in order."""
    found = files("storage").joinpath("migrations", "postgres").iterdir()
    shipped = [file for file in found if file.name.endswith(".sql")]
    return [file.read_text("utf-8") for file in sorted(shipped, key=lambda file: file.name)]


def connect(server: PostgresServer, database: str) -> Connection:
    """A connection on which each statement is a transaction, unless one is begun."""
    return psycopg.connect(
        host=str(server.folder),
        user=server.user,
        dbname=database,
        autocommit=True,
        options=_OPTIONS,
    )


def create(
    server: PostgresServer, database: str, *scripts: str, template: str = "template0"
) -> None:
    """A new database, like ``template``, in which each script is run in a transaction."""
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' LOCALE 'C'")
    with connect(server, "postgres") as conn:
        conn.execute(made.format(sql.Identifier(database), sql.Identifier(template)))
    with connect(server, database) as conn:
        for script in scripts:
            with conn.transaction():
                conn.execute(script)
