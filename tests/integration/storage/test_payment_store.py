"""Payments and their notifications are read back as they were written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.domain.money import Money
from services.domain.payment import (
    BankNotification,
    Payer,
    Payment,
    PaymentState,
    RecordedPayment,
    SuspenseReason,
    Verdict,
)
from storage.transaction import StoreTx
from tests.kit.plain_store import PHONE, START, PlainStore

SECOND = timedelta(seconds=1)


@pytest.fixture
def desk(store: PlainStore) -> PlainStore:
    store.undo()
    store.person("DEMO")
    return store


def in_suspense(
    receipt: str, cents: int = 50_000, after: timedelta = timedelta(0)
) -> RecordedPayment:
    payment = Payment(
        receipt, Money(cents), START + after, "774451", Payer(PHONE.msisdn), "ncba.notification"
    )
    return RecordedPayment(
        f"PM-{receipt[-6:]}", payment, PaymentState.IN_SUSPENSE, START, SuspenseReason.UNMATCHED
    )


def add(desk: PlainStore, *payments: RecordedPayment) -> None:
    def write(tx: StoreTx) -> None:
        for arrived in payments:
            tx.payments.add(arrived)

    desk.do(write)


def credit(desk: PlainStore, arrived: RecordedPayment) -> RecordedPayment:
    """Save the payment as a credit of its own."""
    credited = replace(
        arrived, state=PaymentState.CREDITED, partner="DEMO", operation=arrived.reference
    )

    def write(tx: StoreTx) -> None:
        tx.payments.add_credit(credited)
        tx.payments.save(credited)

    desk.do(write)
    return credited


def test_a_payment_is_read_as_it_was_written(desk: PlainStore) -> None:
    arrived = in_suspense("UF4OR6RP9Q")
    add(desk, arrived)
    assert desk.tx.payments.get("UF4OR6RP9Q") == arrived
    assert desk.tx.payments.of_reference(arrived.reference) == arrived
    assert desk.tx.payments.every() == [arrived]
    assert desk.tx.payments.amounts() == {"UF4OR6RP9Q": Money(50_000)}
    credited = credit(desk, arrived)
    assert desk.tx.payments.get("UF4OR6RP9Q") == credited
    inferred = replace(credited, inferred=True, why=None)
    desk.do(lambda tx: tx.payments.save(inferred))
    assert desk.tx.payments.get("UF4OR6RP9Q") == inferred


def test_what_is_in_suspense_is_found_by_amount_and_reason_the_oldest_first(
    desk: PlainStore,
) -> None:
    later, earlier = in_suspense("UF4OR6RP9Q", after=SECOND), in_suspense("UF4OR6RP9R")
    ambiguous = replace(in_suspense("UF4OR6RP9S"), why=SuspenseReason.AMBIGUOUS)
    given_away = in_suspense("UF4OR6RP9T")
    add(desk, later, earlier, ambiguous, given_away, in_suspense("UF4OR6RP9U", 50_001))
    credit(desk, given_away)
    found = desk.tx.payments.in_suspense([SuspenseReason.UNMATCHED], Money(50_000))
    assert found == [earlier, later]
    both = desk.tx.payments.in_suspense(list(SuspenseReason), Money(50_000))
    assert {one.payment.receipt for one in both} == {
        "UF4OR6RP9Q", "UF4OR6RP9R", "UF4OR6RP9S",
    }  # fmt: skip


# Notifications ----------------------------------------------------------------------------------

REFUSED = BankNotification("d" * 64, Verdict.BAD_HASH, '{"a": 1}', "UF4OR6RP9Q")


def test_a_notification_is_kept_once_and_its_copies_counted(desk: PlainStore) -> None:
    assert desk.do(lambda tx: tx.payments.count_duplicate(REFUSED)) is None
    assert desk.do(lambda tx: tx.payments.store_notification("NT-222222", REFUSED))
    received_at = desk.now
    desk.wait(hours=1)
    desk.do(lambda tx: tx.payments.count_duplicate(REFUSED))
    kept = desk.tx.payments.kept("NT-222222")
    assert kept is not None
    assert (kept.reference, kept.verdict, kept.receipt) == (
        "NT-222222", Verdict.BAD_HASH, "UF4OR6RP9Q",
    )  # fmt: skip
    assert (kept.body, kept.received_at, kept.times) == ('{"a": 1}', received_at, 2)
    assert desk.tx.payments.kept("NT-333333") is None


def test_a_reference_that_is_taken_keeps_what_it_named(desk: PlainStore) -> None:
    desk.do(lambda tx: tx.payments.store_notification("NT-222222", REFUSED))
    other = replace(REFUSED, digest="e" * 64, receipt=None)
    assert not desk.do(lambda tx: tx.payments.store_notification("NT-222222", other))
    kept = desk.tx.payments.kept("NT-222222")
    assert kept is not None
    assert kept.receipt == "UF4OR6RP9Q"


def test_what_was_refused_is_counted_from_a_moment_on(desk: PlainStore) -> None:
    taken = BankNotification(
        "t" * 64, Verdict.TAKEN, "{}", "UF4OR6RP9R", in_suspense("UF4OR6RP9R").payment
    )
    desk.do(lambda tx: tx.payments.store_notification("NT-222222", REFUSED))
    desk.do(lambda tx: tx.payments.store_notification("NT-333333", taken))
    assert desk.tx.payments.refused_since(desk.now) == 1
    assert desk.tx.payments.refused_since(desk.now + timedelta(milliseconds=1)) == 0


def test_a_notification_that_was_taken_stays_so(desk: PlainStore) -> None:
    payment = in_suspense("UF4OR6RP9Q").payment
    taken = replace(REFUSED, verdict=Verdict.TAKEN, payment=payment)
    desk.do(lambda tx: tx.payments.store_notification("NT-222222", REFUSED))
    for worth in (taken, REFUSED):
        desk.do(lambda tx, worth=worth: tx.payments.count_duplicate(worth))
        kept = desk.tx.payments.kept("NT-222222")
        assert kept is not None
        assert kept.verdict is Verdict.TAKEN


@pytest.mark.parametrize(("moved", "is_within"), [(0, True), (1, False)])
def test_a_payment_proved_by_a_line_counts_up_to_the_last_moment(
    desk: PlainStore, moved: int, is_within: bool
) -> None:
    told = in_suspense("ST-ABC234DEF5", after=moved * SECOND)
    add(desk, told)
    credit(desk, told)
    found = desk.do(
        lambda tx: tx.payments.proved_by_line("DEMO", Money(50_000), START - SECOND, START)
    )
    assert found is is_within
