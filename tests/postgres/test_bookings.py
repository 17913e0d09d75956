"""Several connections book on the same accounts at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import psycopg
import pytest

from services.domain.ledger import Account, AccountKind, Phase, Transfer, TransferCode
from services.domain.money import Money
from tests.kit.postgres_server import PostgresServer, postgres_server
from tests.postgres.databases import create, migrations
from tests.postgres.desks import WAIT_S, Desk, refused_with, until_it_waits

pytestmark = pytest.mark.postgres

WALLET = Account("DEMO", AccountKind.WALLET)
FLOAT = Account("DEMO", AccountKind.FLOAT)
COLLECTION = Account("DEMO", AccountKind.COLLECTION)
ACME = Account("ACME", AccountKind.WALLET)
OVERDRAFT, GUARD = "23514", "HZ001"


def move(
    leg: str, cents: int, debit: Account, credit: Account, phase: Phase = Phase.SINGLE
) -> Transfer:
    return Transfer(f"FL-1:{leg}", "FL-1", phase, debit, credit, Money(cents), TransferCode.OPENING)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        create(server, "migrated", *migrations())
        yield server


@pytest.fixture
def desks(server: PostgresServer) -> Iterator[tuple[Desk, Desk]]:
    """Two processes at an empty database, but for 1,000 shillings in the wallet of DEMO."""
    database = f"bookings_{uuid4().hex}"
    create(server, database, template="migrated")
    with ExitStack() as stack:
        one, two = Desk(server, database), Desk(server, database)
        stack.callback(one.close)
        stack.callback(two.close)
        for partner in ("DEMO", "ACME"):
            one.conn.execute("INSERT INTO partners (code, created_at) VALUES (%s, 0)", (partner,))
            one.conn.execute(
                "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft) VALUES"
                " (%(code)s, 'collection', 'KES', 'debit', 0),"
                " (%(code)s, 'wallet', 'KES', 'credit', 1),"
                " (%(code)s, 'float', 'KES', 'credit', 1)",
                {"code": partner},
            )
        one.book(move("opening", 100_000, COLLECTION, WALLET))
        yield one, two


def moves(desk: Desk, account: Account) -> list[int]:
    """The numbers of the account's transfers, in the order of booking."""
    found = desk.conn.execute(
        "SELECT CASE WHEN debit_partner = %(partner)s AND debit_kind = %(kind)s"
        " THEN debit_move ELSE credit_move END FROM transfers"
        " WHERE debit_partner = %(partner)s AND debit_kind = %(kind)s"
        " OR credit_partner = %(partner)s AND credit_kind = %(kind)s ORDER BY seq",
        {"partner": account.partner, "kind": account.kind.value},
    )
    return [number for (number,) in found]


def available(desk: Desk, account: Account) -> int:
    found = desk.conn.execute(
        "SELECT credits_posted - debits_posted - debits_pending FROM accounts"
        " WHERE partner = %s AND kind = %s AND currency = 'KES'",
        (account.partner, account.kind.value),
    ).fetchone()
    assert found
    return int(found[0])


def test_who_waited_for_another_gets_the_next_number(desks: tuple[Desk, Desk]) -> None:
    one, two = desks
    with one.conn.transaction():
        one.book(move("a", 30_000, WALLET, FLOAT))
        work = two.later(lambda: two.book(move("b", 20_000, WALLET, FLOAT)))
        until_it_waits(one, two, work)
    work.result(WAIT_S)
    assert moves(one, WALLET) == [1, 2, 3]
    assert moves(one, FLOAT) == [1, 2]
    assert (available(one, WALLET), available(one, FLOAT)) == (50_000, 50_000)


def test_who_waited_gets_the_number_that_another_gave_back(desks: tuple[Desk, Desk]) -> None:
    one, two = desks
    with one.conn.transaction(force_rollback=True):
        one.book(move("a", 30_000, WALLET, FLOAT))
        work = two.later(lambda: two.book(move("b", 20_000, WALLET, FLOAT)))
        until_it_waits(one, two, work)
    work.result(WAIT_S)
    assert moves(one, WALLET) == [1, 2]
    assert available(one, WALLET) == 80_000


def test_the_same_leg_of_two_is_booked_once(desks: tuple[Desk, Desk]) -> None:
    one, two = desks
    with one.conn.transaction():
        one.book(move("a", 30_000, WALLET, FLOAT))
        work = two.later(lambda: two.book(move("a", 30_000, WALLET, FLOAT)))
        until_it_waits(one, two, work)
    work.result(WAIT_S)
    assert moves(one, WALLET) == [1, 2]
    assert available(one, WALLET) == 70_000


def test_several_transfers_of_one_transaction_are_numbered(desks: tuple[Desk, Desk]) -> None:
    one, _ = desks
    with one.conn.transaction():
        one.book(*(move(f"{n}", 1_000, WALLET, FLOAT) for n in range(3)))
    assert moves(one, WALLET) == [1, 2, 3, 4]


@pytest.mark.parametrize("phase", [Phase.SINGLE, Phase.PENDING])
def test_two_together_do_not_overdraw(desks: tuple[Desk, Desk], phase: Phase) -> None:
    one, two = desks
    with one.conn.transaction():
        one.book(move("a", 60_000, WALLET, FLOAT, phase))
        work = two.later(lambda: two.book(move("b", 40_001, WALLET, FLOAT, phase)))
        until_it_waits(one, two, work)
    assert refused_with(work) == OVERDRAFT
    assert available(one, WALLET) == 40_000
    two.book(move("b", 40_000, WALLET, FLOAT, phase))


def test_what_one_has_is_refused_to_more(desks: tuple[Desk, Desk]) -> None:
    one, _ = desks
    with pytest.raises(psycopg.errors.CheckViolation, match="accounts_check"):
        one.book(move("a", 100_001, WALLET, FLOAT))
    assert moves(one, WALLET) == [1]


def test_a_hold_is_resolved_by_one_of_two(desks: tuple[Desk, Desk]) -> None:
    one, two = desks
    held = move("held", 30_000, WALLET, FLOAT, Phase.PENDING)
    one.book(held)

    def end(leg: str, phase: Phase) -> Transfer:
        return Transfer(
            f"FL-1:{leg}", "FL-1", phase, WALLET, FLOAT, held.amount, held.code, held.id
        )

    with one.conn.transaction():
        one.book(end("post", Phase.POST))
        work = two.later(lambda: two.book(end("void", Phase.VOID)))
        until_it_waits(one, two, work)
    assert refused_with(work) == "23505"
    assert (available(one, WALLET), available(one, FLOAT)) == (70_000, 30_000)


@pytest.mark.parametrize(("debit", "credit"), [(WALLET, ACME), (ACME, WALLET)])
def test_accounts_are_locked_in_one_order(
    desks: tuple[Desk, Desk], debit: Account, credit: Account
) -> None:
    """Whichever is debited: who waits for the second has the first."""
    one, two = desks
    one.book(move("given", 50_000, WALLET, ACME))
    free = (
        "SELECT partner FROM accounts WHERE partner = %s AND kind = 'wallet' FOR UPDATE SKIP LOCKED"
    )
    with one.conn.transaction():
        assert one.conn.execute(free, ("DEMO",)).fetchall() == [("DEMO",)]
        work = two.later(lambda: two.book(move("a", 100, debit, credit)))
        until_it_waits(one, two, work)
        assert one.conn.execute(free, ("ACME",)).fetchall() == []
    work.result(WAIT_S)


def test_transfers_to_and_fro_are_all_booked(desks: tuple[Desk, Desk]) -> None:
    one, two = desks
    count = 50
    one.book(move("given", 50_000, WALLET, ACME))

    def book(desk: Desk, name: str, debit: Account, credit: Account) -> None:
        for n in range(count):
            desk.book(move(f"{name}{n}", 100, debit, credit))

    work = [
        one.later(lambda: book(one, "to", WALLET, ACME)),
        two.later(lambda: book(two, "fro", ACME, WALLET)),
    ]
    for done in work:
        done.result(2 * WAIT_S)
    assert sorted(moves(one, WALLET)) == [*range(1, 2 * count + 3)]
    assert sorted(moves(one, ACME)) == [*range(1, 2 * count + 2)]
    assert (available(one, WALLET), available(one, ACME)) == (50_000, 50_000)


def test_a_number_that_the_row_brings_does_not_count(desks: tuple[Desk, Desk]) -> None:
    one, _ = desks
    one.conn.execute(
        "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind, credit_partner,"
        " credit_kind, currency, amount_cents, code, booked_at, debit_move, credit_move)"
        " VALUES ('x', 'x', 'single', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 1, 'opening', 0,"
        " 9, NULL)"
    )
    assert (moves(one, WALLET), moves(one, FLOAT)) == ([1, 2], [1])


# Operations that somebody is confirming -------------------------------------------------------

OPERATIONS = (
    "INSERT INTO wallet_transactions (reference, partner, channel, address, language, type, state,"
    " standing, amount_cents, currency, phone, idempotency_key, created_at) VALUES"
    " ('FL-1', 'DEMO', 'terminal', 'a', 'en', 'b2c_float_purchase', 'QUOTED', 'quoted', 30000,"
    " 'KES', '254712345678', 'k1', 0),"
    " ('PO-1', 'DEMO', 'terminal', 'a', 'en', 'disbursement', 'QUOTED', 'quoted', 30000,"
    " 'KES', '254712345678', 'k2', 0),"
    " ('BA-1', 'DEMO', 'terminal', 'a', 'en', 'payout_batch', 'CANCELLED', 'ended', 30000,"
    " 'KES', '254712345678', 'k3', 0)",
    "INSERT INTO float_purchases (reference, short_code, transfer_fee_cents, processing_fee_cents,"
    " transfer_fee_version, processing_fee_version, quoted_at)"
    " VALUES ('FL-1', '600000', 100, 50, 1, 1, 0)",
    "INSERT INTO payouts (reference, short_code, fee_cents, tariff_version, remarks, quoted_at)"
    " VALUES ('PO-1', '600000', 5, 1, 'thanks', 0)",
    "INSERT INTO payout_batches (reference, code_phone, name, row_count, fee_cents, digest,"
    " doubles, quoted_at) VALUES ('BA-1', '254712345678', '', 1, 5, 'd', 0, 0)",
    "INSERT INTO payout_batch_rows (batch, number, phone, amount_cents, currency, reference)"
    " VALUES ('BA-1', 1, '254712345678', 30000, 'KES', 'r')",
)


@pytest.mark.parametrize(
    ("reference", "state", "standing", "change"),
    [
        ("FL-1", "OTP_SENT", "waiting", "UPDATE float_purchases SET transfer_fee_cents = 1"),
        ("PO-1", "OTP_SENT", "waiting", "UPDATE payouts SET fee_cents = 1"),
        ("PO-1", "AUTHORISED", "ready", "UPDATE payouts SET remarks = 'other'"),
        ("BA-1", "QUOTED", "quoted", "DELETE FROM payout_batch_rows"),
    ],
)
def test_what_another_is_confirming_is_not_changed(
    desks: tuple[Desk, Desk], reference: str, state: str, standing: str, change: str
) -> None:
    """It would be allowed by what is committed when the change begins."""
    one, two = desks
    for statement in OPERATIONS:
        one.run(statement)
    with one.conn.transaction():
        one.conn.execute(
            "UPDATE wallet_transactions SET state = %s, standing = %s WHERE reference = %s",
            (state, standing, reference),
        )
        work = two.later(lambda: two.run(change))
        until_it_waits(one, two, work)
    assert refused_with(work) == GUARD
