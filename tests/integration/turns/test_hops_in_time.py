"""A hop is answered in time, and says that nothing was taken only where that is so."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.turns import hops
from services.domain.ussd import BUSY, UssdSession
from tests.kit.held_writer import Box, Gate, held
from tests.kit.hop_runner import HopRunner
from tests.kit.turns_on_database import seed

LIMIT_S, COMMIT_LIMIT_S = 0.05, 0.15


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hops, "HOP_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(hops, "COMMIT_LIMIT_S", COMMIT_LIMIT_S)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "hazina.db")


@pytest.fixture
async def runner(box: Box) -> AsyncIterator[HopRunner]:
    async with box.opened() as database:
        await database.write(seed)
        yield HopRunner(database)


async def stored(runner: HopRunner, session: str = "s1") -> UssdSession | None:
    return await runner.database.read(lambda tx: tx.ussd_sessions.find("gateway", session))


async def test_a_hop_that_has_not_begun_in_time_never_begins(runner: HopRunner) -> None:
    async with held(runner.database):
        assert await runner.send("") == BUSY
    assert await stored(runner) is None
    assert (await runner.send("")).goes_on


async def test_an_answer_that_was_given_up_takes_nothing(runner: HopRunner) -> None:
    await runner.send("")
    await runner.send("1")
    await runner.send("1*500")
    await runner.send("1*500*1")
    async with held(runner.database):
        assert await runner.send("1*500*1*1") == BUSY
    assert not runner.begun
    page = await runner.send("1*500*1*1")
    assert not page.goes_on
    assert len(runner.begun) == 1


async def test_a_commit_that_hangs_is_not_said_to_have_taken_nothing(
    runner: HopRunner, box: Box
) -> None:
    for text in ("", "1", "1*500", "1*500*1"):
        await runner.send(text)
    gate = box.probe.holds["commit"] = Gate()
    page = await runner.send("1*500*1*1")
    assert page.text == "Service busy. Dial again to see what was done."
    assert not runner.begun
    gate.open()
    again = await runner.send("1*500*1*1")
    assert again.text.startswith("Check your phone")
    assert len(runner.begun) == 1  # what it began went on, though nobody waited for its page


async def test_a_hop_that_raises_is_answered_once_and_takes_nothing(
    runner: HopRunner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await runner.send("")

    def fails(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(runner.hops._answers, "answer", fails)
    page = await runner.send("1")
    assert page.text.startswith("Something went wrong on our side, ref F-")
    monkeypatch.undo()
    assert await runner.send("1") == page
    assert not page.goes_on
