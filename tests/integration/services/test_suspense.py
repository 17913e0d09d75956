"""Payments leave suspense only on evidence, and are never credited a second time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services import payment_assignment, payments
from services.domain.bank import Accepted, NotPaid, Paid
from services.domain.money import Money
from services.domain.payment import Payer, Payment, PaymentState, RecordedPayment, SuspenseReason
from services.domain.refusal import Refusal
from services.domain.topup import TopUp
from storage.invariants import invariant_violations
from tests.kit.plain_store import PHONE, PlainStore
from tests.kit.topup_driver import TopUpDriver

CENTS = 50_000


@pytest.fixture
def worker(fresh_store: PlainStore) -> Iterator[TopUpDriver]:
    yield TopUpDriver(fresh_store)
    assert list(invariant_violations(fresh_store.conn)) == []


def _prompt(worker: TopUpDriver) -> TopUp:
    topup = worker.ask(CENTS, PHONE, again=True)
    assert isinstance(topup, TopUp)
    worker.sent(topup.reference, Accepted(f"b-{topup.reference}", None, "ok"))
    return worker.get(topup.reference)


def _told(
    worker: TopUpDriver, receipt: str, paid_at: datetime, words: str = "774451"
) -> RecordedPayment:
    """Record a payment reported by the bank that names no top-up."""
    payment = Payment(receipt, Money(CENTS), paid_at, words, Payer(PHONE.msisdn), "bank")
    worker.store.do(lambda tx: payments.record(tx, random.Random(1), payment))
    arrived = worker.store.do(lambda tx: tx.payments.get(receipt))
    assert arrived is not None
    return arrived


def _two_prompts_and_both_payments(worker: TopUpDriver) -> tuple[TopUp, TopUp, RecordedPayment]:
    """The later prompt's payment is reported first and taken for the earlier one's receipt."""
    first = _prompt(worker)
    paid_first = worker.store.now
    worker.queried(first, Paid("Success"))
    worker.store.now += timedelta(hours=5)
    second = _prompt(worker)
    _told(worker, "SECOND0002", worker.store.now)
    assert worker.get(first.reference).receipt == "SECOND0002"
    return first, second, _told(worker, "FIRST00001", paid_first)


def test_what_may_have_paid_an_earlier_one_waits_for_the_later_one(worker: TopUpDriver) -> None:
    _, second, arrived = _two_prompts_and_both_payments(worker)
    assert (arrived.state, arrived.why) == (PaymentState.IN_SUSPENSE, SuspenseReason.AMBIGUOUS)
    found = worker.store.do(lambda tx: payment_assignment.find_in_suspense(tx, arrived.reference))
    assert found == Refusal.of("may_have_paid", reference=arrived.reference, topup=second.reference)


def test_when_the_later_one_is_paid_each_has_its_own_receipt(worker: TopUpDriver) -> None:
    first, second, arrived = _two_prompts_and_both_payments(worker)
    worker.queried(worker.get(second.reference), Paid("Success"))
    assert worker.get(first.reference).receipt == "FIRST00001"
    assert worker.get(second.reference).receipt == "SECOND0002"
    assert worker.store.tx.payments.collected() == Money(2 * CENTS)
    released = worker.store.tx.payments.of_reference(arrived.reference)
    assert released is not None
    assert (released.state, released.operation) == (PaymentState.RELEASED, first.reference)
    assert worker.store.tx.evidence.open_review_reasons(arrived.reference) == []


def test_when_the_later_one_is_not_paid_the_admins_may_give_it_away(worker: TopUpDriver) -> None:
    _, second, arrived = _two_prompts_and_both_payments(worker)
    worker.queried(worker.get(second.reference), NotPaid("cancelled", True, "no"))
    found = worker.store.do(lambda tx: payment_assignment.find_in_suspense(tx, arrived.reference))
    assert found == arrived


def test_only_what_is_in_suspense_is_given_away(worker: TopUpDriver) -> None:
    prompt = _prompt(worker)
    matched = _told(worker, "PAID000001", worker.store.now, prompt.reference)
    credited = _told(worker, "PAID000002", worker.store.now, "DEMO")
    assert (matched.state, credited.state) == (PaymentState.MATCHED, PaymentState.CREDITED)
    for arrived in (matched, credited):
        found = worker.store.do(
            lambda tx, one=arrived: payment_assignment.find_in_suspense(tx, one.reference)
        )
        assert found == Refusal.of("not_suspended", reference=arrived.reference)
    found = worker.store.do(lambda tx: payment_assignment.find_in_suspense(tx, "PM-222222"))
    assert found == Refusal.of("no_operation", reference="PM-222222")


def test_two_tellings_that_differ_are_still_to_be_looked_at(worker: TopUpDriver) -> None:
    first = _prompt(worker)
    _prompt(worker)
    arrived = _told(worker, "FIRST00001", worker.store.now)
    other = replace(arrived.payment, amount=Money(CENTS + 100))
    assert worker.store.do(lambda tx: payments.record(tx, random.Random(1), other)) == []
    worker.queried(first, Paid("Success"))
    assert worker.get(first.reference).receipt == "FIRST00001"
    assert worker.store.tx.evidence.open_review_reasons(arrived.reference) == [payments.DIFFERS]


def _three_prompts(worker: TopUpDriver) -> tuple[list[TopUp], list[datetime]]:
    """Hours apart, so no payment can belong to a later prompt; the first two are credited."""
    prompts, paid_at = [], []
    for n in range(3):
        prompts.append(_prompt(worker))
        paid_at.append(worker.store.now)
        if n < 2:
            worker.queried(prompts[n], Paid("Success"))
        worker.store.now += timedelta(hours=5)
    return prompts, paid_at


def _receipts(worker: TopUpDriver, prompts: list[TopUp]) -> list[str | None]:
    return [worker.get(topup.reference).receipt for topup in prompts]


@pytest.mark.parametrize("words", ["774451", "DEMO"])
def test_three_payments_told_in_reverse_wait_for_the_one_that_is_open(
    worker: TopUpDriver, words: str
) -> None:
    """Each payment is taken for the previous prompt's receipt, so the first one's fits nothing."""
    prompts, paid_at = _three_prompts(worker)
    _told(worker, "THIRD00003", paid_at[2], words)
    _told(worker, "SECOND0002", paid_at[1], words)
    arrived = _told(worker, "FIRST00001", paid_at[0], words)
    assert (arrived.state, arrived.why) == (PaymentState.IN_SUSPENSE, SuspenseReason.AMBIGUOUS)
    found = worker.store.do(lambda tx: payment_assignment.find_in_suspense(tx, arrived.reference))
    waits_for = prompts[2].reference
    assert found == Refusal.of("may_have_paid", reference=arrived.reference, topup=waits_for)
    worker.queried(worker.get(prompts[2].reference), Paid("Success"))
    assert _receipts(worker, prompts) == ["FIRST00001", "SECOND0002", "THIRD00003"]
    assert worker.store.tx.payments.collected() == Money(3 * CENTS)


@pytest.mark.parametrize("words", ["774451", "DEMO"])
def test_three_payments_told_in_reverse_each_find_their_prompt(
    worker: TopUpDriver, words: str
) -> None:
    prompts, paid_at = _three_prompts(worker)
    _told(worker, "THIRD00003", paid_at[2], words)
    _told(worker, "SECOND0002", paid_at[1], words)
    worker.queried(worker.get(prompts[2].reference), Paid("Success"))
    _told(worker, "FIRST00001", paid_at[0], words)
    assert _receipts(worker, prompts) == ["FIRST00001", "SECOND0002", "THIRD00003"]
    assert worker.store.tx.payments.collected() == Money(3 * CENTS)


def test_one_that_may_be_credited_already_does_not_settle_another(worker: TopUpDriver) -> None:
    """It fits an open prompt and one whose receipt may belong to a third, also open, prompt."""
    paid = _prompt(worker)
    worker.queried(paid, Paid("Success"))
    unpaid = _prompt(worker)
    paid_at = worker.store.now
    worker.store.now += timedelta(hours=5)
    later = _prompt(worker)
    _told(worker, "LATER00003", worker.store.now)
    assert worker.get(paid.reference).receipt == "LATER00003"
    arrived = _told(worker, "PAID000001", paid_at)
    assert (arrived.state, arrived.why) == (PaymentState.IN_SUSPENSE, SuspenseReason.AMBIGUOUS)
    worker.queried(worker.get(unpaid.reference), NotPaid("cancelled", True, "no"))
    worker.queried(worker.get(later.reference), Paid("Success"))
    assert _receipts(worker, [paid, unpaid, later]) == ["PAID000001", None, "LATER00003"]
    assert worker.store.tx.payments.collected() == Money(2 * CENTS)
