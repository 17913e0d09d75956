"""Claims, answers, Results, crashes and time in any order: a customer is paid once, and float is
held, moved or released only on evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant

from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.money import Money
from services.domain.payout import (
    HOLDS,
    QUERY_AGES,
    TRANSITIONS,
    next_query,
    originator_id,
    reference_of,
)
from services.domain.payout_answers import PayoutOrder
from services.domain.payout_tariff import payout_quote
from services.domain.phone import Phone
from tests.kit.payout_steps import PayoutSteps, S

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)
references = st.text(ALPHABET, min_size=REFERENCE_LENGTH, max_size=REFERENCE_LENGTH).map(
    lambda drawn: f"PO-{drawn}"
)


class PayoutMachine(PayoutSteps):
    """The invariants."""

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.store.tx.invariants.violations() == []

    @invariant()
    def every_step_follows_an_arrow(self) -> None:
        for payout in self._all():
            was = self.states.get(payout.reference, S.QUOTED)
            reached, ends = {was}, {was}
            for _ in range(3):  # one step of a test may take several
                ends = {far for near in ends for far in TRANSITIONS[near]}
                reached |= ends
            assert payout.state in reached
            self.states[payout.reference] = payout.state

    @invariant()
    def float_is_held_exactly_for_what_is_open(self) -> None:
        rows = self.store.conn.execute(
            "SELECT operation, sum(amount_cents) FROM transfers AS t WHERE phase = 'pending'"
            " AND NOT EXISTS (SELECT 1 FROM transfers WHERE pending_id = t.id) GROUP BY operation"
        ).fetchall()
        assert dict(rows) == {
            p.reference: p.quote.total.cents for p in self._all() if p.state in HOLDS
        }

    @invariant()
    def what_is_available_is_what_was_bought_less_what_was_paid_and_is_held(self) -> None:
        gone = [p.quote.total.cents for p in self._all() if p.state in HOLDS | {S.PAID}]
        assert 0 <= self.payer.available() == getattr(self, "funds", 0) - sum(gone)

    @invariant()
    def what_was_paid_after_its_return_is_owed(self) -> None:
        late = [p.quote.total.cents for p in self._all() if p.state is S.PAID_AFTER_RETURN]
        assert self.payer.owed() == sum(late)

    @invariant()
    def one_order_at_most_left_the_machine(self) -> None:
        assert all(self.money_calls(p.reference) <= 1 for p in self._all())
        assert all(times in (0, 1) for times in self.sent.values())

    @invariant()
    def paid_is_only_what_was_proved_and_has_a_receipt_of_its_own(self) -> None:
        found = [p for p in self._all() if p.state in (S.PAID, S.PAID_AFTER_RETURN)]
        assert {p.reference for p in found} == self.proved
        assert len({p.receipt for p in found} - {None}) == len(found)

    @invariant()
    def float_came_back_only_on_evidence(self) -> None:
        back = {p.reference for p in self._all() if p.state in (S.RETURNED, S.PAID_AFTER_RETURN)}
        assert back == self.denied

    @invariant()
    def what_is_open_is_never_forgotten_and_what_is_over_is_left_alone(self) -> None:
        for payout in self._all():
            if payout.state is S.UNKNOWN and payout.due_at is None:
                assert "unknown" in self.payer.reviews(payout.reference)
            else:
                assert (payout.due_at is not None) == (payout.state in HOLDS)


PayoutMachine.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestPayouts = PayoutMachine.TestCase


@given(references)
def test_the_id_at_mpesa_names_its_payout_and_is_one_that_it_takes(reference: str) -> None:
    assert reference_of(originator_id(reference)) == reference
    PayoutOrder(originator_id(reference), Phone("254722000111"), Money(1_000), "Payment")


@given(st.text(max_size=24))
def test_no_other_text_names_a_payout(text: str) -> None:
    reference = reference_of(text)
    assert reference is None or originator_id(reference) == text


@given(references, st.text(max_size=3), st.text(max_size=3))
def test_an_id_with_something_around_it_names_none(reference: str, before: str, after: str) -> None:
    if before or after:
        assert reference_of(before + originator_id(reference) + after) is None


@given(st.integers(10, 250_000), st.integers(10, 250_000))
def test_a_larger_payout_never_costs_less(one: int, other: int) -> None:
    less, more = sorted((one, other))
    quotes = payout_quote(Money(less * 100)), payout_quote(Money(more * 100))
    assert quotes[0].fees <= quotes[1].fees
    for shillings, quote in zip((less, more), quotes, strict=True):
        assert quote.total == Money(shillings * 100) + quote.fees
        assert quote.fees.is_whole
        assert Money(0) <= quote.fees <= Money(1_300)


@given(st.integers(0, 3 * 24 * 3600))
def test_the_next_question_is_later_and_never_after_a_day(age_s: int) -> None:
    now = START + timedelta(seconds=age_s)
    due_at = next_query(START, now)
    if now - START >= DAY:
        assert due_at is None
        return
    assert due_at is not None
    assert now < due_at <= min(START + DAY, now + timedelta(hours=1))
    age = due_at - START
    assert age in QUERY_AGES or age % timedelta(hours=1) == timedelta(0)
