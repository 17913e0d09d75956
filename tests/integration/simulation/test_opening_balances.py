"""What a simulated partner starts with: an adjustment that the chat does not list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.simulation.opening_balances import add_partner
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Partner
from tests.kit.plain_store import PlainStore

WALLET, FLOAT = Money(50_000_00), Money(700_00)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    store.do(lambda tx: add_partner(tx, Partner("DUKA"), WALLET, FLOAT))
    yield store
    store.close()


def test_the_history_of_operations_sums_to_the_wallet(store: PlainStore) -> None:
    rows = store.conn.execute(
        "SELECT type, status, final, wallet_change_cents FROM public_operations"
        " WHERE partner = 'DUKA'"
    ).fetchall()
    assert [tuple(row) for row in rows] == [("adjustment", "succeeded", 1, WALLET.cents)]
    wallet = store.tx.ledger.balance(Account("DUKA", AccountKind.WALLET))
    assert wallet.posted == WALLET
    assert store.tx.ledger.balance(Account("DUKA", AccountKind.FLOAT)).posted == FLOAT


def test_the_chat_does_not_list_it(store: PlainStore) -> None:
    assert store.conn.execute("SELECT listed FROM wallet_transactions").fetchall() == [(0,)]


def test_the_books_hold(store: PlainStore) -> None:
    assert store.tx.invariants.violations() == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wallet_transactions SET idempotency_key = 'opening:ACME'",
        "UPDATE wallet_transactions SET amount_cents = 1",
        "UPDATE transfers SET code = 'adjustment' WHERE credit_kind = 'wallet'",
        "DELETE FROM transfers WHERE credit_kind = 'wallet'",
    ],
)
def test_no_other_adjustment_is_unlisted(store: PlainStore, sql: str) -> None:
    triggers = store.conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (trigger,) in triggers.fetchall():
        store.conn.execute(f"DROP TRIGGER {trigger}")
    store.conn.execute(sql)
    (found,) = [p for p in store.tx.invariants.violations() if "by nobody" in p]
    assert found.endswith("was proposed by nobody, and is no opening balance")
