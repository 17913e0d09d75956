"""Books and chains go on where several writers may go on with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.audit import FIRST
from services.domain.ledger import Account, AccountKind, topup_credit
from services.domain.money import Money
from storage.sqlite.migrate import migrate, shipped
from storage.transaction import StoreTx
from tests.kit.older_databases import fill, named
from tests.kit.plain_store import START, connect

BEFORE = [migration for migration in shipped() if migration.number < 16]
THIS = [migration for migration in shipped() if migration.number <= 16]
WALLET = Account("DEMO", AccountKind.WALLET)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, BEFORE)
    conn.executemany(
        "INSERT INTO audit_log VALUES (?, ?, 0, 'hazina', 'act', 'it', '{}', ?, ?)",
        [
            ("ACME", 1, FIRST, "a1"),
            ("DEMO", 1, FIRST, "d1"),
            ("DEMO", 2, "d1", "d2"),
        ],
    )
    yield conn
    conn.close()


def test_the_books_say_what_they_said(conn: sqlite3.Connection) -> None:
    accounts, transfers = named(conn, "accounts"), named(conn, "transfers")
    assert transfers, "the test would prove nothing"
    migrate(conn, THIS)
    assert named(conn, "accounts") == [{**row, "moves": 0} for row in accounts]
    numbers = {"debit_move": None, "credit_move": None}
    assert named(conn, "transfers") == [{**row, **numbers} for row in transfers]


def test_booking_goes_on(conn: sqlite3.Connection) -> None:
    migrate(conn)
    tx = StoreTx(conn)
    tx.begin(START)
    before = tx.ledger.balance(WALLET).posted
    tx.ledger.book(topup_credit("TU-NEW222", "DEMO", Money(500)))
    assert tx.ledger.balance(WALLET).posted == before + Money(500)


def test_no_direct_change_can_name_a_transfer_from_before(conn: sqlite3.Connection) -> None:
    migrate(conn)
    for (transfer,) in conn.execute("SELECT seq FROM transfers").fetchall():
        with pytest.raises(sqlite3.IntegrityError, match="sum of transfers"):
            conn.execute(
                "UPDATE accounts SET credits_posted = 1, moves = moves + 1, last_transfer = ?",
                (transfer,),
            )


def test_every_chain_goes_on_from_its_last_row(conn: sqlite3.Connection) -> None:
    migrate(conn)
    tx = StoreTx(conn)
    tx.begin(START)
    for partner in ("ACME", "DEMO", "HOUSE"):
        tx.audit.add(partner, "hazina", "act", "more")
    rows = conn.execute(
        "SELECT partner, n, previous FROM audit_log WHERE about = 'more' ORDER BY partner"
    ).fetchall()
    assert rows == [("ACME", 2, "a1"), ("DEMO", 3, "d2"), ("HOUSE", 1, FIRST)]
