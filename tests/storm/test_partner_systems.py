"""Partners' systems in a storm, as far as its people have nothing to do with it."""

from __future__ import annotations

from contextlib import closing

import pytest

from bot.simulation.crashes import CrashPointName
from bot.storm.storm_run import StormRun
from bot.storm.systems.partner_system import TOPUP
from bot.storm.systems.request import Request
from services.ports import Tx
from tests.kit.open_databases import simulated_database


@pytest.mark.parametrize("point", ["commit", "after-commit"])
async def test_what_a_crash_cut_off_is_sent_again_and_done_once(point: CrashPointName) -> None:
    def begun(tx: Tx) -> int:
        return sum(topup.channel == "api" for topup in tx.topups.every())

    with closing(simulated_database()) as database:
        story = StormRun(2, 6, 2, database)
        await story.begin()
        world, sender = story.world, story.systems.sender
        system = story.systems.systems[0]
        await sender.ask(system.get("/v1/balance"))  # the key's use is noted, for a minute
        body = {"amount": 500, "phone_number": system.owner_phone}
        asked = Request(system.code, system.key, "POST", TOPUP, body, key="k" * 20, creates=True)
        world.arm_crash(point, None, 1)
        sender.begin(asked)
        await world.settle()
        assert sender.hear() == []
        assert (world.crash_count, sender.unanswered) == (1, [asked])
        assert await story.systems.calm() == []
        assert sender.unanswered == []
        assert await world.app.database.read(begun) == 1
        await world.close()
