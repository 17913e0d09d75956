"""A connection that waits for its server: what else goes on meanwhile, and what ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from storage.postgres.connection import PostgresConnection
from storage.postgres.faults import ConnectionLost
from storage.postgres.socket_watch import SocketWatch
from tests.kit.postgres_server import PostgresServer, postgres_server

pytestmark = pytest.mark.postgres

SLEEP_S = 0.5
LIMIT_S = 0.3
FOR_EVER = "SELECT pg_sleep(60)"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def conn(server: PostgresServer) -> Iterator[PostgresConnection]:
    connection = PostgresConnection(lambda: psycopg.connect(server.dsn, autocommit=True))
    connection.connect()
    yield connection
    connection.close()


@pytest.fixture
def watch() -> Iterator[SocketWatch]:
    watching = SocketWatch(LIMIT_S)
    yield watching
    watching.close()


def ticks_during(function: Callable[[], object]) -> int:
    """How often another thread of this process has run meanwhile, a hundred times a second."""
    count, ended = 0, threading.Event()

    def tick() -> None:
        nonlocal count
        while not ended.wait(0.01):
            count += 1

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        function()
    finally:
        ended.set()
        ticking.join()
    return count


def test_others_go_on_while_a_statement_runs(conn: PostgresConnection) -> None:
    conn.execute("SELECT pg_sleep(0)")  # prepared
    statement = f"SELECT pg_sleep({SLEEP_S})"
    assert ticks_during(lambda: conn.execute(statement).fetchone()) > 10


def test_a_watched_statement_ends_as_a_lost_connection(
    conn: PostgresConnection, watch: SocketWatch
) -> None:
    began = time.monotonic()
    with pytest.raises(ConnectionLost), watch.over(conn.driver.pgconn.socket):
        conn.execute(FOR_EVER).fetchone()
    assert LIMIT_S <= time.monotonic() - began < 10
    assert not conn.is_connected
    conn.connect()
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_the_driver_sees_a_lost_connection_too(server: PostgresServer, watch: SocketWatch) -> None:
    driver = psycopg.connect(server.dsn, autocommit=True)
    with driver, pytest.raises(psycopg.OperationalError) as lost, watch.over(driver.fileno()):
        driver.execute(FOR_EVER.encode())
    assert lost.value.sqlstate is None
    assert driver.broken
