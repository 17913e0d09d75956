"""An error that occurs a thousand times is printed five times and then only counted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest
import structlog

from bot.observe.repeated_errors import EVERY_S, FIRST, KEYS_MAX, RepeatedErrors


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.repeats = RepeatedErrors(
            lambda level, facts: self.told.append((level, facts)), self.now
        )

    def now(self) -> float:
        return self.seconds

    def printed(self, method: str = "error", many: int = 1, **facts: Any) -> int:
        """How many of ``many`` equal lines are printed."""
        printed = 0
        for _ in range(many):
            try:
                self.repeats(None, method, {"event": "it failed", **facts})
            except structlog.DropEvent:
                continue
            printed += 1
        return printed


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.mark.parametrize("method", ["error", "exception", "critical"])
def test_the_first_few_are_printed_and_the_rest_are_counted(watch: Watch, method: str) -> None:
    assert watch.printed(method, 1_000) == FIRST
    assert watch.told == []
    watch.seconds = EVERY_S
    watch.repeats.report()
    level = "critical" if method == "critical" else "error"
    assert watch.told == [(level, {"event": "it failed", "times": 1_000 - FIRST})]
    watch.repeats.report()
    assert len(watch.told) == 1


def test_one_line_a_minute_says_how_many(watch: Watch) -> None:
    for _ in range(180):
        watch.printed(many=10)
        watch.seconds += 1
    watch.repeats.report()
    assert [facts["times"] for _, facts in watch.told] == [600 - FIRST, 600, 600]


def test_the_line_comes_with_whatever_is_logged_next(watch: Watch) -> None:
    watch.printed(many=FIRST + 2)
    watch.seconds = EVERY_S
    assert watch.printed("info") == 1
    assert [facts["times"] for _, facts in watch.told] == [2]


def test_at_the_end_all_is_told(watch: Watch) -> None:
    watch.printed(many=FIRST + 2)
    watch.repeats.report(all_of_them=True)
    assert [facts["times"] for _, facts in watch.told] == [2]


def test_after_a_quiet_minute_it_is_printed_again(watch: Watch) -> None:
    watch.printed(many=FIRST)
    watch.seconds = EVERY_S - 1
    assert watch.printed() == 0
    watch.repeats.report(all_of_them=True)
    watch.seconds += EVERY_S
    assert watch.printed() == 1


def test_numbers_and_references_make_no_difference(watch: Watch) -> None:
    printed = [
        watch.printed(reference=f"F-{n}K3QF9", row=n, why=f"page {n} is locked") for n in range(50)
    ]
    assert sum(printed) == FIRST


@pytest.mark.parametrize("other", [{"job": "topups"}, {"why": "the disk is full"}])
def test_other_facts_are_another_error(watch: Watch, other: dict[str, str]) -> None:
    watch.printed(many=20)
    assert watch.printed(many=20, **other) == FIRST


def test_another_exception_is_another_error(watch: Watch) -> None:
    def fail(error: Exception) -> int:
        try:
            raise error
        except type(error):
            return watch.printed("exception", 20, exc_info=True)

    assert fail(KeyError("a")) == FIRST
    assert fail(ValueError("a")) == FIRST
    assert fail(ValueError("a")) == 0


@pytest.mark.parametrize("method", ["debug", "info", "warning"])
def test_what_is_no_error_is_always_printed(watch: Watch, method: str) -> None:
    assert watch.printed(method, 100) == 100


def test_a_library_that_warns_without_end_is_counted_too(watch: Watch) -> None:
    def record(level: int) -> logging.LogRecord:
        return logging.LogRecord("asyncio", level, __file__, 1, "lost %s", ("it",), None)

    assert sum(watch.repeats.admits(record(logging.WARNING)) for _ in range(100)) == FIRST
    assert sum(watch.repeats.admits(record(logging.INFO)) for _ in range(100)) == 100
    watch.repeats.report(all_of_them=True)
    assert watch.told == [("warning", {"event": "lost it", "logger": "asyncio", "times": 95})]


def test_errors_that_never_end_to_differ_take_no_room_without_end(watch: Watch) -> None:
    for n in range(3 * KEYS_MAX):
        assert watch.printed(why="x" * (n % 400) + chr(0x4E00 + n)) == 1
    assert len(watch.repeats._seen) <= KEYS_MAX
