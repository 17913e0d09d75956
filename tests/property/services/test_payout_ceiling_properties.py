"""Whatever a system asks for and M-PESA returns, what its key pays in a day without a code stays
at or under the ceiling."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.simulation.opening_balances import add_partner
from services import api_keys, payout_settlement, payouts_by_key
from services.api_keys import CreatedKey
from services.domain.api_key import Scope
from services.domain.business_days import business_day
from services.domain.money import Money
from services.domain.partner import Partner
from services.domain.payout import Payout, PayoutState
from services.domain.payout_answers import PayoutReason, Returned
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.policy import Policy
from services.ports import Tx
from tests.kit.plain_store import PlainStore

POLICY = Policy(payout_short_code="400187")
PARTNER = Partner("FINSAFE")
FLOAT = Money.of("500000.00")


@pytest.fixture(scope="module")
def shared() -> Iterator[PlainStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = PlainStore(Path(folder) / "hazina.db")
        yield store
        store.close()


class System:
    """One key that pays without codes, each time another phone."""

    def __init__(self, store: PlainStore, ceiling: Money) -> None:
        store.undo()
        self.store = store
        self.random = random.Random(1)
        self._phones = 0
        store.do(lambda tx: add_partner(tx, PARTNER, Money(0), FLOAT))
        made = store.do(
            lambda tx: api_keys.create(
                tx, self.random, PARTNER.code, {Scope.PAYOUT}, 30, "admin:t:1"
            )
        )
        assert isinstance(made, CreatedKey)
        self.key_id = made.api_key.id
        store.do(lambda tx: tx.api_keys.set_ceiling(self.key_id, ceiling))

    def pay(self, amount: Money) -> Payout | Refusal:
        self._phones += 1

        def start(tx: Tx) -> object:
            key = tx.api_keys.get(self.key_id)
            assert key is not None
            recipient = Phone(f"2547220{self._phones:05}")
            return payouts_by_key.start_without_code(
                tx, self.random, POLICY, PARTNER, key, "api", f"call {recipient}", recipient, amount
            )

        started = self.store.do(start)
        assert isinstance(started, Payout | Refusal), started
        return started

    def give_back(self, payout: Payout) -> None:
        def settle(tx: Tx) -> None:
            sent = payout.transition_to(PayoutState.SUBMITTING, submitted_at=tx.now)
            tx.payouts.save(sent)
            said = Returned(PayoutReason.NOT_REGISTERED, "not registered")
            assert payout_settlement.settle_returned(tx, sent, said, "test") is not None

        self.store.do(settle)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ceiling=st.integers(0, 20_000),
    steps=st.lists(
        st.tuples(st.integers(10, 9_000), st.booleans(), st.integers(0, 30)), max_size=15
    ),
)
def test_a_days_payouts_stay_under_the_ceiling(
    shared: PlainStore, ceiling: int, steps: list[tuple[int, bool, int]]
) -> None:
    system = System(shared, Money(ceiling * 100))
    paid: dict[object, int] = {}
    for shillings, is_returned, hours in steps:
        today = business_day(shared.now)
        fits = paid.get(today, 0) + shillings <= ceiling
        started = system.pay(Money(shillings * 100))
        if not fits:
            assert started == Refusal("payout_needs_code")
            shared.wait(hours=hours)
            continue
        assert isinstance(started, Payout)
        assert (started.state, started.person_id) == (PayoutState.AUTHORISED, None)
        if is_returned:
            system.give_back(started)
        else:
            paid[today] = paid.get(today, 0) + shillings
        shared.wait(hours=hours)
    assert all(total <= ceiling for total in paid.values())


def test_the_ceiling_itself_may_be_reached_and_a_cent_more_not(shared: PlainStore) -> None:
    system = System(shared, Money.of("1500.00"))
    assert isinstance(system.pay(Money.of("1000.00")), Payout)
    assert system.pay(Money.of("501.00")) == Refusal("payout_needs_code")
    assert isinstance(system.pay(Money.of("500.00")), Payout)


def test_what_needs_a_second_person_needs_the_code_too(shared: PlainStore) -> None:
    system = System(shared, Money.of("20000.00"))
    strict = Partner(PARTNER.code, approve_above_cents=100_000)

    def start(tx: Tx, amount: Money) -> object:
        key = tx.api_keys.get(system.key_id)
        assert key is not None
        recipient = Phone("254722000111")
        return payouts_by_key.start_without_code(
            tx, system.random, POLICY, strict, key, "api", f"call {recipient}", recipient, amount
        )

    above = shared.do(lambda tx: start(tx, Money.of("1001.00")))
    assert above == Refusal("payout_needs_code")
    assert isinstance(shared.do(lambda tx: start(tx, Money.of("1000.00"))), Payout)
