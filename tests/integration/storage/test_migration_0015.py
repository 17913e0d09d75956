"""Kinds and states become rows: nothing is lost, and what was refused is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.database import MigrationError
from storage.sqlite.migrate import migrate, shipped
from tests.kit.older_databases import KEPT_UP_TO_0003, NOW, fill, fill_float, named, propose
from tests.kit.plain_store import connect

MOVED = "a run before 0015"
LEASED = ("TU-222221", "FL-222224")  # what was claimed or being sent as the old version left it


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
    migrate(conn, shipped()[:14])
    conn.execute(
        "UPDATE wallet_transactions SET state = 'SUBMITTING', due_at = ?"
        " WHERE reference = 'FL-222224'",
        (NOW + 240_000,),
    )
    conn.execute(
        "INSERT INTO external_payments (receipt, reference, amount_cents, currency, paid_at,"
        " account_reference, payer, source, received_at, state, partner, operation) VALUES"
        " ('UA1B2C3D4E', 'PB-222222', 40000, 'KES', ?, 'TU222223', '', 'ncba.query', ?, 'MATCHED',"
        " 'DEMO', 'TU-222223')",
        (NOW, NOW),
    )
    yield conn
    conn.close()


@pytest.fixture
def moved(conn: sqlite3.Connection) -> sqlite3.Connection:
    assert migrate(conn, shipped()[:15]) == ["0015_operation_kinds"]
    return conn


@pytest.mark.parametrize("table", [*KEPT_UP_TO_0003, "approvals", "proposals", "external_payments"])
def test_every_row_is_there_and_says_what_it_said(conn: sqlite3.Connection, table: str) -> None:
    before = [{k: v for k, v in row.items() if k != "claimed"} for row in named(conn, table)]
    assert before, "the test would prove nothing"
    migrate(conn, shipped()[:15])
    kept = [{name: row[name] for name in before[0]} for row in named(conn, table)]
    assert sorted(kept, key=str) == before


def test_every_link_holds_and_numbers_go_on(moved: sqlite3.Connection) -> None:
    assert moved.execute("PRAGMA foreign_key_check").fetchall() == []
    assert moved.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    (last,) = moved.execute("SELECT max(seq) FROM wallet_transactions").fetchone()
    add(moved, "TU-999999")
    assert moved.execute("SELECT max(seq) FROM wallet_transactions").fetchone() == (last + 1,)


def test_foreign_keys_are_checked_at_once_again(moved: sqlite3.Connection) -> None:
    refused(moved, "DELETE FROM wallet_transactions WHERE reference = 'TU-222223'")
    refused(moved, "DELETE FROM operation_states WHERE state = 'PAID'")


def test_what_was_leased_is_leased_by_a_run_that_is_over(moved: sqlite3.Connection) -> None:
    leased = moved.execute(
        "SELECT reference, leased_by FROM wallet_transactions WHERE leased_by IS NOT NULL"
    ).fetchall()
    assert dict(leased) == dict.fromkeys(LEASED, MOVED)


def test_a_migration_that_fails_leaves_everything_as_it_was(conn: sqlite3.Connection) -> None:
    tables = ("wallet_transactions", "ncb_stk_push_logs", "external_payments")
    before = {table: named(conn, table) for table in tables}
    last = shipped()[14]
    broken = type(last)(last.number, last.name, last.sql + "\nSELECT nosuch FROM nowhere;")
    with pytest.raises(MigrationError):
        migrate(conn, [*shipped()[:14], broken])
    assert {table: named(conn, table) for table in tables} == before
    assert migrate(conn, shipped()[:15]) == ["0015_operation_kinds"]


# What the migrated database refuses


def add(
    conn: sqlite3.Connection,
    reference: str,
    kind: str = "topup",
    state: str = "CREATED",
    standing: str = "ready",
) -> None:
    conn.execute(
        "INSERT INTO wallet_transactions (reference, partner, channel, address, language, type,"
        " state, standing, amount_cents, currency, phone, idempotency_key, created_at)"
        " VALUES (?, 'DEMO', 'telegram', ?, 'en', ?, ?, ?, 100, 'KES', '254712345678', ?, 1)",
        (reference, reference, kind, state, standing, reference),
    )


def refused(conn: sqlite3.Connection, sql: str, because: str = "FOREIGN KEY") -> None:
    with pytest.raises(sqlite3.IntegrityError, match=because):
        conn.execute(sql)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("topup", "QUOTED"),
        ("topup", "SUCCEEDED"),
        ("b2c_float_purchase", "PAID"),
        ("adjustment", "CREDITED"),
        ("paybill_payment", "POSTED"),
        ("payout", "QUOTED"),
        ("topup", ""),
    ],
)
def test_a_kind_has_only_its_states(moved: sqlite3.Connection, kind: str, state: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        add(moved, "TU-333333", kind, state)
    if kind in ("topup", "b2c_float_purchase"):
        reference = "TU-222222" if kind == "topup" else "FL-222223"
        refused(
            moved,
            f"UPDATE wallet_transactions SET state = '{state}' WHERE reference = '{reference}'",  # noqa: S608
        )


def test_a_standing_is_that_of_the_state(moved: sqlite3.Connection) -> None:
    add(moved, "TU-333333")
    set_to = "UPDATE wallet_transactions SET {} WHERE reference = 'TU-333333'"
    for state, standing in (("SENDING", "sending"), ("PENDING", "accepted"), ("PAID", "succeeded")):
        refused(moved, set_to.format(f"state = '{state}'"))
        refused(moved, set_to.format(f"state = '{state}', standing = 'ended'"))
        moved.execute(set_to.format(f"state = '{state}', standing = '{standing}'"))
        refused(moved, set_to.format("standing = 'ended'"))
    refused(moved, set_to.format("standing = NULL"), "NOT NULL")


def test_a_standing_in_use_is_never_another(moved: sqlite3.Connection) -> None:
    refused(moved, "UPDATE operation_states SET standing = 'succeeded' WHERE state = 'NOT_PAID'")
    refused(moved, "UPDATE operation_states SET standing = 'over' WHERE state = 'UNKNOWN'", "CHECK")


@pytest.mark.parametrize("change", ["amount_cents = 1", "currency = 'USD'", "partner = 'ACME'"])
def test_only_a_quote_may_be_made_anew(moved: sqlite3.Connection, change: str) -> None:
    edit = "UPDATE wallet_transactions SET {} WHERE reference = '{}'"
    moved.execute(edit.format(change, "FL-222222"))
    for reference in ("FL-222223", "TU-222220"):
        refused(moved, edit.format(change, reference), "never edited")


def test_an_address_looks_at_one_quote_of_a_kind(moved: sqlite3.Connection) -> None:
    moved.execute("INSERT INTO operation_kinds (kind, prefix) VALUES ('toy', 'TY')")
    moved.execute("INSERT INTO operation_states VALUES ('toy', 'QUOTED', 'quoted')")
    add(moved, "TY-222222", "toy", "QUOTED", "quoted")
    moved.execute("UPDATE wallet_transactions SET address = 'a0' WHERE reference = 'TY-222222'")
    add(moved, "TY-222223", "toy", "QUOTED", "quoted")
    refused(
        moved,
        "UPDATE wallet_transactions SET address = 'a0' WHERE reference = 'TY-222223'",
        "UNIQUE",
    )


def test_a_lease_has_an_end(moved: sqlite3.Connection) -> None:
    refused(
        moved,
        "UPDATE wallet_transactions SET leased_by = 'x' WHERE reference = 'TU-222223'",
        "CHECK",
    )


@pytest.mark.parametrize("call", ["initiate", "float", "a call of a kind to come"])
def test_a_second_call_that_may_move_money_is_refused(moved: sqlite3.Connection, call: str) -> None:
    insert = (
        "INSERT INTO provider_calls (operation, call, attempt, outcome, said, milliseconds, at)"
        " VALUES ('FL-222222', '{}', 2, '{}', '', 1, 1)"
    )
    for harmless in ("token", "query", "status"):
        moved.execute(insert.format(harmless, "unknown"))
        moved.execute(insert.format(harmless, "unknown"))
    moved.execute(insert.format(call, "not_sent"))
    moved.execute(insert.format(call, "unknown"))
    refused(moved, insert.format(call, "succeeded"), "UNIQUE")
