"""The code for a large top-up is valid once, for the amount and number that were shown."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.security.keyring import Keyring
from services import otp, topups
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.partner import Person
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.topup import TopUp
from services.otp import Issued, NotPassed, Passed
from services.policy import Policy
from services.topups import Duplicate
from tests.kit.plain_store import OTHER_PHONE, PHONE, PlainStore

AMOUNT, LARGER = Money(150_000), Money(900_000)
NEEDS_CODE = Refusal("topup_needs_code")


class Customer:
    """A person whose large top-ups need a code; each call is one transaction."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.keys = Keyring({"1": b"1" * 32})
        self.random = random.Random(1)
        self.policy = Policy(topup_code_above=Money(100_000))
        self.person = store.person()
        self.events = 0

    def secure(self, amount: Money = AMOUNT, phone: Phone = PHONE) -> Issued:
        issued = self.store.do(
            lambda tx: topups.issue_code(
                tx, self.keys, self.random, self.policy, self.person, amount, phone
            )
        )
        assert isinstance(issued, Issued), issued
        return issued

    def type(
        self, issued: Issued, amount: Money = AMOUNT, phone: Phone = PHONE
    ) -> Passed | NotPassed:
        """Enter the right code for the amount and phone the conversation holds now."""
        reference = issued.otp.binding.operation
        binding = topups.code_binding(self.person, reference, amount, phone)
        return self.store.do(lambda tx: otp.validate(tx, self.keys, binding, issued.code))

    def passed(self) -> str:
        """Return the reference of a top-up whose code has been used."""
        issued = self.secure()
        assert self.type(issued) == Passed()
        return issued.otp.binding.operation

    def start(
        self,
        secured: str | None,
        amount: Money = AMOUNT,
        phone: Phone = PHONE,
        person: Person | None = None,
    ) -> TopUp | Duplicate | Refusal:
        self.events += 1
        key = f"event-{self.events}"
        return self.store.do(
            lambda tx: topups.start(
                tx, self.random, person or self.person, "terminal", "1", key, amount, phone,
                policy=self.policy, secured=secured, again=True,
            )
        )  # fmt: skip


@pytest.fixture
def customer(fresh_store: PlainStore) -> Customer:
    return Customer(fresh_store)


def test_a_code_begins_the_topup_that_it_was_shown_for_once(customer: Customer) -> None:
    reference = customer.passed()
    topup = customer.start(reference)
    assert isinstance(topup, TopUp)
    assert (topup.reference, topup.amount, topup.phone) == (reference, AMOUNT, PHONE)
    assert customer.start(reference) == NEEDS_CODE


@pytest.mark.parametrize(
    ("amount", "phone"), [(LARGER, PHONE), (AMOUNT, OTHER_PHONE)], ids=["amount", "phone"]
)
def test_a_right_code_does_not_pass_for_another_amount_or_phone(
    customer: Customer, amount: Money, phone: Phone
) -> None:
    issued = customer.secure()
    assert customer.type(issued, amount, phone) == NotPassed(OtpStatus.PENDING, 2)


@pytest.mark.parametrize(
    ("amount", "phone"), [(LARGER, PHONE), (AMOUNT, OTHER_PHONE)], ids=["amount", "phone"]
)
def test_a_used_code_begins_no_topup_of_another_amount_or_phone(
    customer: Customer, amount: Money, phone: Phone
) -> None:
    reference = customer.passed()
    assert customer.start(reference, amount, phone) == NEEDS_CODE
    assert customer.store.tx.topups.every() == []


@pytest.mark.parametrize("other", ["colleague", "partner"])
def test_a_used_code_begins_no_topup_of_somebody_else(customer: Customer, other: str) -> None:
    reference = customer.passed()
    person = (
        customer.store.person("ACME")
        if other == "partner"
        else replace(customer.person, id=customer.person.id + 100)
    )
    assert customer.start(reference, person=person) == NEEDS_CODE


def test_a_code_that_was_not_typed_or_not_asked_for_begins_nothing(customer: Customer) -> None:
    unused = customer.secure().otp.binding.operation
    assert customer.start(unused) == NEEDS_CODE
    assert customer.start("TU-222222") == NEEDS_CODE
    assert customer.start(None) == NEEDS_CODE


def test_at_the_mark_itself_no_code_is_needed(customer: Customer) -> None:
    assert isinstance(customer.start(None, Money(100_000)), TopUp)
    assert customer.start(None, Money(100_100)) == NEEDS_CODE


def test_a_code_of_which_the_time_is_over_begins_nothing(customer: Customer) -> None:
    issued = customer.secure()
    customer.store.now += timedelta(minutes=10)
    assert customer.type(issued) == NotPassed(OtpStatus.EXPIRED)
    assert customer.start(issued.otp.binding.operation) == NEEDS_CODE
