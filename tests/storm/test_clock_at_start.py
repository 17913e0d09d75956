"""A wrong clock at startup looks like days of downtime."""

from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from bot.simulation.faults import parse_fault
from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.ncba.handsets import Handset
from bot.storm.storm_run import StormRun
from flows.engine.event import Event
from services.domain.money import Money
from services.domain.payment import PaymentState
from services.domain.topup import TopUpState
from tests.kit.open_databases import simulated_database

DAY_S = 86_400


@pytest.fixture
async def story() -> AsyncIterator[StormRun]:
    """A prompt is on the owner's phone, unanswered."""
    with closing(simulated_database()) as database:
        story = StormRun(4, 24, 1, database)
        await story.begin()
        owner = story.actors["p0"]
        for words in ("/topup", "1500"):
            await do(story, owner.say(words))
        for option in ("mine", "yes"):
            await do(story, owner.tap(option))
        assert await state(story) is TopUpState.PENDING
        yield story
        await story.world.close()


async def do(story: StormRun, event: Event) -> None:
    story.world.submit(event)
    await story.world.settle()


async def state(story: StormRun) -> TopUpState:
    topup = await story.world.app.database.read(lambda tx: tx.topups.newest())
    assert topup is not None
    return topup.state


async def start_with(story: StormRun, seconds: int) -> None:
    await story.world.close()
    story.world.clock.step(seconds)
    await story.world.open()
    await story.world.settle()


@pytest.mark.parametrize("starts", [1, 2])
async def test_a_prompt_of_today_is_asked_about_though_a_start_was_three_days_ahead(
    story: StormRun, starts: int
) -> None:
    world = story.world
    await start_with(story, 3 * DAY_S)
    for _ in range(starts - 1):
        await world.advance(20)
        await world.restart()
    await world.advance(20)
    assert await state(story) is TopUpState.PENDING
    await world.set_clock(-3 * DAY_S)
    world.bank.set_handset(story.actors["p0"].phone, Handset.PAYS)
    await world.advance(60)
    assert await state(story) is TopUpState.PAID


async def test_a_prompt_is_asked_about_as_before_though_a_start_was_three_days_behind(
    story: StormRun,
) -> None:
    await start_with(story, -3 * DAY_S)
    story.world.bank.set_handset(story.actors["p0"].phone, Handset.PAYS)
    await story.world.advance(60)
    assert await state(story) is TopUpState.PAID


async def test_nobody_is_asked_for_ever(story: StormRun) -> None:
    story.world.bank.arm(parse_fault("http 500"), "query", 10_000)
    await start_with(story, 3 * DAY_S)
    await story.world.advance(DAY_S + 3_600)
    assert await state(story) is TopUpState.UNKNOWN


async def test_the_payment_of_a_prompt_finds_it_though_the_clock_was_put_right_between_runs(
    story: StormRun,
) -> None:
    world, phone = story.world, story.actors["p0"].phone
    await world.set_clock(-3 * DAY_S)
    world.bank.set_handset(phone, Handset.PAYS)
    await world.advance(60)
    await start_with(story, 3 * DAY_S)
    world.notify(world.bank.paybill.notify(phone, Money(150_000), NOTIFY.account_number))
    await world.settle()
    payments = await world.app.database.read(lambda tx: tx.payments.every())
    assert [payment.state for payment in payments] == [PaymentState.MATCHED]
