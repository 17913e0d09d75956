"""The simulated Daraja in a world: where its money comes from, and what outlives the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.routing import Router

from bot.adapters import KeepTokens, payout_rail
from bot.http.daraja_results import payout_result_routes
from bot.http.routes import daraja_endpoint
from bot.scripts.given import GivenPartner
from bot.scripts.head import ScriptHead
from bot.scripts.source_line import SourceLine
from bot.settings import Settings
from bot.simulation.bank_comparison import bank_mismatches
from bot.simulation.crashes import CrashPointName
from bot.simulation.credentials import SHORT_CODE
from bot.simulation.daraja.result_sender import CALLS_FROM
from bot.simulation.faults import Fate
from bot.simulation.givens import prepare_outside
from bot.simulation.stage import SimulatedStage
from bot.simulation.world import World
from services.domain.bank import Ready
from services.domain.money import Money
from services.domain.payout_answers import Acknowledged, PaidOut
from services.gateways.daraja.result_wire import judge_payment, read_result
from services.ports import Clock, PayoutRail
from tests.kit.daraja_caller import ID
from tests.kit.daraja_gateway import ORDER
from tests.kit.paid_in_world import pay
from tests.kit.recording_handler import RecordingHandler


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, threads=False)
    await world.open()
    world.daraja.opening(10_000_00)
    yield world
    await world.close()


async def test_float_that_is_bought_stands_in_the_utility_account(world: World) -> None:
    world.bank.floats.order("FL1", Money(500_00), SHORT_CODE)
    assert world.daraja.utility_cents() == 10_500_00
    world.bank.floats.order("FL2", Money(70_00), SHORT_CODE, Fate.SETTLES, timedelta(hours=2))
    world.bank.floats.order("FL3", Money(1_00), SHORT_CODE, Fate.FAILS, timedelta(hours=1))
    world.bank.floats.order("FL4", Money(1_00), SHORT_CODE, Fate.NEVER)
    world.bank.floats.bounce("FL5", Money(1_00), SHORT_CODE)
    world.bank.floats.order("FL6", Money(1_00), "600997")
    assert world.daraja.utility_cents() == 10_500_00
    await world.advance(7_200)
    assert world.daraja.utility_cents() == 10_570_00


def test_a_partners_opening_float_stands_there_from_the_start(tmp_path: Path) -> None:
    world, at = World(tmp_path, threads=False), SourceLine(Path("a.chat"), 1)
    nothing = Money(0)
    givens = [
        GivenPartner(at, f"P{n}", nothing, Money(cents), nothing, suspended=False)
        for n, cents in enumerate((300_00, 25_50))
    ]
    prepare_outside(world, givens)
    assert world.daraja.utility_cents() == 325_50


async def test_the_products_own_rail_pays_there_and_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rails: list[PayoutRail] = []

    def kept(
        settings: Settings, client: httpx.AsyncClient, clock: Clock, keep_tokens: KeepTokens
    ) -> PayoutRail:
        rails.append(payout_rail(settings, client, clock, keep_tokens))
        return rails[-1]

    monkeypatch.setattr("bot.bootstrap.payout_rail", kept)
    world = World(tmp_path, threads=False)
    await world.open()
    assert world.settings.pays_customers
    world.daraja.opening(ORDER.amount.cents)
    handler = RecordingHandler[bytes]()
    endpoint = daraja_endpoint(world.settings)
    assert endpoint is not None
    routes = Router(payout_result_routes(handler.take, handler.take, endpoint))
    world.daraja.results.open(httpx.ASGITransport(routes, client=(CALLS_FROM, 443)))
    ready = await rails[0].prepare()
    assert isinstance(ready, Ready)
    assert isinstance(await rails[0].pay(ready, ORDER), Acknowledged)
    await world.advance(10)
    (body,) = handler.taken
    result = read_result(body)
    assert result is not None
    assert isinstance(judge_payment(result, ORDER), PaidOut)
    assert world.bank.calls("token") == 0
    await world.close()


@pytest.mark.parametrize("end", ["restart", "crash"])
async def test_a_result_comes_to_the_product_that_runs_by_then(world: World, end: str) -> None:
    await pay(world)
    await (world.restart() if end == "restart" else world.crash())
    await world.advance(10)
    (delivery,) = world.daraja.results.deliveries
    assert delivery.status is not None
    assert len(world.daraja.paid()) == 1
    await world.advance(86_400)
    assert len(world.daraja.results.deliveries) == 1


@pytest.mark.parametrize(("point", "orders"), [("before-call", 0), ("after-call", 1)])
async def test_the_product_can_die_around_a_call(
    world: World, point: CrashPointName, orders: int
) -> None:
    world.arm_crash(point, "payout", 1)
    paying = asyncio.create_task(pay(world))
    await world.settle()
    assert world.crash_count == 1
    paying.cancel()  # it died with the product
    await world.advance(10)
    assert len(world.daraja.payments()) == orders
    assert len(world.daraja.results.deliveries) == orders


async def test_the_books_are_compared_with_those_of_m_pesa(world: World) -> None:
    too_much = "the utility account should have KES {}, and M-PESA has KES {} in it"
    assert await bank_mismatches(world) == [too_much.format("0", "10,000")]
    world.bank.floats.order("FL1", Money(500_00), SHORT_CODE)
    assert await bank_mismatches(world) == [too_much.format("500", "10,500")]
    await pay(world)
    await world.advance(10)
    assert await bank_mismatches(world) == [
        f"M-PESA was ordered to pay {ID}, which is no payout of ours",
        too_much.format("-1,000", "9,000"),
    ]


async def test_the_books_agree_on_opening_float() -> None:
    stage = SimulatedStage("terminal")
    at, nothing = SourceLine(Path("a.chat"), 1), Money(0)
    given = GivenPartner(at, "UMOJA", nothing, Money(300_00), nothing, suspended=False)
    try:
        await stage.open(ScriptHead(), [given])
        assert await stage.books() == []
        stage.world.daraja.raise_utility(-1)
        assert len(await stage.books()) == 1
    finally:
        await stage.close()
