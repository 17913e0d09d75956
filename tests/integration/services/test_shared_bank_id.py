"""The bank gives two prompts the same id: no answer is lost or attributed to the other prompt."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from services import payments
from services.domain.bank import Accepted, NotPaid, Paid
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.payment import Payer, Payment
from services.domain.topup import TopUp, TopUpState
from storage.invariants import invariant_violations
from tests.kit.plain_store import OTHER_PHONE, PHONE, PlainStore
from tests.kit.topup_driver import TopUpDriver

S = TopUpState
ONE_ID = Accepted("STK-1", None, "Success. Request accepted for processing")
CENTS = 150_000


@pytest.fixture
def worker(fresh_store: PlainStore) -> Iterator[TopUpDriver]:
    yield TopUpDriver(fresh_store)
    assert list(invariant_violations(fresh_store.conn)) == []


def second(worker: TopUpDriver) -> str:
    topup = worker.ask(CENTS, OTHER_PHONE)
    assert isinstance(topup, TopUp)
    return topup.reference


def wallet(worker: TopUpDriver) -> int:
    return worker.store.tx.ledger.balance(Account("DEMO", AccountKind.WALLET)).posted.cents


def said_of(worker: TopUpDriver, reference: str) -> int:
    return worker.store.count(
        "SELECT count(*) FROM provider_calls WHERE operation = ? AND call = 'initiate'"
        " AND outcome = 'accepted'",
        reference,
    )


def both(worker: TopUpDriver) -> tuple[str, str]:
    one = worker.start(CENTS)
    worker.sent(one, ONE_ID)
    other = second(worker)
    worker.sent(other, ONE_ID)
    return one, other


def test_both_answers_are_kept_and_neither_is_asked_about(worker: TopUpDriver) -> None:
    one, other = both(worker)
    assert (said_of(worker, one), said_of(worker, other)) == (1, 1)
    assert worker.get(other).state is S.SEND_UNKNOWN
    _, changes = worker.scan()
    assert [change.topup.reference for change in changes] == [one]
    assert worker.get(one).state is S.UNKNOWN
    for reference in (one, other):
        assert not worker.get(reference).can_be_queried
        assert worker.ask_now(reference) is None
        assert worker.store.tx.evidence.open_review_reasons(reference) != []
    worker.store.wait(days=2)
    assert worker.scan() == ([], [])


@pytest.mark.parametrize("answer", [Paid("Success"), NotPaid("cancelled", True, "cancelled")])
def test_an_answer_that_was_on_its_way_is_about_nobody(
    worker: TopUpDriver, answer: Paid | NotPaid
) -> None:
    one = worker.start(CENTS)
    worker.sent(one, ONE_ID)
    asked = worker.get(one)
    worker.sent(second(worker), ONE_ID)
    assert worker.queried(asked, answer) is None
    assert worker.get(one).state is S.PENDING
    assert wallet(worker) == 0


def test_each_is_settled_by_its_own_payment(worker: TopUpDriver) -> None:
    one, other = both(worker)
    worker.scan()
    for n, (reference, phone) in enumerate(((other, OTHER_PHONE), (one, PHONE))):
        payment = Payment(
            f"UC2FIRST0{n}", Money(CENTS), worker.store.now, reference, Payer(phone.msisdn), "bank"
        )
        worker.store.do(lambda tx, one=payment: payments.record(tx, random.Random(1), one))
        assert worker.get(reference).state is S.PAID
        assert worker.store.tx.evidence.open_review_reasons(reference) == []
    assert wallet(worker) == 2 * CENTS


def test_a_third_with_that_id_is_no_better_known(worker: TopUpDriver) -> None:
    both(worker)
    third = worker.ask(2 * CENTS)
    assert isinstance(third, TopUp)
    worker.sent(third.reference, ONE_ID)
    assert worker.get(third.reference).state is S.SEND_UNKNOWN


def test_what_is_settled_stays_so_when_its_id_is_given_again(worker: TopUpDriver) -> None:
    one = worker.start(CENTS)
    worker.sent(one, ONE_ID)
    worker.queried(worker.get(one), Paid("Success"))
    other = second(worker)
    worker.sent(other, ONE_ID)
    assert worker.get(one).state is S.PAID
    assert worker.get(other).state is S.SEND_UNKNOWN
    assert wallet(worker) == CENTS


def test_a_late_answer_with_anothers_id_is_kept_too(worker: TopUpDriver) -> None:
    one = worker.start(CENTS)
    worker.sent(one, ONE_ID)
    other = second(worker)
    sending = worker.sending(other)
    worker.store.wait(minutes=2)
    worker.scan()
    assert worker.get(other).state is S.SEND_UNKNOWN
    assert worker.initiated(sending, ONE_ID) is None
    assert worker.get(other).state is S.SEND_UNKNOWN
    assert said_of(worker, other) == 1
    assert not worker.get(one).can_be_queried
