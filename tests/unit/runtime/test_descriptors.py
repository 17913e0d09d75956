"""Callers get the file descriptors that are left after those the program needs itself."""

from __future__ import annotations

import resource

import pytest

from bot.serving.descriptors import (
    INBOUND_MAX,
    LEAST,
    RESERVED,
    WANTED,
    TooFewDescriptors,
    reserve_descriptors,
    shared_out,
)


class Limits:
    """``RLIMIT_NOFILE`` of an imaginary process."""

    def __init__(self, soft: int, hard: int, most: int = 10**9) -> None:
        self.now = (soft, hard)
        self._most = most

    def get(self, which: int) -> tuple[int, int]:
        return self.now

    def set(self, which: int, limits: tuple[int, int]) -> None:
        if limits[0] > self._most:
            raise ValueError("current limit exceeds maximum limit")
        self.now = limits


def started(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> tuple[int, int]:
    monkeypatch.setattr(resource, "getrlimit", limits.get)
    monkeypatch.setattr(resource, "setrlimit", limits.set)
    found = reserve_descriptors()
    return found.limit, found.inbound


@pytest.mark.parametrize(
    ("soft", "hard", "limit"),
    [
        (1024, 524_288, WANTED),
        (256, 1024, 1024),
        (256, 256, 256),
        (65_536, 524_288, 65_536),
        (1024, resource.RLIM_INFINITY, WANTED),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_is_of_use(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, limit: int
) -> None:
    limits = Limits(soft, hard)
    assert started(monkeypatch, limits)[0] == limit
    assert limits.now == (limit, hard)


def test_without_a_limit_there_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert started(monkeypatch, limits) == (WANTED, INBOUND_MAX)


def test_where_it_cannot_be_raised_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(monkeypatch, Limits(256, 524_288, most=256))[0] == 256


@pytest.mark.parametrize("limit", [LEAST, 256, 1024, WANTED, 10**6])
def test_callers_never_get_what_is_reserved(limit: int) -> None:
    inbound = shared_out(limit, found=limit).inbound
    assert 0 < inbound <= INBOUND_MAX
    assert inbound <= max(limit - RESERVED, limit // 8)


def test_all_that_is_wanted_is_enough_for_everybody() -> None:
    assert shared_out(WANTED, found=WANTED).inbound == INBOUND_MAX


def test_far_too_few_are_refused_in_one_line() -> None:
    with pytest.raises(TooFewDescriptors, match="ulimit -n") as refused:
        shared_out(LEAST - 1, found=LEAST - 1)
    assert "\n" not in str(refused.value)
