"""The self-check finds tampering that bypassed the triggers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.bank import Accepted, NotPaid, Paid
from services.domain.ledger import (
    Account,
    AccountKind,
    Phase,
    Transfer,
    TransferCode,
    opening_balance,
)
from services.domain.money import Money
from tests.kit.plain_store import PlainStore
from tests.kit.topup_driver import TopUpDriver


def _sound_books(path: Path) -> PlainStore:
    """Books with a paid and an unpaid top-up, an opening balance and a hold, without triggers."""
    store = PlainStore(path)
    store.person("ACME")
    worker = TopUpDriver(store)
    for cents, bank_id, answer in (
        (5_000, "b1", Paid("Success")),
        (7_000, "b2", NotPaid("cancelled", True, "Request cancelled by user")),
    ):
        reference = worker.start(cents)
        worker.sent(reference, Accepted(bank_id, None, "ok"))
        worker.asked(reference, answer)
    store.book(
        opening_balance("DEMO", AccountKind.WALLET, Money(9_000)),
        Transfer(
            "FP-2:hold",
            "FP-2",
            Phase.PENDING,
            Account("DEMO", AccountKind.WALLET),
            Account("DEMO", AccountKind.FLOAT),
            Money(800),
            TransferCode.OPENING,
        ),
    )
    triggers = store.conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (trigger,) in triggers.fetchall():
        store.conn.execute(f"DROP TRIGGER {trigger}")
    return store


@pytest.fixture
def books(tmp_path: Path) -> Iterator[PlainStore]:
    store = _sound_books(tmp_path / "hazina.db")
    yield store
    store.close()


def test_sound_books_have_no_problem(books: PlainStore) -> None:
    assert books.tx.invariants.violations() == []


def test_an_empty_database_has_no_problem(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "empty.db")
    assert store.tx.invariants.violations() == []
    store.close()


WALLET_IS_OFF = "account DEMO/wallet/KES is not the sum of its transfers"
FLOAT_IS_OFF = "account DEMO/float/KES is not the sum of its transfers"


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE accounts SET credits_posted = 14001 WHERE kind = 'wallet'", WALLET_IS_OFF),
        ("UPDATE accounts SET debits_posted = 1 WHERE credits_posted > 9000", WALLET_IS_OFF),
        ("UPDATE accounts SET debits_pending = 0 WHERE kind = 'wallet'", WALLET_IS_OFF),
        ("UPDATE accounts SET credits_pending = 5 WHERE kind = 'wallet'", WALLET_IS_OFF),
        ("DELETE FROM transfers WHERE code = 'opening'", WALLET_IS_OFF),
        ("UPDATE transfers SET amount_cents = 801 WHERE id = 'FP-2:hold'", FLOAT_IS_OFF),
        ("UPDATE transfers SET credit_kind = 'suspense' WHERE id = 'FP-2:hold'", FLOAT_IS_OFF),
        ("UPDATE transfers SET phase = 'single' WHERE id = 'FP-2:hold'", FLOAT_IS_OFF),
        (
            "UPDATE accounts SET credits_posted = 3 WHERE partner = 'ACME' AND kind = 'wallet'",
            "account ACME/wallet/KES is not the sum of its transfers",
        ),
    ],
)
def test_a_balance_that_is_not_the_sum_of_its_transfers(
    books: PlainStore, sql: str, problem: str
) -> None:
    assert books.conn.execute(sql).rowcount > 0
    assert problem in books.tx.invariants.violations()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE accounts SET credits_posted = 14001 WHERE partner = 'DEMO' AND kind = 'wallet'",
        "UPDATE accounts SET credits_pending = 0 WHERE partner = 'DEMO' AND kind = 'float'",
        "DELETE FROM accounts WHERE partner = 'DEMO' AND kind = 'collection'",
    ],
)
def test_debits_and_credits_that_differ(books: PlainStore, sql: str) -> None:
    books.conn.execute("PRAGMA defer_foreign_keys = ON")
    assert books.conn.execute(sql).rowcount == 1
    assert any(
        line.startswith("debits and credits of KES") for line in books.tx.invariants.violations()
    )


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DELETE FROM transfers WHERE code = 'topup'", "is PAID with 0 credits"),
        (
            "INSERT INTO transfers SELECT 99, id || '2', operation, phase, debit_partner,"
            " debit_kind, credit_partner, credit_kind, currency, amount_cents, code, pending_id,"
            " booked_at, NULL, NULL FROM transfers WHERE code = 'topup'",
            "is PAID with 2 credits",
        ),
        (
            "UPDATE wallet_transactions SET state = 'NOT_PAID', standing = 'ended'"
            " WHERE state = 'PAID'",
            "is NOT_PAID with 1 credits",
        ),
        (
            "UPDATE wallet_transactions SET state = 'PAID', standing = 'succeeded'"
            " WHERE state = 'NOT_PAID'",
            "is PAID with 0 credits",
        ),
        (
            "UPDATE wallet_transactions SET state = 'PAID_LATE', standing = 'succeeded'"
            " WHERE state = 'NOT_PAID'",
            "is PAID_LATE with 0 credits",
        ),
        ("DELETE FROM evidence WHERE kind = 'paid'", "was credited without success evidence"),
        (
            "UPDATE evidence SET kind = 'accepted' WHERE kind = 'paid'",
            "was credited without success evidence",
        ),
    ],
)
def test_a_topup_whose_state_money_and_evidence_disagree(
    books: PlainStore, sql: str, problem: str
) -> None:
    assert books.conn.execute(sql).rowcount == 1
    violations = books.tx.invariants.violations()
    assert any(line.startswith("top-up TU-") and problem in line for line in violations)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("standing = 'ended'", "is no topup, or PAID is no state of it"),
        ("state = 'CREDITED'", "is no topup, or CREDITED is no state of it"),
        ("type = 'payout'", "is no payout, or PAID is no state of it"),
        ("reference = 'FL' || substr(reference, 3)", "is no topup, or PAID is no state of it"),
        ("state = 'CREATED', standing = 'ready'", "is CREATED, and no worker is to look at it"),
        ("state = 'SENDING', standing = 'sending'", "is SENDING, and no worker is to look at it"),
    ],
)
def test_an_operation_that_is_not_of_its_kind_or_that_nobody_looks_after(
    books: PlainStore, change: str, problem: str
) -> None:
    books.conn.execute("PRAGMA defer_foreign_keys = ON")
    books.conn.execute("UPDATE wallet_transactions SET " + change + " WHERE state = 'PAID'")  # noqa: S608
    assert any(
        line.startswith("operation ") and line.endswith(problem)
        for line in books.tx.invariants.violations()
    )


@pytest.mark.parametrize(
    "change", ["credit_partner = 'ACME'", "amount_cents = 4999", "operation = 'TU-GHOST2'"]
)
def test_a_credit_that_is_not_that_of_a_paid_topup(books: PlainStore, change: str) -> None:
    books.conn.execute("UPDATE transfers SET " + change + " WHERE code = 'topup'")  # noqa: S608
    assert any(
        line.endswith(":credit credits what is not a paid top-up of that amount")
        for line in books.tx.invariants.violations()
    )


def test_the_check_changes_nothing(books: PlainStore) -> None:
    changes = books.conn.total_changes
    books.tx.invariants.violations()
    assert books.conn.total_changes == changes


# Tampering that keeps the sums consistent ----------------------------------------------------

AGAIN = (
    "INSERT INTO transfers SELECT 99, id || '2', {operation}, {phase}, debit_partner,"
    " debit_kind, credit_partner, credit_kind, currency, {amount}, code, {pending},"
    " booked_at, NULL, NULL FROM transfers WHERE {where}"
)
MOVED = (
    "UPDATE accounts SET debits_posted = debits_posted + {n} WHERE kind = 'collection'"
    " AND partner = 'DEMO'",
    "UPDATE accounts SET credits_posted = credits_posted + {n} WHERE kind = 'wallet'"
    " AND partner = 'DEMO'",
)


@pytest.fixture
def unguarded(books: PlainStore) -> PlainStore:
    """Books without check constraints and foreign keys as well."""
    books.conn.execute("PRAGMA ignore_check_constraints = ON")
    books.conn.execute("PRAGMA defer_foreign_keys = ON")
    return books


def spoil(unguarded: PlainStore, *statements: str) -> list[str]:
    for sql in statements:
        assert unguarded.conn.execute(sql).rowcount > 0, sql
    return unguarded.tx.invariants.violations()


def test_a_second_credit_of_another_amount(unguarded: PlainStore) -> None:
    again = AGAIN.format(
        operation="operation", phase="phase", amount="50", pending="NULL", where="code = 'topup'"
    )
    assert spoil(unguarded, again, *(sql.format(n=50) for sql in MOVED))


def test_a_credit_for_a_topup_that_was_not_paid(unguarded: PlainStore) -> None:
    again = AGAIN.format(
        operation="(SELECT reference FROM wallet_transactions WHERE state = 'NOT_PAID')",
        phase="phase", amount="50", pending="NULL", where="code = 'topup'",
    )  # fmt: skip
    assert spoil(unguarded, again, *(sql.format(n=50) for sql in MOVED))


def test_a_credit_for_a_topup_that_does_not_exist(unguarded: PlainStore) -> None:
    again = AGAIN.format(
        operation="'TU-GHOST2'", phase="phase", amount="50", pending="NULL", where="code = 'topup'"
    )
    assert spoil(unguarded, again, *(sql.format(n=50) for sql in MOVED))


def test_an_overdrawn_wallet(unguarded: PlainStore) -> None:
    spend = (
        "INSERT INTO transfers SELECT 99, 'x', 'x', 'single', 'DEMO', 'wallet', 'DEMO', 'float',"
        " 'KES', 1000000, 'opening', NULL, 0, NULL, NULL"
    )
    assert spoil(
        unguarded, spend,
        "UPDATE accounts SET debits_posted = debits_posted + 1000000"
        " WHERE kind = 'wallet' AND partner = 'DEMO'",
        "UPDATE accounts SET credits_posted = credits_posted + 1000000"
        " WHERE kind = 'float' AND partner = 'DEMO'",
    )  # fmt: skip


def test_a_post_of_less_than_was_held(unguarded: PlainStore) -> None:
    post = AGAIN.format(
        operation="operation", phase="'post'", amount="300", pending="id", where="id = 'FP-2:hold'"
    )
    moves = (
        "UPDATE accounts SET debits_posted = debits_posted + 300,"
        " debits_pending = debits_pending - 300 WHERE kind = 'wallet' AND partner = 'DEMO'",
        "UPDATE accounts SET credits_posted = credits_posted + 300,"
        " credits_pending = credits_pending - 300 WHERE kind = 'float' AND partner = 'DEMO'",
    )
    assert spoil(unguarded, post, *moves)


def test_transfers_of_accounts_that_are_gone(unguarded: PlainStore) -> None:
    assert spoil(unguarded, "DELETE FROM accounts WHERE partner = 'DEMO'")


def test_a_post_to_another_account_than_was_held(unguarded: PlainStore) -> None:
    post = (
        "INSERT INTO transfers SELECT 99, id || '2', operation, 'post', debit_partner,"
        " debit_kind, credit_partner, 'suspense', currency, amount_cents, code, id,"
        " booked_at, NULL, NULL FROM transfers WHERE id = 'FP-2:hold'"
    )
    moves = (
        "UPDATE accounts SET debits_posted = debits_posted + 800,"
        " debits_pending = debits_pending - 800 WHERE kind = 'wallet' AND partner = 'DEMO'",
        "UPDATE accounts SET credits_posted = credits_posted + 800,"
        " credits_pending = credits_pending - 800 WHERE kind = 'suspense' AND partner = 'DEMO'",
    )
    assert any("does not match" in line for line in spoil(unguarded, post, *moves))


def test_a_topup_credited_to_another_account_than_the_wallet(unguarded: PlainStore) -> None:
    moves = (
        "UPDATE accounts SET credits_posted = credits_posted - 5000"
        " WHERE kind = 'wallet' AND partner = 'DEMO'",
        "UPDATE accounts SET credits_posted = credits_posted + 5000"
        " WHERE kind = 'suspense' AND partner = 'DEMO'",
    )
    credit = "UPDATE transfers SET credit_kind = 'suspense' WHERE code = 'topup'"
    assert spoil(unguarded, credit, *moves)
