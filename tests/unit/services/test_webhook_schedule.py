"""When a failed try is made again, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.domain.webhook import (
    SPREAD,
    TRIES_MAX,
    WAITS,
    Delivered,
    GiveUp,
    Gone,
    NextStep,
    NotTaken,
    Taken,
    TryAgain,
    WebhookAnswer,
    next_step,
    read_answer,
)

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
FAILED = NotTaken(500, "HTTP 500")


def after(
    answer: WebhookAnswer, tries_left: int = 9, *, is_test: bool = False, spread: float = 0.0
) -> NextStep:
    return next_step(answer, tries_left=tries_left, is_test=is_test, now=NOW, spread=spread)


def test_the_tries_are_further_and_further_apart() -> None:
    steps = [after(FAILED, left) for left in range(TRIES_MAX - 1, 0, -1)]
    waits = [step.at - NOW for step in steps if isinstance(step, TryAgain)]
    assert waits == list(WAITS)
    assert WAITS[0] == timedelta(seconds=5)
    assert timedelta(days=3) < sum(WAITS, timedelta()) < timedelta(days=4)


def test_the_last_try_switches_the_endpoint_off() -> None:
    assert after(FAILED, 0) == GiveUp("failing")


def test_gone_switches_it_off_at_once() -> None:
    assert after(Gone()) == GiveUp("gone")


@pytest.mark.parametrize("answer", [FAILED, Gone()])
def test_a_test_is_tried_once_and_switches_nothing_off(answer: WebhookAnswer) -> None:
    assert after(answer, 0, is_test=True) == GiveUp(None)


@pytest.mark.parametrize("spread", [-SPREAD, SPREAD])
def test_a_wait_is_spread_by_a_tenth(spread: float) -> None:
    step = after(FAILED, 1, spread=spread)
    assert step == TryAgain(NOW + timedelta(hours=24) * (1 + spread))


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (timedelta(seconds=1), timedelta(seconds=5)),  # ours is longer
        (timedelta(minutes=2), timedelta(minutes=2)),
        (timedelta(days=30), timedelta(hours=24)),  # no receiver puts us off for ever
    ],
)
def test_a_busy_receiver_is_given_the_time_it_asks_for(asked: timedelta, waits: timedelta) -> None:
    assert after(read_answer(429, asked)) == TryAgain(NOW + waits)


def test_only_a_busy_receiver_may_ask() -> None:
    assert after(read_answer(500, timedelta(hours=1))) == TryAgain(NOW + timedelta(seconds=5))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_taken(status: int) -> None:
    assert read_answer(status) == Taken(status)
    assert after(read_answer(status)) == Delivered()


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 500, 503])
def test_nothing_else_is(status: int) -> None:
    assert read_answer(status) == NotTaken(status, f"HTTP {status}")
