"""What a storm must not report as broken."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest

from bot.simulation.daraja.payees import parse_payee
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from bot.simulation.world import Home
from bot.storm.crash_points import PAYEE, PHONE, PIN, JourneyRun, pay
from bot.storm.invariant_checker import InvariantChecker
from bot.storm.storm_run import StormRun
from services.domain.limits import LimitName
from services.domain.money import Money
from services.ports import Tx
from tests.kit.open_databases import simulated_database

DAY_S = 86_400


async def test_a_line_that_names_nobody_is_its_prompts_when_a_notification_names_it() -> None:
    with closing(simulated_database()) as database:
        story = StormRun(1, 24, 1, database)
        await story.begin()
        owner, world, paybill = story.actors["p0"], story.world, story.world.bank.paybill
        world.bank.statements.names_payer = lambda receipt: False
        world.bank.set_handset(owner.phone, Handset.PAYS)
        for words in ("/topup", "1500"):
            world.submit(owner.say(words))
            await world.settle()
        for option in ("mine", "yes"):
            world.submit(owner.tap(option))
            await world.settle()
        await world.advance(DAY_S)
        await world.run_job("reconciliation")
        (arrived,) = await world.app.database.read(lambda tx: tx.payments.every())
        assert (arrived.operation, await story.watch.step()) == (None, [])
        (prompt,) = world.bank.paid()
        world.notify(paybill.notification_of(paybill.payment_of(prompt, prompt.account_no)))
        await world.settle()
        (arrived,) = await world.app.database.read(lambda tx: tx.payments.every())
        assert (arrived.operation is not None, await story.watch.step()) == (True, [])
        await world.close()


@pytest.mark.parametrize(("is_shown", "reported"), [(True, []), (False, ["told"])])
async def test_a_refusal_that_a_phones_page_tells_was_told(
    world_home: Home, is_shown: bool, reported: list[str]
) -> None:
    play = JourneyRun(world_home)
    watch = InvariantChecker(play.world)
    await play.open()
    await play.dial("2", "5000", "1")
    await play.world.app.database.write(_no_float_today)
    hop = asyncio.ensure_future(play.phones.press(PHONE, PIN))
    await play.world.settle()
    page = (await hop).text
    assert "no float was bought" in page
    if is_shown:
        watch.shown_on_phone(page)
    found = await watch.end([])
    assert [one.invariant for one in found] == reported
    await play.world.close()


def _no_float_today(tx: Tx) -> None:
    tx.limits.set(LimitName.FLOAT_DAY, 0, Money(100), "storm", partner="FINSAFE")


async def test_what_mpesa_has_paid_is_missing_in_the_end_though_nobody_was_told(
    world_home: Home,
) -> None:
    play = JourneyRun(world_home)
    watch = InvariantChecker(play.world)
    await play.open()
    play.world.daraja.set_payee(PAYEE, parse_payee("silent"))
    play.world.daraja.arm_for(parse_fault("http 500"), "payout-status", timedelta(days=3))
    await pay(play)
    await play.world.advance(2 * DAY_S)
    assert await watch.step() == []
    (found,) = await watch.end([])
    assert found.invariant == "bank"
    assert found.words.endswith("which is UNKNOWN in the end")
    await play.world.close()


async def test_a_frozen_payout_may_wait_for_its_owner(world_home: Home) -> None:
    play = JourneyRun(world_home)
    watch = InvariantChecker(play.world)
    await play.open()
    play.world.daraja.arm(parse_fault("http 503"), "payout-token", 2)
    await pay(play)
    await play.world.settle()
    (stuck,) = await watch.end([])
    assert stuck.words.endswith("is still AUTHORISED")
    await play.say("/settings")
    await play.tap("freeze-payouts")
    await play.world.advance(2 * DAY_S)
    assert await watch.end([]) == []
    await play.world.close()
