"""Adding payments to a database with admins and approvals loses and changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.ledger import HOUSE, Account, AccountKind
from storage.sqlite.migrate import migrate, shipped
from storage.transaction import StoreTx
from tests.kit.older_databases import KEPT_UP_TO_0003, NOW, fill, fill_float, named, propose
from tests.kit.plain_store import connect


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, shipped()[:3])
    fill_float(conn)
    migrate(conn, shipped()[:4])
    conn.execute(
        "INSERT INTO approvals (purchase, partner, asked_by, asked_at)"
        " VALUES ('FL-222222', 'DEMO', 2, ?)",
        (NOW,),
    )
    propose(conn)
    yield conn
    conn.close()


@pytest.mark.parametrize("table", [*KEPT_UP_TO_0003, "approvals", "proposals"])
def test_every_row_is_there_and_says_what_it_said(conn: sqlite3.Connection, table: str) -> None:
    before = named(conn, table)
    assert before, "the test would prove nothing"
    assert migrate(conn, shipped()[:5]) == ["0005_payments"]
    kept = [{name: row[name] for name in before[0]} for row in named(conn, table)]
    if table == "partners":
        kept = [row for row in kept if row["code"] != HOUSE]
    assert sorted(kept, key=str) == before


def test_nothing_is_left_behind_and_every_link_holds(conn: sqlite3.Connection) -> None:
    migrate(conn)
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    left = conn.execute("SELECT name FROM sqlite_master WHERE name LIKE '%/_new' ESCAPE '/'")
    assert left.fetchall() == []


def test_the_house_has_a_place_for_what_is_nobodys_and_is_no_partner(
    conn: sqlite3.Connection,
) -> None:
    migrate(conn)
    tx = StoreTx(conn)
    kinds = {row["kind"] for row in named(conn, "accounts") if row["partner"] == HOUSE}
    assert kinds == {"collection", "suspense"}
    assert tx.people.partner(HOUSE) is None
    assert tx.ledger.balance(Account(HOUSE, AccountKind.SUSPENSE)).posted.cents == 0
