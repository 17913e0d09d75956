"""Top-ups in the store: what each prompt asks must not grow with a partner's business."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from services.domain.money import Money
from tests.kit.plain_store import PHONE, PlainStore


def test_the_duplicate_guard_looks_only_at_equal_topups(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "plain.db")
    statements: list[str] = []
    store.conn.set_trace_callback(statements.append)
    store.tx.topups.find_open("DEMO", PHONE, Money(150_000), store.now - timedelta(days=1))
    store.conn.set_trace_callback(None)
    (asked,) = statements
    plan = [row[3] for row in store.conn.execute(f"EXPLAIN QUERY PLAN {asked}")]
    store.close()
    assert plan[0] == (
        "SEARCH w USING INDEX wallet_transactions_open (partner=? AND phone=? AND amount_cents=?)"
    )
