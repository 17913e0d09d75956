"""Proposals may name a top-up, and a minimum of zero becomes a shilling; nothing else changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.sqlite.migrate import migrate, shipped
from storage.transaction import StoreTx
from tests.kit.older_databases import fill, named, propose
from tests.kit.plain_store import connect


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, shipped()[:5])
    propose(conn)
    yield conn
    conn.close()


def test_what_was_proposed_names_no_top_up(conn: sqlite3.Connection) -> None:
    before = named(conn, "proposals")
    assert migrate(conn, shipped()[:6]) == ["0006_matched_and_least"]
    assert named(conn, "proposals") == [{**row, "topup": None} for row in before]
    proposal = StoreTx(conn).proposals.get("PR-222222")
    assert proposal is not None
    assert proposal.topup is None


def test_a_least_of_nothing_becomes_a_shilling_and_no_other_limit_changes(
    conn: sqlite3.Connection,
) -> None:
    conn.executemany(
        "INSERT INTO limits (name, partner, valid_from, amount_cents, currency, source)"
        " VALUES (?, 'DEMO', 1, ?, 'KES', 'an admin')",
        [("float.min", 0), ("float.max", 0), ("c2b.min", 5_000), ("c2b.day", 0)],
    )
    before = named(conn, "limits")
    migrate(conn)
    after = [row for row in named(conn, "limits") if not row["name"].startswith("payout.")]
    changed = [row for row in after if row not in before]
    assert [(row["name"], row["amount_cents"]) for row in changed] == [("float.min", 100)]
    assert len(after) == len(before)
