"""What scripts tell the simulated Daraja, and what they ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.scripts.directive import ActionDirective, CheckDirective
from bot.scripts.directive_syntax import read_directive
from bot.scripts.head import ScriptHead
from bot.scripts.run_directive import perform, verify
from bot.simulation.stage import SimulatedStage
from tests.kit.daraja_caller import PHONE
from tests.kit.paid_in_world import order, pay
from tests.kit.parsed_scripts import AT


@pytest.fixture
async def stage() -> AsyncIterator[SimulatedStage]:
    stage = SimulatedStage("terminal")
    try:
        await stage.open(ScriptHead(), ())
        stage.world.daraja.opening(100_000_00)
        yield stage
    finally:
        await stage.close()


async def play(stage: SimulatedStage, *lines: str) -> None:
    for line in lines:
        read = read_directive(AT, line)
        if isinstance(read, CheckDirective):
            await verify(read, stage)
        else:
            assert isinstance(read, ActionDirective)
            await perform(read, stage)


@pytest.mark.parametrize(
    ("does", "results", "paid"),
    [
        ("pays", 1, 1),
        ("pays Asha Mfano", 1, 1),
        ("fails 2040", 1, 0),
        ("silent", 0, 1),
        ("twice", 2, 1),
        ("before-ack", 1, 1),
        ("late 24h", 0, 0),
        ("fails 8 late 24h", 1, 0),
    ],
)
async def test_a_payee_does_what_a_script_says_with_the_next_payout(
    stage: SimulatedStage, does: str, results: int, paid: int
) -> None:
    daraja = stage.world.daraja
    await play(stage, f"@payee {PHONE} {does}")
    await pay(stage.world)
    await play(stage, "@advance 10s")
    assert (len(daraja.results.deliveries), len(daraja.paid())) == (results, paid)
    await pay(stage.world, OriginatorConversationID="HZ2")
    await play(stage, "@advance 10s")
    assert (len(daraja.results.deliveries), len(daraja.paid())) == (results + 1, paid + 1)
    await play(stage, "@advance 1d")
    is_late = "late" in does
    assert len(daraja.paid()) == paid + 1 + is_late


async def test_what_a_payee_was_told_survives_a_crash(stage: SimulatedStage) -> None:
    await play(stage, f"@payee {PHONE} fails 8", "@bank http 500 on payout", "@crash")
    assert (await order(stage.world)).status_code == 500
    await pay(stage.world)
    await play(stage, "@advance 10s")
    assert stage.world.daraja.paid() == ()


async def test_faults_and_counts_are_those_of_daraja(stage: SimulatedStage) -> None:
    await play(stage, "@bank spike-arrest on payout times 2", "@bank payout 0", "@bank float 0")
    answers = [await order(stage.world) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 500, 200]
    await play(stage, "@bank payout 3", "@bank payout-token 3", "@bank payout-status 0")
    await play(stage, "@bank token 0")
    assert stage.world.bank.faults_left() == {}


async def test_the_product_may_die_around_a_call_of_daraja(stage: SimulatedStage) -> None:
    await play(stage, "@crash at after-call payout")
    paying = asyncio.create_task(pay(stage.world))
    await stage.settle()
    paying.cancel()  # it died with the product
    assert (stage.waiting_crashes(), stage.world.crash_count) == ([], 1)
    await play(stage, "@bank payout 1")


async def test_there_is_no_payout_before_the_first(stage: SimulatedStage) -> None:
    assert await stage.state("payout") is None
