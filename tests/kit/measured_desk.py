"""A desk of which every metric has a value, as Prometheus scrapes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette

from bot.channels.terminal import event_from_line
from bot.http.health import health_routes
from bot.simulation.opening_balances import add_partner
from bot.simulation.world import World
from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.topup import TopUpState
from services.domain.webhook import Taken
from storage.transaction import StoreTx

PHONE = "254712345678"
TOPUP = ("/topup", "1500", "1", "1")  # with the payer's own number, confirmed


def seed(tx: StoreTx) -> None:
    add_partner(tx, Partner("FINSAFE"), Money(100), Money(0))
    person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, Phone(PHONE), None, "en")
    tx.people.link("terminal", "1", person)


@asynccontextmanager
async def desk_in(folder: Path) -> AsyncIterator[World]:
    """With one partner and one person, who writes in the terminal."""
    world = World(folder, threads=False)
    await world.open()
    await world.app.database.write(seed)
    yield world
    await world.close()


async def get(world: World, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=health_routes(world.app)))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        return await client.get(path)


async def type_in(world: World, *lines: str) -> None:
    for number, text in enumerate(lines):
        world.submit(event_from_line("1", f"e{number}", text))
        await world.settle()


async def metrics_of_everything(folder: Path) -> str:
    """The body of ``/metrics`` once each metric has been used."""
    async with desk_in(folder) as world:
        await type_in(world, *TOPUP)
        metrics = world.app.metrics
        metrics.record_stranger("answered")
        metrics.webhook(Taken(200))
        metrics.ussd_session("success", "safaricom", 10)
        metrics.hop("begun", 0.01)
        metrics.api("balances", 200, 0.1)
        metrics.outcome(OperationType.TOPUP, TopUpState.PAID)
        metrics.backup_at = world.clock.now()
        await world.advance(30)
        return (await get(world, "/metrics")).text
