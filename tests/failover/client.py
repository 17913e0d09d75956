"""A worker of the lab: applies one event after the other, as a desk does, until it is killed.

An event and what it changes are one transaction. After any error the worker looks for the primary
anew and applies the same event again: its row says whether it was applied. Everything it does goes
into its log first, so one that was killed goes on where it was.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import psycopg

from storage.postgres.primary import find_primary
from tests.failover.events import Line, account_of, event_id, lines
from tests.failover.socket_watch import SocketWatch

SCHEMA = """
CREATE TABLE lab_events (id text PRIMARY KEY, account bigint NOT NULL);
CREATE TABLE lab_accounts (id bigint PRIMARY KEY, applied bigint NOT NULL);
INSERT INTO lab_accounts SELECT n, 0 FROM generate_series(0, 3) n;
"""
UNREPLICATED = "01000"  # of the warning that a commit is on no standby
COMMIT_S = 3.0  # of waiting for the server, whatever for
PAUSE_S = 0.01  # between events
RETRY_S = 0.2


class Unreplicated(psycopg.OperationalError):
    """It is committed on one machine only: nobody knows what will become of it."""


class Client:
    def __init__(self, database: str, urls: list[str] | None) -> None:
        """``urls`` of Patroni; without them libpq chooses among the hosts of ``database``."""
        self._database = database
        self._urls = urls
        self._watch = SocketWatch(COMMIT_S)
        self._conn: psycopg.Connection | None = None
        self._is_unreplicated = False

    def apply(self, event: str) -> bool:
        """Whether it is new. Raises ``psycopg.Error``, ``OSError`` when nobody knows."""
        conn = self._conn or self._connect()
        self._is_unreplicated = False
        with self._watch.over(conn.fileno()):
            is_new = self._execute(conn, event)
        if self._is_unreplicated:
            raise Unreplicated("the commit is on no standby")
        return is_new

    def _execute(self, conn: psycopg.Connection, event: str) -> bool:
        account = account_of(event)
        with conn.transaction():
            added = conn.execute(
                "INSERT INTO lab_events (id, account) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (event, account),
            )
            if added.rowcount:
                conn.execute(
                    "UPDATE lab_accounts SET applied = applied + 1 WHERE id = %s", (account,)
                )
        return added.rowcount == 1

    def forget(self) -> None:
        """Begin anew with the next event."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with suppress(psycopg.Error):
                conn.close()

    def _connect(self) -> psycopg.Connection:
        place = self._database
        if self._urls is not None:
            primary = find_primary(self._urls)
            if primary is None:
                raise psycopg.OperationalError("no node says that it is the primary")
            place = psycopg.conninfo.make_conninfo(place, host=primary.host, port=primary.port)
        conn = psycopg.connect(place, autocommit=True)
        conn.add_notice_handler(self._notice)
        self._conn = conn
        return conn

    def _notice(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.sqlstate == UNREPLICATED:
            self._is_unreplicated = True


def work(client: Client, name: str, log: Path) -> None:
    with log.open("a", buffering=1) as writing:
        for event in _events(name, log):
            _write(writing, Line("begun", event))
            while True:
                try:
                    is_new = client.apply(event)
                except (psycopg.Error, OSError) as error:
                    said = f"{type(error).__name__} {getattr(error, 'sqlstate', None)} {error}"
                    _write(writing, Line("failed", event, said=" ".join(said.split())))
                    client.forget()
                    time.sleep(RETRY_S)
                    continue
                _write(writing, Line("applied", event, said="new" if is_new else "was there"))
                break
            time.sleep(PAUSE_S)


def _events(name: str, log: Path) -> Iterator[str]:
    """Those after the last one that is known to be applied."""
    number = sum(1 for line in lines(log) if line.kind == "applied")
    while True:
        number += 1
        yield event_id(name, number)


def _write(log: TextIO, line: Line) -> None:
    log.write(line.written(time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("database")
    parser.add_argument("log", type=Path)
    parser.add_argument("--urls", nargs="+", help="of Patroni; without them libpq chooses")
    given = parser.parse_args()
    work(Client(given.database, given.urls), given.name, given.log)


if __name__ == "__main__":
    main()
