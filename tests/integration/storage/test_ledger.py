"""The database itself refuses whatever would make a balance differ from the sum of transfers."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.domain.ledger import (
    HOUSE,
    Account,
    AccountKind,
    Balance,
    FloatTotals,
    Phase,
    Transfer,
    TransferCode,
    opening_balance,
    topup_credit,
)
from services.domain.money import Money
from services.domain.partner import Partner
from tests.kit.plain_store import PlainStore

K = AccountKind
WALLET = Account("DEMO", K.WALLET)
FLOAT = Account("DEMO", K.FLOAT)
COLLECTION = Account("DEMO", K.COLLECTION)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    for code in ("DEMO", "ACME", HOUSE):
        store.do(lambda tx, code=code: tx.people.add_partner(Partner(code)))
        store.do(lambda tx, code=code: tx.ledger.open_accounts(code, K, "KES"))
    yield store
    store.close()


@pytest.fixture
def funded(store: PlainStore) -> PlainStore:
    """The wallet of DEMO holds 1,000 shillings."""
    store.book(opening_balance("DEMO", K.WALLET, Money(100_000)))
    return store


def move(cents: int, phase: Phase = Phase.SINGLE, leg: str = "leg") -> Transfer:
    """A transfer from wallet to float, as in a float purchase."""
    return Transfer(f"FP-2:{leg}", "FP-2", phase, WALLET, FLOAT, Money(cents), TransferCode.OPENING)


def resolve(held: Transfer, phase: Phase, leg: str = "end") -> Transfer:
    return replace(held, id=f"FP-2:{leg}", phase=phase, pending_id=held.id)


def balance(store: PlainStore, account: Account) -> tuple[int, int]:
    """Return the posted and the available balance in cents."""
    found: Balance = store.tx.ledger.balance(account)
    return found.posted.cents, found.available.cents


# Booking ------------------------------------------------------------------------------------


def test_a_topup_grows_the_wallet_and_what_the_bank_holds(store: PlainStore) -> None:
    store.book(topup_credit("TU-2", "DEMO", Money(5_000)))
    assert balance(store, WALLET) == (5_000, 5_000)
    assert balance(store, COLLECTION) == (5_000, 5_000)


def test_no_other_account_is_moved(store: PlainStore) -> None:
    store.book(topup_credit("TU-2", "DEMO", Money(5_000)))
    assert store.count("SELECT count(*) FROM accounts WHERE last_transfer > 0") == 2


def test_an_opening_float_stands_against_the_utility_account(store: PlainStore) -> None:
    store.book(opening_balance("DEMO", K.FLOAT, Money(700)))
    assert balance(store, Account("DEMO", K.B2C_UTILITY)) == (700, 700)


def test_an_account_that_was_never_opened_has_nothing(store: PlainStore) -> None:
    assert balance(store, Account("NOBODY", K.WALLET)) == (0, 0)


def test_opening_accounts_again_leaves_what_is_in_them(funded: PlainStore) -> None:
    funded.do(lambda tx: tx.ledger.open_accounts("DEMO", K, "KES"))
    assert balance(funded, WALLET) == (100_000, 100_000)


def test_the_same_leg_is_booked_once(store: PlainStore) -> None:
    credit = topup_credit("TU-2", "DEMO", Money(5_000))
    store.book(credit, credit)
    store.book(credit)
    assert balance(store, WALLET) == (5_000, 5_000)


def test_a_transfer_remembers_when_it_was_booked(store: PlainStore) -> None:
    store.wait(seconds=90)
    store.book(topup_credit("TU-2", "DEMO", Money(5_000)))
    assert store.count("SELECT booked_at FROM transfers") == store.now.timestamp() * 1000


# Holds --------------------------------------------------------------------------------------


def test_a_hold_may_not_be_spent_but_has_not_happened(funded: PlainStore) -> None:
    funded.book(move(30_000, Phase.PENDING))
    assert balance(funded, WALLET) == (100_000, 70_000)
    assert balance(funded, FLOAT) == (0, 0)


def test_a_post_makes_the_hold_happen(funded: PlainStore) -> None:
    held = move(30_000, Phase.PENDING)
    funded.book(held, resolve(held, Phase.POST))
    assert balance(funded, WALLET) == (70_000, 70_000)
    assert balance(funded, FLOAT) == (30_000, 30_000)


def test_a_void_gives_the_hold_back(funded: PlainStore) -> None:
    held = move(30_000, Phase.PENDING)
    funded.book(held, resolve(held, Phase.VOID))
    assert balance(funded, WALLET) == (100_000, 100_000)
    assert balance(funded, FLOAT) == (0, 0)


def test_a_hold_on_a_debit_account_is_a_pending_credit(funded: PlainStore) -> None:
    funded.book(replace(move(400, Phase.PENDING), debit=WALLET, credit=COLLECTION))
    assert balance(funded, COLLECTION) == (100_000, 99_600)


@pytest.mark.parametrize("first", [Phase.POST, Phase.VOID])
@pytest.mark.parametrize("second", [Phase.POST, Phase.VOID])
def test_a_hold_is_resolved_once(funded: PlainStore, first: Phase, second: Phase) -> None:
    held = move(30_000, Phase.PENDING)
    funded.book(held, resolve(held, first, "first"))
    before = balance(funded, WALLET)
    with pytest.raises(sqlite3.IntegrityError, match=r"transfers\.pending_id"):
        funded.book(resolve(held, second, "second"))
    assert balance(funded, WALLET) == before


@pytest.mark.parametrize("phase", [Phase.POST, Phase.VOID])
def test_the_same_resolution_again_changes_nothing(funded: PlainStore, phase: Phase) -> None:
    held = move(30_000, Phase.PENDING)
    funded.book(held, resolve(held, phase))
    before = balance(funded, WALLET)
    funded.book(held, resolve(held, phase))
    assert balance(funded, WALLET) == before


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Money(29_999)},
        {"amount": Money(30_001)},
        {"operation": "FP-3"},
        {"debit": Account("ACME", K.WALLET)},
        {"credit": Account("ACME", K.FLOAT)},
        {"credit": Account("DEMO", K.SUSPENSE)},
        {"debit": FLOAT, "credit": WALLET},
        {"pending_id": "FP-2:missing"},
        {"pending_id": "FP-2:single"},
    ],
    ids=lambda change: ",".join(f"{key}={value}"[:34] for key, value in change.items()),
)
@pytest.mark.parametrize("phase", [Phase.POST, Phase.VOID])
def test_a_resolution_matches_what_it_resolves(
    funded: PlainStore, phase: Phase, change: dict[str, object]
) -> None:
    held = move(30_000, Phase.PENDING)
    funded.book(held, move(30_000, leg="single"), opening_balance("ACME", K.WALLET, Money(50_000)))
    with pytest.raises(sqlite3.IntegrityError, match="must match the pending transfer"):
        funded.book(replace(resolve(held, phase), **change))


@pytest.mark.parametrize("phase", [Phase.POST, Phase.VOID])
def test_a_resolution_cannot_itself_be_resolved(funded: PlainStore, phase: Phase) -> None:
    held = move(30_000, Phase.PENDING)
    done = resolve(held, phase)
    funded.book(held, done)
    with pytest.raises(sqlite3.IntegrityError, match="must match the pending transfer"):
        funded.book(replace(done, id="FP-2:again", pending_id=done.id))


@pytest.mark.parametrize("phase", [Phase.POST, Phase.VOID])
def test_a_resolution_names_what_it_resolves(phase: Phase) -> None:
    with pytest.raises(ValueError, match="name the pending transfer"):
        replace(move(1), phase=phase)


@pytest.mark.parametrize("phase", [Phase.SINGLE, Phase.PENDING])
def test_what_resolves_nothing_names_nothing(phase: Phase) -> None:
    with pytest.raises(ValueError, match="others none"):
        replace(move(1), phase=phase, pending_id="FP-2:leg")


# Overdrafts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.SINGLE, Phase.PENDING])
def test_a_wallet_is_spent_to_the_last_cent(funded: PlainStore, phase: Phase) -> None:
    funded.book(move(100_000, phase))
    assert balance(funded, WALLET)[1] == 0


@pytest.mark.parametrize("phase", [Phase.SINGLE, Phase.PENDING])
def test_the_database_refuses_an_overdraft(funded: PlainStore, phase: Phase) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        funded.book(move(100_001, phase))
    assert balance(funded, WALLET) == (100_000, 100_000)
    assert funded.count("SELECT count(*) FROM transfers") == 1


def test_what_is_held_is_not_spent_twice(funded: PlainStore) -> None:
    funded.book(move(60_000, Phase.PENDING))
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        funded.book(move(40_001, leg="second"))


def test_what_is_still_held_for_us_is_not_spent(funded: PlainStore) -> None:
    funded.book(move(60_000, Phase.PENDING))
    back = replace(move(1, leg="back"), debit=FLOAT, credit=WALLET)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        funded.book(back)


@pytest.mark.parametrize("kind", [K.WALLET, K.FLOAT, K.SUSPENSE])
def test_what_we_owe_is_never_overdrawn(store: PlainStore, kind: AccountKind) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        store.book(replace(move(1), debit=Account("ACME", kind), credit=COLLECTION))


def test_a_refused_transfer_takes_its_whole_booking_back(funded: PlainStore) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        funded.book(move(1_000, leg="first"), move(100_000, leg="second"))
    assert balance(funded, WALLET) == (100_000, 100_000)


def test_a_sum_that_no_integer_holds_is_refused(store: PlainStore) -> None:
    most = Money(2**63 - 1)
    store.book(topup_credit("TU-2", "DEMO", most))
    with pytest.raises(sqlite3.IntegrityError):
        store.book(topup_credit("TU-3", "DEMO", most))
    assert balance(store, WALLET) == (most.cents, most.cents)


# Valid transfers ----------------------------------------------------------------------------


@pytest.mark.parametrize("cents", [0, -1])
def test_a_transfer_moves_more_than_nothing(cents: int) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        move(cents)


INSERT = (
    "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind, credit_partner,"
    " credit_kind, currency, amount_cents, code, pending_id, booked_at, debit_move, credit_move)"
    " VALUES (?, 'x', ?, 'DEMO', ?, 'DEMO', ?, ?, ?, 'opening', ?, 0, 1, 1)"
)


@pytest.mark.parametrize(
    ("why", "values"),
    [
        ("amount_cents > 0", ("x", "single", "collection", "wallet", "KES", 0, None)),
        ("amount_cents > 0", ("x", "single", "collection", "wallet", "KES", -5, None)),
        ("INTEGER column", ("x", "single", "collection", "wallet", "KES", 1.5, None)),
        ("phase IN", ("x", "done", "collection", "wallet", "KES", 5, None)),
        ("debit_partner <> credit", ("x", "single", "wallet", "wallet", "KES", 5, None)),
        ("pending_id IS NULL", ("x", "post", "collection", "wallet", "KES", 5, None)),
        ("FOREIGN KEY", ("x", "single", "collection", "wallet", "USD", 5, None)),
        ("FOREIGN KEY", ("x", "single", "collection", "purse", "KES", 5, None)),
        ("NOT NULL", (None, "single", "collection", "wallet", "KES", 5, None)),
    ],
)
def test_the_database_refuses_what_is_no_transfer(
    store: PlainStore, why: str, values: tuple[object, ...]
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=why):
        store.do(lambda tx: tx.conn.execute(INSERT, values))
    assert store.count("SELECT count(*) FROM transfers") == 0


def test_currencies_do_not_mix(store: PlainStore) -> None:
    store.do(lambda tx: tx.ledger.open_accounts("DEMO", K, "USD"))
    store.book(topup_credit("TU-2", "DEMO", Money(500, "USD")))
    assert balance(store, WALLET) == (0, 0)
    assert store.tx.ledger.balance(WALLET, "USD").posted == Money(500, "USD")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        store.book(move(1))


def test_a_hold_is_not_resolved_in_another_currency(funded: PlainStore) -> None:
    funded.do(lambda tx: tx.ledger.open_accounts("DEMO", K, "USD"))
    held = move(500, Phase.PENDING)
    funded.book(held)
    with pytest.raises(sqlite3.IntegrityError, match="must match the pending transfer"):
        funded.book(replace(resolve(held, Phase.POST), amount=Money(500, "USD")))


# Nothing is edited --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "sql"),
    [
        ("never edited", "UPDATE transfers SET amount_cents = amount_cents + 1"),
        ("never edited", "UPDATE transfers SET booked_at = booked_at"),
        ("never deleted", "DELETE FROM transfers"),
        (
            "never deleted",  # what REPLACE would do if it were allowed
            "INSERT OR REPLACE INTO transfers SELECT * FROM transfers",
        ),
        ("sum of transfers", "UPDATE accounts SET credits_posted = credits_posted + 1"),
        ("sum of transfers", "UPDATE accounts SET debits_pending = 0"),
        ("sum of transfers", "UPDATE accounts SET no_overdraft = 0"),
        ("sum of transfers", "UPDATE accounts SET debits_posted = 1 WHERE moves > 0"),
        (
            "sum of transfers",
            "UPDATE accounts SET moves = moves + 1, last_transfer = last_transfer + 1",
        ),
        (
            "sum of transfers",
            "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)"
            " VALUES ('DEMO', 'wallet', 'KES', 'credit', 1)"
            " ON CONFLICT (partner, kind, currency) DO UPDATE SET credits_posted = 9",
        ),
        ("never deleted", "DELETE FROM accounts"),
        (
            "starts empty",
            "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft,"
            " credits_posted) VALUES ('DEMO', 'wallet', 'USD', 'credit', 1, 5)",
        ),
        (
            "starts empty",
            "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft,"
            " last_transfer) VALUES ('DEMO', 'wallet', 'USD', 'credit', 1, 5)",
        ),
        (
            "starts empty",
            "INSERT INTO accounts VALUES ('x', 'x', 'x', 'debit', 0, 0, 0, 0, 0, 0, 5)",
        ),
    ],
)
def test_the_books_are_changed_by_transfers_only(funded: PlainStore, why: str, sql: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=why):
        funded.do(lambda tx: tx.conn.execute(sql))
    assert balance(funded, WALLET) == (100_000, 100_000)


def test_an_account_keeps_its_identity_also_while_it_is_moved(funded: PlainStore) -> None:
    """The trigger that protects identities does not rely on the one that protects balances."""
    funded.conn.execute("DROP TRIGGER accounts_move_by_transfer")
    for column in ("partner", "kind", "currency", "normal_side", "no_overdraft"):
        value = "'debit'" if column == "normal_side" else "0"
        with pytest.raises(sqlite3.IntegrityError, match="keeps its identity"):
            funded.conn.execute(
                "UPDATE accounts SET " + column + " = " + value + " WHERE kind = 'wallet'"  # noqa: S608
            )


def test_an_account_belongs_to_a_partner_there_is(store: PlainStore) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store.do(lambda tx: tx.ledger.open_accounts("NOBODY", K, "KES"))


@pytest.mark.parametrize("table", ["evidence", "provider_calls"])
@pytest.mark.parametrize("how", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
def test_what_the_outside_said_is_never_changed(store: PlainStore, table: str, how: str) -> None:
    store.do(lambda tx: tx.evidence.add("TU-2", "paid", "ncba.query", "Success"))
    store.do(lambda tx: tx.evidence.call("TU-2", "query", 1, "paid", "Success", 5))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.conn.execute(how.format(table))


# Float view ---------------------------------------------------------------------------------


def test_the_float_view_tells_what_is_left_bought_and_used(funded: PlainStore) -> None:
    funded.book(move(30_000, leg="bought"))
    used = replace(move(4_000, leg="used"), debit=FLOAT, credit=Account("DEMO", K.B2C_UTILITY))
    funded.book(used)
    row = funded.conn.execute(
        "SELECT current_cents, purchased_cents, used_cents FROM b2c_float_balance"
        " WHERE partner = 'DEMO'"
    ).fetchone()
    assert row == (26_000, 30_000, 4_000)


def test_what_went_through_a_float_is_read_from_the_view(funded: PlainStore) -> None:
    funded.book(move(30_000, leg="bought"))
    used = replace(move(4_000, leg="used"), debit=FLOAT, credit=Account("DEMO", K.B2C_UTILITY))
    funded.book(used)
    funded.book(move(500, Phase.PENDING, leg="held"))
    totals = funded.do(lambda tx: tx.ledger.float_totals("DEMO", "KES"))
    assert totals == FloatTotals(Money(30_000), Money(4_000))


def test_nothing_went_through_a_float_that_was_never_opened(store: PlainStore) -> None:
    totals = store.do(lambda tx: tx.ledger.float_totals("NOBODY", "KES"))
    assert totals == FloatTotals(Money(0), Money(0))


def test_the_last_purchase_is_the_last_that_happened(funded: PlainStore) -> None:
    funded.book(move(100, leg="bought"))
    bought_at = int(funded.now.timestamp() * 1000)
    funded.wait(hours=1)
    funded.book(move(100, Phase.PENDING, leg="held"))
    assert (
        funded.count("SELECT last_purchase_at FROM b2c_float_balance WHERE partner = 'DEMO'")
        == bought_at
    )
