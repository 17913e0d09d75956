"""Adding float to a database with top-ups loses and changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.domain.database import MigrationError
from services.domain.lease import Lease
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.outbox import BEFORE_ALL
from services.history import page
from storage.sqlite.migrate import migrate, shipped
from storage.transaction import StoreTx
from tests.kit.older_databases import NOW, STATES, fill, named
from tests.kit.plain_store import START, connect

KEPT = [  # every table of the first version; its rows stay as they are
    "partners", "partner_wallets", "people", "addresses", "limits", "transfers",
    "wallet_transactions", "ncb_stk_push_logs", "evidence", "provider_calls", "review_items",
    "events", "sessions", "slots", "outbox", "trail", "topups", "b2c_float_balance",
]  # fmt: skip


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    yield conn
    conn.close()


@pytest.fixture
def moved(conn: sqlite3.Connection) -> sqlite3.Connection:
    assert migrate(conn, shipped()[:2]) == ["0002_float"]
    return conn


@pytest.mark.parametrize("table", KEPT)
def test_every_row_is_there_and_says_what_it_said(conn: sqlite3.Connection, table: str) -> None:
    before = named(conn, table)
    assert before, "the test would prove nothing"
    migrate(conn, shipped()[:2])
    after = named(conn, table)
    if table == "limits":
        after = [row for row in after if not row["name"].startswith("float.")]
        assert {row["partner"] for row in after} == {""}
    kept = [{name: row[name] for name in before[0]} for row in after]
    assert sorted(kept, key=str) == before


def test_balances_are_what_they_were(conn: sqlite3.Connection) -> None:
    old = {(row["partner"], row["kind"]): row for row in named(conn, "accounts")}
    migrate(conn, shipped()[:2])
    new = {(row["partner"], row["kind"]): row for row in named(conn, "accounts")}
    assert {key: new[key] for key in old} == old
    assert old["DEMO", "wallet"]["credits_posted"] == 40_000 + 90_000


def test_every_partner_has_the_new_accounts_open_and_empty(moved: sqlite3.Connection) -> None:
    fees = [row for row in named(moved, "accounts") if row["kind"].endswith("_fee")]
    assert sorted((row["partner"], row["kind"], row["currency"]) for row in fees) == [
        (partner, kind, currency)
        for partner, currency in (("ACME", "KES"), ("DEMO", "KES"), ("UGX", "UGX"))
        for kind in ("processing_fee", "transfer_fee")
    ]
    assert {(row["normal_side"], row["no_overdraft"]) for row in fees} == {("credit", 0)}
    assert {row["credits_posted"] + row["debits_posted"] for row in fees} == {0}


def test_the_new_accounts_are_those_that_a_new_partner_gets(moved: sqlite3.Connection) -> None:
    migrate(moved)
    old = [{**row, "partner": "*"} for row in named(moved, "accounts") if row["partner"] == "ACME"]
    tx = StoreTx(moved)
    tx.begin(START)
    moved.execute("INSERT INTO partners VALUES ('NEW', 0, ?)", (NOW,))
    tx.ledger.open_accounts("NEW", AccountKind, "KES")
    new = [{**row, "partner": "*"} for row in named(moved, "accounts") if row["partner"] == "NEW"]
    assert new == old


def test_what_was_there_is_all_in_history(moved: sqlite3.Connection) -> None:
    assert {row["listed"] for row in named(moved, "wallet_transactions")} == {1}


def test_nothing_points_at_what_is_not_there(moved: sqlite3.Connection) -> None:
    assert moved.execute("PRAGMA foreign_key_check").fetchall() == []
    assert moved.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = moved.execute("SELECT sql FROM sqlite_master WHERE sql LIKE '%\\_new%' ESCAPE '\\'")
    assert rows.fetchall() == []
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        moved.execute(
            "INSERT INTO ncb_stk_push_logs (reference, account_reference, status)"
            " VALUES ('TU-999999', 'X', 'created')"
        )


def test_views_can_be_read(moved: sqlite3.Connection) -> None:
    views = moved.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
    counts = {view: len(named(moved, view)) for (view,) in views}
    assert counts == {"topups": 9, "purchases": 0, "b2c_float_balance": 3, "codes": 0}


def test_the_numbers_of_operations_go_on(moved: sqlite3.Connection) -> None:
    purchase(moved)
    seqs = [seq for (seq,) in moved.execute("SELECT seq FROM wallet_transactions ORDER BY seq")]
    assert seqs == list(range(1, 11))


def test_messages_go_on_behind_those_that_are_there(moved: sqlite3.Connection) -> None:
    code_message(moved, "OT-1")
    assert [row for (row,) in moved.execute("SELECT id FROM outbox ORDER BY id")] == [1, 3, 4, 5]


def test_the_limits_of_float_begin(moved: sqlite3.Connection) -> None:
    migrate(moved)  # the stores read tables of later migrations
    tx = StoreTx(moved)
    tx.begin(START)
    found = [tx.limits.in_force(name, "DEMO") for name in ("float.min", "float.max", "c2b.max")]
    assert found == [Money(10_00), Money(250_000_00), Money(100_000_00)]
    assert tx.limits.find("float.day", "DEMO") is None


def test_a_migration_that_fails_leaves_the_first_version_whole(conn: sqlite3.Connection) -> None:
    before = {table: named(conn, table) for table in KEPT}
    second = shipped()[1]
    broken = type(second)(second.number, second.name, second.sql + "\nSELECT nosuch FROM nowhere;")
    with pytest.raises(MigrationError):
        migrate(conn, [shipped()[0], broken])
    assert {table: named(conn, table) for table in KEPT} == before
    assert migrate(conn, shipped()[:2]) == ["0002_float"]


# How the program reads the migrated database


def test_the_program_reads_every_top_up_and_takes_up_what_is_due(conn: sqlite3.Connection) -> None:
    migrate(conn)
    tx = StoreTx(conn)
    tx.begin(START)
    found = [tx.topups.get(f"TU-22222{number}") for number in range(len(STATES))]
    assert [topup and topup.state.value for topup in found] == [state for state, *_ in STATES]
    lease = Lease("this run", timedelta(seconds=60))
    assert tx.claims.take(OperationType.TOPUP, lease, 10, 10) == ["TU-222220"]
    assert tx.ledger.balance(Account("DEMO", AccountKind.WALLET)).posted == Money(1_300_00)
    shown = page(tx, "DEMO", None)
    assert shown.operations[0].reference == "TU-222228"
    person = tx.people.at("telegram", "DEMO")
    assert person is not None
    assert person.phone_changed_at is None
    assert [row.text for row in tx.outbox.queued(BEFORE_ALL, 9)] == ["words", "words"]


# What the migrated database refuses


def purchase(conn: sqlite3.Connection, reference: str = "FL-222222", state: str = "QUOTED") -> None:
    conn.execute(
        "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
        " language, type, state, amount_cents, currency, phone, idempotency_key, created_at)"
        " VALUES (?, 'DEMO', 2, 'telegram', ?, 'en', 'b2c_float_purchase', ?, 5000000,"
        " 'KES', '254712345678', ?, ?)",
        (reference, reference, state, reference, NOW),
    )
    conn.execute(
        "INSERT INTO float_purchases (reference, short_code, transfer_fee_cents,"
        " processing_fee_cents, transfer_fee_version, processing_fee_version, quoted_at)"
        " VALUES (?, '444187', 10000, 5500, 1, 1, ?)",
        (reference, NOW),
    )


def otp(conn: sqlite3.Connection, otp_id: str = "OT-1", operation: str = "FL-222222") -> None:
    conn.execute(
        "INSERT INTO otp_validations (id, purpose, operation, partner, person_id, amount_cents,"
        " currency, destination, phone, pepper_id, digest, status, sent, created_at, expires_at)"
        " VALUES (?, 'float_purchase', ?, 'DEMO', 2, 5015500, 'KES', '444187', '254712345678',"
        " '1', 'digest', 'pending', 1, ?, ?)",
        (otp_id, operation, NOW, NOW + 600_000),
    )


def code_message(conn: sqlite3.Connection, otp_id: str | None, state: str = "queued") -> None:
    conn.execute(
        "INSERT INTO outbox (channel, address, kind, edits, text, rows, turn, protect, otp, state,"
        " due_at, created_at) VALUES ('sms', '254712345678', 'code', 0, 'sealed', '[]', 0, 0, ?,"
        " ?, ?, ?)",
        (otp_id, state, NOW, NOW),
    )


def refused(conn: sqlite3.Connection, sql: str, because: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=because):
        conn.execute(sql)


@pytest.mark.parametrize(
    "change",
    ["amount_cents = 1", "currency = 'USD'", "partner = 'ACME'", "type = 'b2c_float_purchase'"],
)
def test_what_was_asked_for_is_never_edited(moved: sqlite3.Connection, change: str) -> None:
    purchase(moved, state="OTP_SENT")
    for reference in ("TU-222223", "FL-222222"):
        if change == "type = 'b2c_float_purchase'" and reference == "FL-222222":
            change = "type = 'topup'"
        refused(
            moved,
            f"UPDATE wallet_transactions SET {change} WHERE reference = '{reference}'",  # noqa: S608
            "never edited",
        )


EDITS = ["transfer_fee_cents = 1", "processing_fee_cents = 0", "short_code = '1'"]


@pytest.mark.parametrize("change", EDITS)
@pytest.mark.parametrize(
    "state", ["OTP_SENT", "AUTHORISED", "SUBMITTING", "SUCCEEDED", "UNKNOWN", "CANCELLED"]
)
def test_a_quote_is_never_edited_after_the_confirm(
    moved: sqlite3.Connection, change: str, state: str
) -> None:
    purchase(moved, state=state)
    refused(moved, f"UPDATE float_purchases SET {change}", "never edited")  # noqa: S608
    moved.execute("UPDATE float_purchases SET submitted_at = 1, bank_id = 'B1'")


@pytest.mark.parametrize("change", EDITS)
def test_a_quote_may_be_made_anew_before_the_confirm(
    moved: sqlite3.Connection, change: str
) -> None:
    purchase(moved)
    moved.execute(f"UPDATE float_purchases SET {change}")  # noqa: S608
    moved.execute("UPDATE wallet_transactions SET amount_cents = 100 WHERE reference = 'FL-222222'")


@pytest.mark.parametrize(
    ("reference", "call"),
    [("TU-222223", "float"), ("TU-222223", "initiate"), ("FL-222222", "float")],
)
def test_a_second_money_call_is_refused(
    moved: sqlite3.Connection, reference: str, call: str
) -> None:
    insert = (
        "INSERT INTO provider_calls (operation, call, attempt, outcome, said, milliseconds, at)"
        " VALUES ('{}', '{}', 2, '{}', '', 1, 1)"
    )
    purchase(moved)
    moved.execute(insert.format("FL-222222", "float", "not_sent"))
    moved.execute(insert.format("FL-222222", "float", "unknown"))
    refused(moved, insert.format(reference, call, "unknown"), "UNIQUE")
    moved.execute(insert.format(reference, "status", "still_open"))
    moved.execute(insert.format(reference, "status", "still_open"))


@pytest.mark.parametrize(
    ("kind", "state"), [("topup", "QUOTED"), ("topup", "SUCCEEDED"), ("b2c_float_purchase", "PAID")]
)
def test_a_state_belongs_to_its_type(moved: sqlite3.Connection, kind: str, state: str) -> None:
    purchase(moved)
    reference = "TU-222220" if kind == "topup" else "FL-222222"
    refused(
        moved,
        f"UPDATE wallet_transactions SET state = '{state}' WHERE reference = '{reference}'",  # noqa: S608
        "CHECK",
    )


def test_one_address_looks_at_one_quote(moved: sqlite3.Connection) -> None:
    purchase(moved)
    purchase(moved, "FL-333333", state="OTP_SENT")
    refused(
        moved, "UPDATE wallet_transactions SET state = 'QUOTED', address = 'FL-222222'"
        " WHERE reference = 'FL-333333'", "UNIQUE",
    )  # fmt: skip


def test_an_operation_has_one_live_code(moved: sqlite3.Connection) -> None:
    otp(moved)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        otp(moved, "OT-2")


@pytest.mark.parametrize("end", ["used", "expired", "locked", "killed"])
@pytest.mark.parametrize("change", ["status = 'pending'", "status = 'used'", "attempts = 0"])
def test_a_code_ends_once(moved: sqlite3.Connection, end: str, change: str) -> None:
    otp(moved)
    moved.execute("UPDATE otp_validations SET status = ?, ended_at = 1", (end,))
    refused(moved, f"UPDATE otp_validations SET {change}", "stays as it is")  # noqa: S608


def test_a_fourth_check_of_a_code_is_refused(moved: sqlite3.Connection) -> None:
    otp(moved)
    for _ in range(3):
        moved.execute("UPDATE otp_validations SET attempts = attempts + 1")
    refused(moved, "UPDATE otp_validations SET attempts = attempts + 1", "CHECK")


@pytest.mark.parametrize("end", ["used", "expired", "locked", "killed"])
def test_what_was_to_carry_a_code_is_wiped_with_it(moved: sqlite3.Connection, end: str) -> None:
    otp(moved)
    otp(moved, "OT-2", "FL-333333")
    for carried in ("OT-1", "OT-1", "OT-2", None):
        code_message(moved, carried)
    moved.execute("UPDATE otp_validations SET attempts = 1 WHERE id = 'OT-1'")
    assert moved.execute("SELECT count(*) FROM outbox WHERE text = 'sealed'").fetchone() == (4,)
    moved.execute("UPDATE otp_validations SET status = ? WHERE id = 'OT-1'", (end,))
    rows = moved.execute("SELECT otp, state, text FROM outbox WHERE kind = 'code' ORDER BY id")
    assert rows.fetchall() == [
        ("OT-1", "dead", ""),
        ("OT-1", "dead", ""),
        ("OT-2", "queued", "sealed"),
        (None, "queued", "sealed"),
    ]
