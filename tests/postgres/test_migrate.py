"""How a database on a server is brought up to date, and which ones are refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from services.domain.database import DatabaseServer, LogArchive, MigrationError
from storage.numbered_migrations import shipped
from storage.postgres import engine
from storage.postgres import migrate as migrating
from storage.postgres.migrate import migrate, pending_migrations
from storage.postgres.server import connect
from tests.kit.postgres_server import PostgresServer, postgres_server

pytestmark = pytest.mark.postgres

ARCHIVED_WITHIN_S = 60  # a failed attempt is repeated after a second, after three once a minute
NAMES = [migration.name for migration in shipped("postgres")]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def address(server: PostgresServer, request: pytest.FixtureRequest) -> DatabaseServer:
    name = f"d{abs(hash(request.node.name))}"
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    return DatabaseServer(server.dsn.replace("/postgres?", f"/{name}?"))


@pytest.fixture(scope="module")
def archiving() -> Iterator[PostgresServer]:
    with postgres_server("-c wal_level=replica -c archive_mode=on") as running:
        yield running


def count(conn: psycopg.Connection[Any], statement: str) -> int:
    row = conn.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_an_empty_database_gets_every_migration_once(address: DatabaseServer) -> None:
    with connect(address, "test") as conn:
        assert [migration.name for migration in pending_migrations(conn)] == NAMES
        assert migrate(conn) == NAMES
        assert migrate(conn) == []
    assert engine.condition(address).pending == ()


def test_of_several_who_migrate_one_does(address: DatabaseServer) -> None:
    def work(_: int) -> list[str]:
        with connect(address, "test") as conn:
            return migrate(conn)

    with ThreadPoolExecutor(4) as pool:
        did = list(pool.map(work, range(4)))
    assert sorted(did) == [[], [], [], NAMES]


def test_a_database_of_another_program_stays_as_it_is(address: DatabaseServer) -> None:
    with connect(address, "test") as conn:
        conn.execute("CREATE TABLE theirs (a int)")
        with pytest.raises(MigrationError, match="another program"):
            migrate(conn)
        assert count(conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1


def test_a_newer_database_and_a_changed_migration_are_refused(address: DatabaseServer) -> None:
    with connect(address, "test") as conn:
        migrate(conn)
        conn.execute("INSERT INTO schema_migrations VALUES (9999, '9999_later', 'x', 'now')")
        with pytest.raises(MigrationError, match="newer than this program"):
            migrate(conn)
        conn.execute("DELETE FROM schema_migrations WHERE number = 9999")
        conn.execute("UPDATE schema_migrations SET checksum = 'other'")
        with pytest.raises(MigrationError, match="was changed after"):
            migrate(conn)


def test_a_migration_that_fails_leaves_nothing(
    address: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        migrating, "_in_order_of_bytes", lambda conn, text: text + "\nSELECT 1 / 0;"
    )
    with connect(address, "test") as conn:
        with pytest.raises(MigrationError, match="division by zero"):
            migrate(conn)
        assert count(conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1
        assert count(conn, "SELECT count(*) FROM schema_migrations") == 0


def test_texts_sort_by_their_bytes_whatever_the_databases_language(
    address: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "_texts", lambda conn: ("UTF8", "en_US.UTF-8"))
    with connect(address, "test") as conn:
        migrate(conn)
        columns = (
            "FROM information_schema.columns WHERE data_type = 'text' AND table_schema = 'public'"
            " AND table_name <> 'schema_migrations'"
            " AND table_name NOT IN (SELECT viewname FROM pg_views)"
        )
        every = count(conn, "SELECT count(*) " + columns)
        in_order = count(conn, "SELECT count(*) " + columns + " AND collation_name = 'C'")
    assert every > 200
    assert in_order == every


def test_a_database_of_another_encoding_is_refused(
    address: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "_texts", lambda conn: ("LATIN1", "C"))
    with connect(address, "test") as conn, pytest.raises(MigrationError, match="createdb"):
        migrate(conn)


def test_two_desks_in_one_database_are_apart(address: DatabaseServer) -> None:
    with connect(address, "test") as conn:
        conn.execute("CREATE SCHEMA other")
        migrate(conn)
    other = DatabaseServer(f"{address.dsn}&options=-c%20search_path%3Dother")
    assert [migration.name for migration in _pending(other)] == NAMES
    assert _pending(address) == []


def _pending(address: DatabaseServer) -> list[Any]:
    with connect(address, "test") as conn:
        return list(pending_migrations(conn))


def test_a_server_that_archives_nothing_says_so(address: DatabaseServer) -> None:
    assert engine.condition(address).archive == LogArchive(False, None, None)


def test_a_server_says_when_it_last_archived_its_log_and_when_it_could_not(
    archiving: PostgresServer,
) -> None:
    address = DatabaseServer(archiving.dsn)

    def archive_by(command: str, *, seen: Callable[[LogArchive], object]) -> LogArchive:
        """Once ``seen`` of it, in the server's own figures."""
        with psycopg.connect(archiving.dsn, autocommit=True) as conn:
            conn.execute(f"ALTER SYSTEM SET archive_command = '{command}'".encode())
            conn.execute("SELECT pg_reload_conf()")
            conn.execute("SELECT pg_switch_wal()")
            ends_at = time.monotonic() + ARCHIVED_WITHIN_S
            while True:
                archive = engine.condition(address).archive
                assert archive is not None
                if seen(archive):
                    return archive
                assert time.monotonic() < ends_at, archive
                time.sleep(0.05)

    failed = archive_by("false", seen=lambda archive: archive.failed_at)
    assert failed.archived_at is None
    done = archive_by("true", seen=lambda archive: archive.archived_at)
    assert done.archived_at is not None
    assert failed.failed_at is not None
    assert done.archived_at > failed.failed_at
    assert done.is_on
