"""Roles, admins and audit come to a desk that sells float: nothing is lost or changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.sqlite.migrate import migrate, shipped
from storage.transaction import SqliteTx
from tests.integration.storage.test_migration_0002 import NOW, fill, named
from tests.kit.plain_store import connect

KEPT = [
    "partners", "partner_wallets", "people", "addresses", "limits", "transfers",
    "wallet_transactions", "ncb_stk_push_logs", "float_purchases", "otp_validations", "evidence",
    "provider_calls", "review_items", "events", "sessions", "slots", "outbox", "trail", "topups",
    "purchases", "codes", "documents",
]  # fmt: skip
PURCHASES = [
    # state, reason, code's status
    ("QUOTED", None, None),
    ("OTP_SENT", None, "pending"),
    ("AUTHORISED", None, "used"),
    ("SUCCEEDED", None, "used"),
    ("UNKNOWN", None, "used"),
    ("OTP_LOCKED", None, "locked"),
    ("CANCELLED", None, "killed"),
]


def fill_float(conn: sqlite3.Connection) -> None:
    """Purchases in several states, their codes, and documents, as the third version left them."""
    for n, (state, reason, code) in enumerate(PURCHASES):
        reference = f"FL-22222{n + 2}"
        conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
            " language, type, state, reason, amount_cents, currency, phone, idempotency_key,"
            " created_at, attempt, listed) VALUES (?, 'DEMO', 2, 'telegram', ?, 'en',"
            " 'b2c_float_purchase', ?, ?, 500000, 'KES', '254712345678', ?, ?, 0, ?)",
            (reference, f"a{n}", state, reason, f"float-{n}", NOW + n, int(state != "QUOTED")),
        )
        conn.execute(
            "INSERT INTO float_purchases (reference, short_code, transfer_fee_cents,"
            " processing_fee_cents, transfer_fee_version, processing_fee_version, quoted_at)"
            " VALUES (?, '400187', 100, 50, 0, 0, ?)",
            (reference, NOW),
        )
        if code is not None:
            conn.execute(
                "INSERT INTO otp_validations (id, purpose, operation, partner, person_id,"
                " amount_cents, currency, destination, phone, pepper_id, digest, status, attempts,"
                " sent, created_at, expires_at) VALUES (?, 'float_purchase', ?, 'DEMO', 2, 500150,"
                " 'KES', '400187', '254712345678', '1', 'digest', ?, 1, 1, ?, ?)",
                (f"OT-{n}", reference, code, NOW, NOW + 600_000),
            )
    for n, (form, state) in enumerate((("pdf", "MADE"), ("csv", "REQUESTED"), ("chart", "FAILED"))):
        conn.execute(
            "INSERT INTO documents (reference, partner, channel, address, language, format,"
            " first_day, last_day, state, attempts, created_at, name, content) VALUES"
            " (?, 'DEMO', 'telegram', 'DEMO', 'en', ?, '2026-01-01', '2026-01-31', ?, 1, ?,"
            " 'n', ?)",
            (f"ST-22222{n + 2}", form, state, NOW, b"file"),
        )


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, shipped()[:3])
    fill_float(conn)
    yield conn
    conn.close()


@pytest.mark.parametrize("table", KEPT)
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
        " state, amount_cents, currency, phone, idempotency_key, created_at) VALUES ('TU-999999',"
        " 'DEMO', 'telegram', 'z', 'en', 'topup', 'CREATED', 100, 'KES', '254712345678', 'z', 1)"
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
    partner = SqliteTx(conn).people.partner("DEMO")
    assert partner is not None
    assert partner.approve_above_cents is None
