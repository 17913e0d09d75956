"""A connection that waits for its server: what else goes on meanwhile, and what ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from storage.postgres.connection import PostgresConnection, _Answers
from storage.postgres.faults import CommitUnknown, ConnectionLost
from tests.kit.postgres_server import PostgresServer, postgres_server

pytestmark = pytest.mark.postgres

SLEEP_S = 0.5
LIMIT_S = 0.3


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


def test_a_server_that_says_nothing_is_a_lost_connection(conn: PostgresConnection) -> None:
    conn.execute("SELECT pg_sleep(0)")
    began = time.monotonic()
    conn.executemany("UPDATE pg_settings SET setting = ? WHERE pg_sleep(60) IS NULL", [("x",)])
    with pytest.raises(ConnectionLost):
        conn.flush(LIMIT_S)
    assert LIMIT_S <= time.monotonic() - began < 10
    assert not conn.is_connected
    conn.connect()
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_who_hears_nothing_from_what_is_no_primary_waits_no_longer(
    conn: PostgresConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.connection.LOOK_EVERY_S", 0.2)
    asked: list[bool | None] = [True, True, None]
    conn._is_primary = lambda driver: asked.pop(0)
    conn.execute("SELECT pg_sleep(0)")
    began = time.monotonic()
    with pytest.raises(ConnectionLost, match="is no primary"):
        conn.execute("SELECT pg_sleep(60)").fetchone()
    assert asked == []
    assert 0.6 <= time.monotonic() - began < 10
    assert not conn.is_connected


def test_a_primary_may_take_its_time(
    conn: PostgresConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.connection.LOOK_EVERY_S", 0.1)
    assert conn.execute("SELECT 1 FROM pg_sleep(0.5)").fetchone() == (1,)


def test_a_commit_that_is_not_answered_is_unknown(
    conn: PostgresConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.connection.COMMIT_MAX_S", LIMIT_S)
    conn.begin()
    conn.commit()  # prepared
    conn.begin()
    conn.execute("SELECT 1")
    monkeypatch.setattr(_Answers, "next", _frozen)
    began = time.monotonic()
    with pytest.raises(CommitUnknown):
        conn.commit()
    assert LIMIT_S <= time.monotonic() - began < 10
    assert not conn.is_connected


def _frozen(answers: _Answers) -> None:
    """As if the server had been stopped."""
    while True:
        left_s = answers._ends_at - time.monotonic()
        if left_s <= 0:
            raise ConnectionLost("the server does not answer")
        time.sleep(min(left_s, 0.05))
