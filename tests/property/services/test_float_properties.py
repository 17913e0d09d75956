"""Codes, claims, answers, crashes and time in any order: money is held, moved or released once."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from services.domain.float_purchase import HOLDS, TRANSITIONS
from services.domain.otp import CHECKS_MAX, OtpStatus
from tests.kit.float_steps import FloatSteps, S

NEVER_DUE = set(S) - HOLDS


class FloatMachine(FloatSteps):
    """The invariants."""

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.store.tx.invariants.violations() == []

    @invariant()
    def every_step_follows_an_arrow(self) -> None:
        for purchase in self._all():
            was = self.states.get(purchase.reference, S.QUOTED)
            way = {was}  # one step may take two transitions: not sent, and its minute is over
            way |= TRANSITIONS[was] | {
                far for near in TRANSITIONS[was] for far in TRANSITIONS[near]
            }
            assert purchase.state in way
            self.states[purchase.reference] = purchase.state

    @invariant()
    def what_is_available_is_what_was_paid_in_less_what_was_bought_and_is_held(self) -> None:
        gone = [p.quote.total.cents for p in self._all() if p.state in HOLDS | {S.SUCCEEDED}]
        available = self.buyer.available()
        assert available >= 0
        assert available == getattr(self, "funds", 0) - sum(gone)

    @invariant()
    def money_is_held_exactly_for_what_is_live(self) -> None:
        rows = self.store.conn.execute(
            "SELECT operation, sum(amount_cents) FROM transfers AS t WHERE phase = 'pending'"
            " AND NOT EXISTS (SELECT 1 FROM transfers WHERE pending_id = t.id) GROUP BY operation"
        ).fetchall()
        assert dict(rows) == {
            p.reference: p.quote.total.cents for p in self._all() if p.state in HOLDS
        }

    @invariant()
    def a_quote_never_changes_after_the_yes(self) -> None:
        for purchase in self._all():
            if purchase.state not in (S.QUOTED, S.CANCELLED):
                assert self.quotes.setdefault(purchase.reference, purchase.quote) == purchase.quote

    @invariant()
    def a_code_passes_once_and_is_checked_three_times_at_most(self) -> None:
        assert all(times == 1 for times in self.passed.values())
        rows = self.store.conn.execute(
            "SELECT operation, max(attempts), count(*) FILTER (WHERE status = 'used'),"
            " count(*) FILTER (WHERE status = 'pending')"
            " FROM otp_validations GROUP BY operation"
        ).fetchall()
        for reference, attempts, used, pending in rows:
            assert attempts <= CHECKS_MAX
            assert used <= 1
            assert pending <= (1 if self.buyer.get(reference).state is S.OTP_SENT else 0)
        authorised = {p.reference for p in self._all() if p.authorised_at is not None}
        assert authorised == set(self.passed)
        for reference in authorised:
            newest = self.store.tx.otps.newest(reference)
            assert newest is not None
            assert newest.status is OtpStatus.USED

    @invariant()
    def at_most_one_request_left_the_machine(self) -> None:
        assert all(self._money_calls(p.reference) <= 1 for p in self._all())

    @invariant()
    def success_is_only_what_the_bank_said(self) -> None:
        assert set(self._in(S.SUCCEEDED)) == self.succeeded

    @invariant()
    def what_is_live_is_never_forgotten_and_what_is_over_is_left_alone(self) -> None:
        for purchase in self._all():
            assert (purchase.due_at is None) == (purchase.state in NEVER_DUE), purchase


FloatMachine.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestDesk = FloatMachine.TestCase
