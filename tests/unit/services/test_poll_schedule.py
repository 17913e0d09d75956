"""How often the bank is asked about an open prompt, and which states a top-up may enter."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.domain.money import Money
from services.domain.topup import OPEN, TRANSITIONS, TopUp, TopUpState, next_poll
from tests.kit.plain_store import PHONE, START

S = TopUpState
TABLE = [  # (age in seconds, interval in seconds) on both sides of every step
    (0, 5),
    (24, 5),
    (30, 10),
    (78, 10),
    (90, 15),
    (160, 15),
    (180, 30),
    (560, 30),
    (600, 300),
    (3200, 300),
    (3600, 1800),
    (80_000, 1800),
]


def _topup(state: TopUpState) -> TopUp:
    return TopUp(
        "TU-222222", "DEMO", 1, "terminal", "1", "en", Money(100), PHONE, state,
        None, START, None, None, None, None, 0, None, False,
    )  # fmt: skip


def _gap_s(age_s: float, spread: float) -> float:
    now = START + timedelta(seconds=age_s)
    return (next_poll(START, now, spread) - now).total_seconds()


@pytest.mark.parametrize(("age_s", "every_s"), TABLE)
def test_the_interval_grows_with_the_age(age_s: int, every_s: int) -> None:
    assert _gap_s(age_s, 0) == every_s


@pytest.mark.parametrize(("age_s", "every_s"), TABLE)
def test_the_spread_is_a_fifth_either_way(age_s: int, every_s: int) -> None:
    assert _gap_s(age_s, -1) == pytest.approx(every_s * 0.8)
    assert _gap_s(age_s, 1) == pytest.approx(every_s * 1.2)


@pytest.mark.parametrize("milestone_s", [180, 86_400])
def test_a_milestone_is_itself_a_due_moment(milestone_s: int) -> None:
    assert _gap_s(milestone_s - 1, 1) == 1


@pytest.mark.parametrize("milestone_s", [180, 86_400])
def test_a_poll_due_before_the_milestone_stays_where_it_is(milestone_s: int) -> None:
    every_s = 15 if milestone_s == 180 else 1800
    assert _gap_s(milestone_s - every_s, -1) == pytest.approx(every_s * 0.8)


@pytest.mark.parametrize(("milestone_s", "next_s"), [(180, 30), (86_400, 1800)])
def test_a_milestone_that_was_reached_is_not_due_again(milestone_s: int, next_s: int) -> None:
    assert _gap_s(milestone_s, 0) == next_s


@pytest.mark.parametrize("spread", [-1.0, 0.0, 1.0])
def test_a_day_of_polls_always_moves_and_meets_both_milestones(spread: float) -> None:
    now, asked = START, []
    while now < START + timedelta(hours=24):
        due = next_poll(START, now, spread)
        assert due > now
        asked.append(due)
        now = due
    assert START + timedelta(minutes=3) in asked
    assert asked[-1] == START + timedelta(hours=24)
    assert 70 < len(asked) < 130


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("to", S)
def test_a_topup_follows_the_arrows_and_no_other_way(state: TopUpState, to: TopUpState) -> None:
    if to in TRANSITIONS[state]:
        assert _topup(state).transition_to(to, reason="why").reason == "why"
    else:
        with pytest.raises(AssertionError, match=f"{state} cannot become {to}"):
            _topup(state).transition_to(to)


@pytest.mark.parametrize("state", S)
def test_the_arrows_are_those_of_the_design(state: TopUpState) -> None:
    design = {
        # One of a partner's system, until its code is given back.
        S.OTP_SENT: {S.CREATED, S.OTP_EXPIRED, S.OTP_LOCKED, S.CANCELLED},
        S.OTP_EXPIRED: set(),
        S.OTP_LOCKED: set(),
        S.CANCELLED: set(),
        # PAID without PENDING: a payment that names it came before the bank's answer.
        S.CREATED: {S.SENDING, S.REJECTED, S.PAID},
        S.SENDING: {S.CREATED, S.PENDING, S.REJECTED, S.SEND_UNKNOWN, S.PAID},
        S.PENDING: {S.PAID, S.NOT_PAID, S.UNKNOWN},
        S.SEND_UNKNOWN: {S.PAID, S.PENDING, S.REJECTED},
        S.UNKNOWN: {S.PAID, S.NOT_PAID},
        S.NOT_PAID: {S.PAID_LATE},
        S.REJECTED: {S.PAID_LATE},
        S.PAID: set(),
        S.PAID_LATE: set(),
    }
    assert TRANSITIONS[state] == design[state]


def test_open_is_what_may_still_ask_for_money_on_the_phone() -> None:
    assert {S.CREATED, S.SENDING, S.PENDING, S.SEND_UNKNOWN} == OPEN


@pytest.mark.parametrize("state", S)
def test_without_the_banks_id_nothing_can_be_asked(state: TopUpState) -> None:
    assert not replace(_topup(state), due_at=START).can_be_queried


@pytest.mark.parametrize("state", S)
def test_the_bank_is_asked_only_while_it_can_say_something_new(state: TopUpState) -> None:
    topup = replace(_topup(state), bank_id="b1", due_at=START)
    assert topup.can_be_queried == (state in {S.PENDING, S.UNKNOWN, S.NOT_PAID})


def test_a_final_failure_is_not_asked_about() -> None:
    assert not replace(_topup(S.NOT_PAID), bank_id="b1", due_at=None).can_be_queried


def test_the_account_reference_travels_without_its_dash() -> None:
    assert _topup(S.CREATED).account_reference == "TU222222"
