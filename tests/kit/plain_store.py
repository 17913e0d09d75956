"""The stores on a real database file and one plain connection, at a time that the test chooses."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from services.domain.business_days import start_of_day
from services.domain.database import Priority
from services.domain.ledger import AccountKind, Transfer
from services.domain.partner import Partner, Person, Role
from services.domain.phone import Phone
from storage.sqlite.empty_database import empty_database
from storage.transaction import StoreTx
from tests.kit import served_stores
from tests.kit.on_server import test_server

T = TypeVar("T")
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PHONE = Phone("254712345678")
OTHER_PHONE = Phone("254110000001")


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the pragmas the ledger relies on; no test here needs to survive a power
    cut."""
    conn = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    conn.execute("PRAGMA journal_mode = MEMORY")
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA foreign_keys = ON")
    conn.execute("PRAGMA recursive_triggers = ON")
    return conn


def _new_file(path: Path) -> Any:
    path.write_bytes(empty_database())
    return connect(path)


class PlainStore:
    """``do`` runs one function as the writer would: in a savepoint, with its own time.

    On the file at ``path``, or with ``--on-postgres`` in a database on the server.
    """

    def __init__(self, path: Path) -> None:
        self._served = served_stores.take() if test_server() else None
        self.conn = _new_file(path) if self._served is None else self._served.conn
        self.begin()

    @property
    def is_served(self) -> bool:
        """Whether it is PostgreSQL's."""
        return self._served is not None

    def begin(self) -> None:
        """Open a transaction that ``undo`` or ``close`` rolls back."""
        self.conn.execute("BEGIN" if self._served else "BEGIN IMMEDIATE")
        self.now = START
        self.tx = StoreTx(self.conn)

    def undo(self) -> None:
        """Go back to an empty database, which is cheaper than a new file."""
        if self._served is None:
            self.conn.rollback()
        else:
            self._served.rewind()
        self.begin()

    def close(self) -> None:
        if self._served is None:
            self.conn.rollback()
            self.conn.close()
        else:
            served_stores.give_back(self._served)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def do(self, function: Callable[[StoreTx], T]) -> T:
        self.tx.begin(self.now)
        self.conn.execute("SAVEPOINT one")
        try:
            result = function(self.tx)
            self.tx.end()
            self._finish()
        except Exception:
            self.tx.forget()
            if self._served:
                self._served.conn.discard()
            self.conn.execute("ROLLBACK TO one")
            self.conn.execute("RELEASE one")
            raise
        self.conn.execute("RELEASE one")
        return result

    def run(self, sql: str, *values: object) -> int:
        """Run a statement that the database may refuse, as ``do`` would; how many rows it has
        changed."""
        return self.do(lambda tx: tx.conn.execute(sql, values).rowcount)

    def _finish(self) -> None:
        """PostgreSQL's errors show when what was queued is sent."""
        if self._served:
            self._served.conn.flush()

    def after(self, day: date, function: Callable[[StoreTx], T]) -> T:
        """Run ``function`` as if that business day were over; the clock does not move."""
        tx = StoreTx(self.conn)
        tx.begin(max(self.now, start_of_day(day + timedelta(days=1))))
        return function(tx)

    def book(self, *transfers: Transfer) -> None:
        self.do(lambda tx: tx.ledger.book(*transfers))

    def count(self, sql: str, *values: object) -> int:
        return int(self.conn.execute(sql, values).fetchone()[0])

    def person(self, code: str = "DEMO", *, suspended: bool = False) -> Person:
        """A person who may top up, at a partner with open accounts."""
        partner = Partner(code, suspended=suspended)

        def add(tx: StoreTx) -> int:
            tx.people.add_partner(partner)
            tx.ledger.open_accounts(code, AccountKind, partner.currency)
            return tx.people.add_person(code, "Amina", Role.OWNER, PHONE, None, "en")

        return Person(self.do(add), "Amina", partner, Role.OWNER, PHONE, None, "en")


class StoreDatabase:
    """The part of ``Database`` that turns and jobs use, over a plain store."""

    def __init__(self, store: PlainStore) -> None:
        self._store = store

    async def write(
        self,
        function: Callable[[StoreTx], T],
        priority: Priority = Priority.PEOPLE,
        *,
        about: object = None,
    ) -> T:
        return self._store.do(function)

    async def read(self, function: Callable[[StoreTx], T]) -> T:
        return self._store.do(function)
