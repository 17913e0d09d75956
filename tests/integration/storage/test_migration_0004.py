"""Adding roles, admins and the audit log to a database with float loses and changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.sqlite.migrate import migrate, shipped
from storage.transaction import StoreTx
from tests.kit.older_databases import KEPT_UP_TO_0003, fill, fill_float, named
from tests.kit.plain_store import connect


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, shipped()[:3])
    fill_float(conn)
    yield conn
    conn.close()


@pytest.mark.parametrize("table", KEPT_UP_TO_0003)
def test_every_row_is_there_and_says_what_it_said(conn: sqlite3.Connection, table: str) -> None:
    before = named(conn, table)
    assert before, "the test would prove nothing"
    assert migrate(conn, shipped()[:4]) == ["0004_desk"]
    kept = [{name: row[name] for name in before[0]} for row in named(conn, table)]
    assert sorted(kept, key=str) == before


def test_numbers_go_on_behind_the_last_one(conn: sqlite3.Connection) -> None:
    before = conn.execute("SELECT max(seq) FROM wallet_transactions").fetchone()[0]
    migrate(conn)
    conn.execute(
        "INSERT INTO wallet_transactions (reference, partner, channel, address, language, type,"
        " state, standing, amount_cents, currency, phone, idempotency_key, created_at) VALUES"
        " ('TU-999999', 'DEMO', 'telegram', 'z', 'en', 'topup', 'CREATED', 'ready', 100, 'KES',"
        " '254712345678', 'z', 1)"
    )
    after = conn.execute("SELECT max(seq) FROM wallet_transactions").fetchone()[0]
    assert after > before


def test_nothing_is_left_behind_and_every_link_holds(conn: sqlite3.Connection) -> None:
    migrate(conn)
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    left = conn.execute("SELECT name FROM sqlite_master WHERE name LIKE '%/_new' ESCAPE '/'")
    assert left.fetchall() == []


def test_every_partner_may_be_corrected_and_nobody_needs_a_second_person(
    conn: sqlite3.Connection,
) -> None:
    migrate(conn)
    accounts = named(conn, "accounts")
    assert {row["partner"] for row in accounts if row["kind"] == "adjustment"} == {
        "ACME", "DEMO", "UGX",
    }  # fmt: skip
    partner = StoreTx(conn).people.partner("DEMO")
    assert partner is not None
    assert partner.approve_above_cents is None
