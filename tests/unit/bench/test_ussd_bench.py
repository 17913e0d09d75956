"""The benchmark of USSD measures the real program: a small run of each case finishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bench.dialler import Dialler, door
from bot.bench.program import NullChannel, Person, running_program, seed_people
from bot.bench.ussd import HOPS, TURNS, measure


async def test_every_case_is_measured(tmp_path: Path) -> None:
    cases = [case async for case in measure(3, 1.5, topups=2, pairs=1, within=tmp_path)]
    assert [case.name for case in cases] == [
        "ussd: sessions with a hop a second, p99 in p50",
        "ussd: hops of a top-up in turns of the same, a second of CPU",
    ]
    assert cases[0].figures["hops"] >= 3
    assert all(case.ratio > 0 for case in cases)


async def test_both_begin_a_top_up_in_as_many_steps(tmp_path: Path) -> None:
    person = Person(0)
    async with running_program(tmp_path / "one.db", NullChannel()) as app:
        await app.database.write(lambda tx: seed_people(tx, [person]))
        await app.jobs.stop()
        assert len(await Dialler(door(app), person).perform(HOPS)) == len(TURNS)
        (topup,) = await app.database.read(lambda tx: list(tx.topups.every()))
        assert topup.phone == person.phone


async def test_a_session_that_goes_otherwise_is_no_figure(tmp_path: Path) -> None:
    async with running_program(tmp_path / "none.db", NullChannel()) as app:
        with pytest.raises(RuntimeError, match="hop 1"):  # nobody has joined with this number
            await Dialler(door(app), Person(0)).perform(HOPS)
