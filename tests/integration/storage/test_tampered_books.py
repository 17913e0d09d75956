"""The self-check reports any single change to a payment, purchase or correction that bypassed the
triggers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from services import payments, proposal_decisions, proposals
from services.domain.bank import Accepted, Paid
from services.domain.fees import FeeKind
from services.domain.float_purchase import PurchaseState
from services.domain.money import Money
from services.domain.payment import Payer, Payment, PaymentState
from services.domain.proposal import Proposal, Resolution
from services.domain.refusal import Refusal
from services.proposal_decisions import Approved
from storage.transaction import StoreTx
from tests.kit.float_buyer import FloatBuyer, in_state
from tests.kit.plain_store import OTHER_PHONE, PlainStore
from tests.kit.topup_driver import TopUpDriver

ROOT, RITA, REASON = "admin:telegram:1", "admin:telegram:2", "line 14 of the statement"


@dataclass
class Books:
    """Sound books whose guards have been removed."""

    store: PlainStore

    def problems(self, sql: str) -> list[str]:
        conn = self.store.conn
        conn.execute("SAVEPOINT spoiled")
        try:
            assert conn.execute(sql).rowcount > 0, sql
            return self.store.tx.invariants.violations()
        finally:
            conn.execute("ROLLBACK TO spoiled")
            conn.execute("RELEASE spoiled")


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    store = PlainStore(tmp_path_factory.mktemp("books") / "hazina.db")
    buyer, worker = FloatBuyer(store), TopUpDriver(store)
    worker.events = 1_000  # so that its event keys differ from those of FloatBuyer
    store.person("ACME")
    buyer.fund(Money(9_000_000))
    buyer.fee(FeeKind.TRANSFER, fixed=5_000)
    buyer.fee(FeeKind.PROCESSING, ppm=1_000)
    for state in (PurchaseState.SUCCEEDED, PurchaseState.FAILED, PurchaseState.UNKNOWN):
        in_state(buyer, state)
        store.wait(minutes=30)

    reference = worker.start(5_000)
    worker.sent(reference, Accepted("b1", None, "ok"))
    worker.asked(reference, Paid("Success"))
    _paid(store, "UF4OR6RP9Q", 5_000, reference)
    _paid(store, "UF4OR6RP9R", 6_000, "DEMO")
    _paid(store, "UF4OR6RP9S", 7_000, "774451", OTHER_PHONE.msisdn)
    given = store.do(lambda tx: tx.payments.get("UF4OR6RP9S"))
    assert given is not None
    _agreed(
        store,
        lambda tx, draw: proposals.propose_assignment(
            tx, draw, ROOT, given.reference, "ACME", REASON
        ),
    )
    _paid(store, "UF4OR6RP9T", 8_000, "774451", OTHER_PHONE.msisdn)
    _agreed(
        store,
        lambda tx, draw: proposals.propose_adjustment(
            tx, draw, ROOT, "DEMO", Resolution.CREDIT, Money(500), REASON
        ),
    )
    states = {one.state for one in store.tx.payments.every()}
    assert states == {PaymentState.MATCHED, PaymentState.CREDITED, PaymentState.IN_SUSPENSE}
    assert store.tx.invariants.violations() == []
    for (trigger,) in store.conn.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        store.conn.execute(f"DROP TRIGGER {trigger}")
    store.conn.execute("PRAGMA ignore_check_constraints = ON")
    store.conn.execute("PRAGMA defer_foreign_keys = ON")
    yield Books(store)
    store.close()


def _paid(store: PlainStore, receipt: str, cents: int, words: str, payer: str = "") -> None:
    payment = Payment(receipt, Money(cents), store.now, words, Payer(payer), "ncba.notification")
    store.do(lambda tx: payments.record(tx, random.Random(receipt), payment))
    store.wait(seconds=1)


def _agreed(
    store: PlainStore, propose: Callable[[StoreTx, random.Random], Proposal | Refusal]
) -> None:
    draw = random.Random(7)
    proposal = store.do(lambda tx: propose(tx, draw))
    assert isinstance(proposal, Proposal), proposal
    approved = store.do(
        lambda tx: proposal_decisions.approve(tx, RITA, "telegram", "2", proposal.id)
    )
    assert isinstance(approved, Approved), approved


def changed(table: str, where: str, *changes: str) -> list[str]:
    """Return statements that each make one change to those rows."""
    return [f"UPDATE {table} SET {change} WHERE {where}" for change in changes]  # noqa: S608


def another(code: str) -> str:
    """Return a statement that books a payment in suspense again under this code."""
    return (
        "INSERT INTO transfers SELECT 99, id || '2', operation, phase, debit_partner, debit_kind,"  # noqa: S608
        f" credit_partner, credit_kind, currency, amount_cents, '{code}', NULL, booked_at, NULL,"
        " NULL FROM transfers WHERE code = 'suspense' AND amount_cents = 8000"
    )


OF_TRANSFERS = (
    "amount_cents = amount_cents + 1",
    "currency = 'USD'",
    "debit_partner = 'OTHER'",
    "credit_partner = 'OTHER'",
    "debit_kind = 'float_owed'",
    "credit_kind = 'float_owed'",
)


@pytest.mark.parametrize("side", ["debit", "credit"])
@pytest.mark.parametrize("change", ["partner = 'NOBODY'", "kind = 'nothing'"])
def test_a_transfer_of_no_account(books: Books, side: str, change: str) -> None:
    (sql,) = changed("transfers", "code = 'payment'", f"{side}_{change}")
    found = books.problems(sql)
    assert any("names an account that is not there" in line for line in found)


@pytest.mark.parametrize("code", ["payment", "suspense", "assigned"])
@pytest.mark.parametrize("change", [*OF_TRANSFERS, "phase = 'pending'"])
def test_a_booking_of_a_payment(books: Books, code: str, change: str) -> None:
    (sql,) = changed("transfers", f"code = '{code}'", change)
    assert any("is not the booking of a payment" in line for line in books.problems(sql))


@pytest.mark.parametrize("code", ["float", "transfer_fee", "processing_fee", "float_moved"])
@pytest.mark.parametrize("change", [*OF_TRANSFERS, "operation = 'FL-GHOST2'"])
def test_a_leg_of_a_purchase(books: Books, code: str, change: str) -> None:
    (sql,) = changed("transfers", f"code = '{code}'", change)
    found = books.problems(sql)
    assert any(f"a {code} leg of " in line and "is not what was quoted" in line for line in found)


@pytest.mark.parametrize("change", [*OF_TRANSFERS, "phase = 'pending'", "code = 'opening'"])
def test_a_booking_of_a_correction(books: Books, change: str) -> None:
    (sql,) = changed("transfers", "code = 'adjustment'", change)
    assert any("is not the booking of an adjustment" in line for line in books.problems(sql))


PAYMENTS = {
    "is not what it is said to have paid": [
        *changed("external_payments", "amount_cents = 6000", "receipt = 'UF4OR6RP9X'"),
        *changed("external_payments", "amount_cents = 5000", "operation = 'TU-GHOST2'"),
        *changed(
            "wallet_transactions", "amount_cents = 5000", "receipt = NULL", "partner = 'ACME'",
            "receipt = 'UF4OR6RP9X'", "amount_cents = 5001", "currency = 'USD'",
            "state = 'NOT_PAID'",
        ),
    ],
    "of which nobody told": [
        *changed("wallet_transactions", "amount_cents = 6000", "receipt = 'UF4OR6RP9X'"),
        *changed("external_payments", "amount_cents = 5000", "operation = NULL, partner = NULL"),
    ],
    "the admins' list says otherwise": [
        *changed("external_payments", "state = 'SUSPENDED'", "state = 'CREDITED'"),
        *changed(
            "review_items", "closed_at IS NULL AND why = 'unmatched_payment'", "closed_at = 1",
            "why = 'paid_again'", "operation = 'PM-GHOST2'",
        ),
    ],
    "with 0 credits": ["DELETE FROM transfers WHERE code = 'payment'"],
    "0 bookings in suspense": ["DELETE FROM transfers WHERE code = 'suspense'"],
    "0 assignments": ["DELETE FROM transfers WHERE code = 'assigned'"],
    "1 credits": [another("payment")],
    "2 bookings in suspense": [another("suspense")],
    "1 assignments": [another("assigned")],
    "1 releases": [another("released")],
    "said whose a payment is, and it is somebody else's": [
        *changed("proposals", "kind = 'assign'", "partner = 'DEMO'", "topup = 'TU-GHOST2'"),
    ],
    "gives away what two admins have not agreed on": changed(
        "proposals", "kind = 'assign'", "decided_by = proposed_by", "status = 'declined'",
        "partner = 'DEMO'", "amount_cents = 1", "about = 'PM-GHOST2'", "kind = 'dismiss'",
    ),
    "waits for what nobody need look at": changed(
        "proposals", "kind = 'assign'", "status = 'open'"
    ),
}  # fmt: skip
PURCHASES = {
    "purchase FL-": [
        sql
        for phase in ("pending", "post", "void")
        for code in ("float", "transfer_fee", "processing_fee")
        for sql in changed("transfers", f"phase = '{phase}' AND code = '{code}'", "code = 'topup'")
    ],
    "and nothing moved": ["DELETE FROM transfers WHERE code = 'float_moved'"],
    "is FAILED with": changed("wallet_transactions", "state = 'SUCCEEDED'", "state = 'FAILED'"),
    "is SUCCEEDED with": changed("wallet_transactions", "state = 'FAILED'", "state = 'SUCCEEDED'"),
    "is CANCELLED with": changed("wallet_transactions", "state = 'UNKNOWN'", "state = 'CANCELLED'"),
    "is SUCCEEDED without evidence": changed("evidence", "kind = 'succeeded'", "kind = 'paid'"),
    "is FAILED without evidence": changed("evidence", "kind = 'failed'", "operation = 'FL-GHOST2'"),
    "was authorised without a code": changed("otp_validations", "sent = 1", "status = 'killed'"),
    "approved something else than purchase": changed(
        "otp_validations", "sent = 1", "purpose = 'wallet_topup'", "partner = 'ACME'",
        "person_id = 99", "currency = 'USD'", "destination = '400999'",
        "amount_cents = amount_cents - 1",
    ),
    "2 codes passed for": [
        "UPDATE otp_validations SET sent = 2, operation = (SELECT max(operation)"
        " FROM otp_validations) WHERE operation = (SELECT min(operation) FROM otp_validations)"
    ],
    "is UNKNOWN and is, or is not, looked after": changed(
        "wallet_transactions", "state = 'UNKNOWN'", "due_at = NULL"
    ),
    "is FAILED and is, or is not, looked after": changed(
        "wallet_transactions", "state = 'FAILED'", "due_at = 1"
    ),
    "is UNKNOWN, and the admins' list says otherwise": changed(
        "review_items", "why = 'unknown'", "closed_at = 1", "why = 'contradicted'",
        "operation = 'FL-GHOST2'",
    ),
}  # fmt: skip
CORRECTIONS = {
    "is not what two admins agreed on": changed(
        "proposals", "kind = 'adjust'", "id = 'PR-GHOST2'", "about = 'AD-GHOST2'",
        "status = 'declined'", "outcome = 'paid'", "decided_by = proposed_by", "partner = 'ACME'",
        "amount_cents = 499", "currency = 'USD'", "kind = 'assign'",
    ),
    "was approved and not booked, or booked and not approved": [
        *changed("proposals", "kind = 'adjust'", "status = 'declined'", "about = 'AD-GHOST2'"),
        *changed("wallet_transactions", "type = 'adjustment'", "type = 'topup'"),
    ],
    "is not the booking of an adjustment": [
        *changed("transfers", "code = 'adjustment'", "operation = 'AD-GHOST2'"),
        *changed("proposals", "kind = 'adjust'", "outcome = 'debit'"),
        *changed("wallet_transactions", "type = 'adjustment'", "type = 'topup'"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("problem", "sql"),
    [
        (problem, sql)
        for spoiled in (PAYMENTS, PURCHASES, CORRECTIONS)
        for problem, statements in spoiled.items()
        for sql in statements
    ],
)
def test_what_was_changed_afterwards(books: Books, problem: str, sql: str) -> None:
    assert any(problem in line for line in books.problems(sql))
