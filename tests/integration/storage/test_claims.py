"""An operation is claimed by one worker at a time, whichever process it belongs to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.domain.bank import Accepted
from services.domain.lease import Lease
from services.domain.operation import OperationType
from services.ports.claims import Claims
from storage.stores.claims import ClaimStore
from storage.time.transaction_time import TransactionTime
from tests.kit.plain_store import PlainStore
from tests.kit.topup_driver import S, TopUpDriver, in_state

KIND = OperationType.TOPUP
OURS = Lease("ours", timedelta(seconds=60))
THEIRS = Lease("theirs", timedelta(seconds=60))


@pytest.fixture
def worker(store: PlainStore) -> TopUpDriver:
    store.undo()
    return TopUpDriver(store)


def take(worker: TopUpDriver, lease: Lease, sends: int = 9, queries: int = 9) -> list[str]:
    return worker.store.do(lambda tx: tx.claims.take(KIND, lease, sends, queries))


def owner(worker: TopUpDriver, reference: str) -> str | None:
    found: str | None = worker.store.conn.execute(
        "SELECT leased_by FROM wallet_transactions WHERE reference = ?", (reference,)
    ).fetchone()[0]
    return found


class OvertakenConnection:
    """Between our look and our claim, another process does ``before_claim``."""

    def __init__(self, conn: sqlite3.Connection, before_claim: str) -> None:
        self.conn = conn
        self.before_claim = before_claim

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql.startswith("UPDATE"):
            self.conn.execute(self.before_claim)
        return self.conn.execute(sql, *values)


@pytest.mark.parametrize(
    "before_claim",
    [
        "UPDATE wallet_transactions SET attempt = attempt + 1, leased_by = 'theirs'",
        "UPDATE wallet_transactions SET due_at = due_at + 60000, leased_by = 'theirs'",
        "UPDATE wallet_transactions SET state = 'PAID', standing = 'succeeded', due_at = NULL",
    ],
)
def test_what_another_process_took_or_settled_meanwhile_is_not_claimed(
    worker: TopUpDriver, before_claim: str
) -> None:
    reference = worker.start()
    conn: Any = OvertakenConnection(worker.store.conn, before_claim)
    store = ClaimStore(conn, TransactionTime(worker.store.now), lambda: None)
    assert store.take(KIND, OURS, 9, 9) == []
    assert owner(worker, reference) != OURS.owner


def test_a_claim_names_its_owner_until_something_is_written_down(worker: TopUpDriver) -> None:
    reference = worker.start()
    take(worker, OURS)
    assert owner(worker, reference) == OURS.owner
    claimed = worker.get(reference)
    sending = worker.begin(claimed)
    assert sending is not None
    assert owner(worker, reference) == OURS.owner  # its request is under way
    worker.initiated(sending, Accepted(f"b-{reference}", None, "ok"))
    assert owner(worker, reference) is None


def of_others(claims: Claims) -> int:
    return claims.end_leases_of_others(KIND, OURS.owner)


def of_theirs(claims: Claims) -> int:
    return claims.end_leases_of(KIND, ["somebody", THEIRS.owner])


@pytest.mark.parametrize("end", [of_others, of_theirs])
@pytest.mark.parametrize("state", [S.CREATED, S.SENDING, S.PENDING])
def test_leases_of_others_are_ended_and_not_ones_own(
    worker: TopUpDriver, state: S, end: Callable[[Claims], int]
) -> None:
    theirs = claimed_in(worker, state, THEIRS)
    worker.store.wait(seconds=20)
    ours = claimed_in(worker, state, OURS)
    ends_at = worker.get(ours).due_at
    assert worker.store.do(lambda tx: end(tx.claims)) == 1
    assert worker.get(theirs).due_at == worker.store.now
    assert worker.get(ours).due_at == ends_at


def claimed_in(worker: TopUpDriver, state: S, lease: Lease) -> str:
    if state is S.PENDING:
        reference = in_state(worker, S.PENDING)
        worker.store.wait(seconds=5)
    else:
        reference = worker.start()
    assert take(worker, lease) == [reference]
    if state is S.SENDING:
        worker.begin(worker.get(reference))
    return reference


def test_a_kind_claims_only_its_own(worker: TopUpDriver) -> None:
    reference = worker.start()
    other = OperationType.FLOAT
    assert worker.store.do(lambda tx: tx.claims.take(other, OURS, 9, 9)) == []
    assert worker.store.do(lambda tx: tx.claims.next_due(other)) is None
    take(worker, THEIRS)
    assert worker.store.do(lambda tx: tx.claims.end_leases_of_others(other, "x")) == 0
    assert worker.store.do(lambda tx: tx.claims.end_leases_of(other, [THEIRS.owner])) == 0
    assert owner(worker, reference) == THEIRS.owner
