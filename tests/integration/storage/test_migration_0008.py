"""Existing codes and locks stay the same, and an admin can still unlock a number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services import otp
from services.domain.otp import OtpStatus
from services.domain.phone import Phone
from storage.sqlite.migrate import migrate, shipped
from storage.time.milliseconds import from_ms
from storage.transaction import StoreTx
from tests.kit.older_databases import fill, named
from tests.kit.plain_store import connect

LOCKED, FREE = Phone("254712345678"), Phone("254722000001")
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, shipped()[:7])
    person = conn.execute("SELECT min(id) FROM people").fetchone()[0]
    for purpose, operation in (("float_purchase", "FL-222222"), ("link_phone", "CH-222222")):
        conn.execute(
            "INSERT INTO otp_validations (id, purpose, operation, partner, person_id,"
            " amount_cents, currency, destination, phone, pepper_id, digest, status, attempts,"
            " sent, created_at, expires_at) SELECT ?, ?, ?, partner, id, 0, 'KES', 'there', ?,"
            " '1', 'digest', 'pending', 1, 1, 1000, 601000 FROM people WHERE id = ?",
            (f"OT-{operation}", purpose, operation, LOCKED.msisdn, person),
        )
    conn.execute(
        "INSERT INTO otp_locks (phone, locked_at, unlocked_at, unlocked_by) VALUES (?, 500, 600,"
        " 'admin'), (?, 700, NULL, NULL), (?, 500, 600, 'admin')",
        (LOCKED.msisdn, LOCKED.msisdn, FREE.msisdn),
    )
    yield conn
    conn.close()


def test_codes_say_what_they_said_and_name_no_account(conn: sqlite3.Connection) -> None:
    before = named(conn, "otp_validations")
    assert migrate(conn, shipped()[:8]) == ["0008_who_acts"]
    after = named(conn, "otp_validations")
    assert after == [{**row, "channel": None, "address": None} for row in before]
    migrate(conn)
    bought, linked = (StoreTx(conn).otps.newest(about) for about in ("FL-222222", "CH-222222"))
    assert bought is not None
    assert linked is not None
    assert (bought.who, linked.who) == (LOCKED, None)


def test_a_number_stays_locked_until_an_admin_unlocks_it(conn: sqlite3.Connection) -> None:
    migrate(conn)
    tx = StoreTx(conn)
    tx.begin(NOW)
    assert tx.otps.locked_since(LOCKED) == from_ms(700)
    assert not otp.is_locked(tx, FREE)
    assert otp.unlock(tx, LOCKED, "admin")
    assert not otp.is_locked(tx, LOCKED)


def test_a_code_that_lived_then_still_ends_and_wipes_its_message(conn: sqlite3.Connection) -> None:
    migrate(conn)
    conn.execute(
        "INSERT INTO outbox (channel, address, kind, edits, text, rows, turn, protect, otp, state,"
        " due_at, created_at) VALUES ('sms', '1', 'code', 0, 'sealed', '[]', 0, 1,"
        " 'OT-CH-222222', 'queued', 1, 1)"
    )
    tx = StoreTx(conn)
    tx.begin(NOW)
    tx.otps.end("OT-CH-222222", OtpStatus.REVOKED)
    assert conn.execute("SELECT state, text FROM outbox WHERE otp IS NOT NULL").fetchall() == [
        ("dead", "")
    ]
