"""A key's ceiling is set by an owner's code, which is bound to key, amount and owner."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.security.keyring import Keyring
from services import api_keys, payout_ceilings
from services.api_keys import CreatedKey
from services.domain.api_key import ApiKey, Scope
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed
from services.policy import Policy
from tests.kit.plain_store import OTHER_PHONE, PlainStore

KEYS = Keyring({"1": b"1" * 32})
POLICY = Policy()
CEILING = Money.of("20000.00")


class Owner:
    """Sets the ceiling of a key that may pay, or of another."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.person = store.person("DEMO")
        self.random = random.Random(1)
        self.paying = self.key(Scope.READ, Scope.PAYOUT)

    def key(self, *scopes: Scope, partner: str = "DEMO") -> str:
        made = self.store.do(
            lambda tx: api_keys.create(tx, self.random, partner, scopes, 30, "admin:t:1")
        )
        assert isinstance(made, CreatedKey)
        return made.api_key.id

    def ask(self, key_id: str, ceiling: Money = CEILING) -> Issued | Refusal:
        return self.store.do(
            lambda tx: payout_ceilings.request_change(
                tx, KEYS, self.random, POLICY, self.person, key_id, ceiling
            )
        )

    def begin(self) -> Issued:
        issued = self.ask(self.paying)
        assert isinstance(issued, Issued), issued
        return issued

    def confirm(
        self, issued: Issued, key_id: str | None = None, ceiling: Money = CEILING
    ) -> ApiKey | NotPassed | Refusal:
        change = issued.otp.binding.operation
        return self.store.do(
            lambda tx: payout_ceilings.confirm_change(
                tx, KEYS, POLICY, self.person, change, key_id or self.paying, ceiling, issued.code
            )
        )

    def ceiling(self, key_id: str | None = None) -> Money:
        found = self.store.do(lambda tx: tx.api_keys.get(key_id or self.paying))
        assert found is not None
        return found.payout_ceiling


@pytest.fixture
def owner(store: PlainStore) -> Owner:
    store.undo()
    return Owner(store)


def test_it_counts_once_the_code_was_typed(owner: Owner) -> None:
    issued = owner.begin()
    assert owner.ceiling() == Money(0)
    before = owner.confirm(issued)
    assert isinstance(before, ApiKey)
    assert before.payout_ceiling == Money(0)
    assert owner.ceiling() == CEILING
    assert owner.confirm(issued) == NotPassed(OtpStatus.USED)


def test_the_code_is_for_that_amount_and_key_only(owner: Owner) -> None:
    other = owner.key(Scope.PAYOUT)
    assert owner.confirm(owner.begin(), ceiling=Money.of("20001.00")) == NotPassed(
        OtpStatus.PENDING, 2
    )
    assert owner.confirm(owner.begin(), key_id=other) == NotPassed(OtpStatus.PENDING, 2)
    assert (owner.ceiling(), owner.ceiling(other)) == (Money(0), Money(0))


def test_only_a_valid_key_of_the_partner_that_may_pay_has_one(owner: Owner) -> None:
    owner.store.person("OTHER")
    foreign = owner.key(Scope.PAYOUT, partner="OTHER")
    reading = owner.key(Scope.READ)
    revoked = owner.key(Scope.PAYOUT)
    owner.store.do(lambda tx: tx.api_keys.revoke(revoked))
    for key_id in (foreign, reading, revoked, "hz_222222"):
        assert owner.ask(key_id) == Refusal("api_key_over")


def test_a_key_revoked_meanwhile_ends_the_change(owner: Owner) -> None:
    issued = owner.begin()
    owner.store.do(lambda tx: tx.api_keys.revoke(owner.paying))
    assert owner.confirm(issued) == Refusal("api_key_over")
    newest = owner.store.do(lambda tx: tx.otps.newest(issued.otp.binding.operation))
    assert newest is not None
    assert newest.status is OtpStatus.REVOKED


def test_a_number_changed_meanwhile_ends_the_change(owner: Owner) -> None:
    issued = owner.begin()
    owner.person = replace(owner.person, phone=OTHER_PHONE, phone_changed_at=owner.store.now)
    answer = owner.confirm(issued)
    assert isinstance(answer, Refusal)
    assert answer.code == "frozen"
    assert owner.ceiling() == Money(0)


def test_an_account_linked_lately_may_not(owner: Owner) -> None:
    owner.person = replace(owner.person, frozen_since=owner.store.now)
    answer = owner.ask(owner.paying)
    assert isinstance(answer, Refusal)
    assert answer.code == "account_rests"


def test_it_has_a_maximum(owner: Owner) -> None:
    more = payout_ceilings.CEILING_MAX + Money(1)
    refusal = Refusal.of("above_maximum", maximum=payout_ceilings.CEILING_MAX)
    assert owner.ask(owner.paying, more) == refusal


def test_a_key_that_takes_over_begins_with_none(owner: Owner) -> None:
    assert isinstance(owner.confirm(owner.begin()), ApiKey)
    made = owner.store.do(
        lambda tx: api_keys.rotate(tx, owner.random, owner.paying, 30, "person:1")
    )
    assert isinstance(made, CreatedKey)
    assert owner.ceiling(made.api_key.id) == Money(0)
    assert owner.ceiling() == CEILING
    owner.store.wait(hours=25)
    paying = owner.store.do(lambda tx: payout_ceilings.paying_keys(tx, "DEMO"))
    assert [key.id for key in paying] == [made.api_key.id]


def test_a_new_code_ends_the_one_before(owner: Owner) -> None:
    issued = owner.begin()
    owner.store.now += timedelta(seconds=31)
    again = owner.store.do(
        lambda tx: payout_ceilings.resend_code(
            tx, KEYS, owner.random, POLICY, owner.person, issued.otp.binding
        )
    )
    assert isinstance(again, Issued)
    if again.code != issued.code:
        assert isinstance(owner.confirm(issued), NotPassed)
    assert isinstance(owner.confirm(again), ApiKey)
