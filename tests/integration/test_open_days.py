"""A day that stayed open is compared with NCBA's statement again, however long it takes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.reconciler import BACK, OPEN_BACK
from bot.simulator.stage import add_partner
from bot.simulator.statements import Planted
from bot.simulator.world import World
from services.domain.days import business_day
from services.domain.money import Money
from services.domain.partner import Partner
from services.domain.reconciliation import Day

DAY_S = 86_400


async def _standing(world: World, day: date) -> Day | None:
    await world.run_job("reconciliation")
    return await world.app.database.read(lambda tx: tx.reconciliations.day(day))


@pytest.mark.parametrize("days", [BACK + 1, OPEN_BACK])
async def test_a_line_that_comes_after_weeks_closes_its_day(tmp_path: Path, days: int) -> None:
    world = World(tmp_path, threads=False)
    await world.open()
    try:
        await world.app.database.write(
            lambda tx: add_partner(tx, Partner("FINSAFE"), Money(0), Money(0))
        )
        day = business_day(world.clock.now())
        world.bank.statements.planted.append(Planted.MISSING)
        world.notify(world.bank.paybill.notify("254733345678", Money(250_000), "FINSAFE"))
        await world.advance(DAY_S)
        left = await _standing(world, day)
        assert left is not None
        assert left.closed_at is None
        await world.advance((days - 1) * DAY_S)
        world.bank.statements.planted.clear()
        found = await _standing(world, day)
        assert found is not None
        assert found.closed_at is not None
    finally:
        await world.close()
