"""The way to a product that stops, is killed, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.simulation import product_door
from bot.simulation.product_door import ProductDoor

Endpoint = Callable[[Request], Awaitable[Response]]


def _product(endpoint: Endpoint) -> Starlette:
    return Starlette(routes=[Route("/v1/door", endpoint)])


async def _at_once(request: Request) -> Response:
    return PlainTextResponse("done")


async def _get(door: ProductDoor) -> httpx.Response:
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        return await client.get("/v1/door")


class Held:
    """An endpoint that answers when it is let."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.let = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        self.entered.set()
        await self.let.wait()
        return PlainTextResponse("done")


async def _held(door: ProductDoor) -> tuple[Held, asyncio.Task[httpx.Response]]:
    held = Held()
    door.open(_product(held.answer))
    asking = asyncio.create_task(_get(door))
    await held.entered.wait()
    return held, asking


async def test_a_request_waits_for_the_product() -> None:
    door = ProductDoor()
    asking = asyncio.create_task(_get(door))
    await asyncio.sleep(0)
    door.open(_product(_at_once))
    assert (await asking).text == "done"


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_door, "RETURN_S", 0.01)
    assert (await _get(ProductDoor())).status_code == 503


async def test_a_clean_stop_waits_for_those_inside() -> None:
    door = ProductDoor()
    held, asking = await _held(door)
    stopping = asyncio.create_task(door.finish())
    await asyncio.sleep(0)
    assert not stopping.done()
    held.let.set()
    await stopping
    assert (await asking).text == "done"


async def test_a_clean_stop_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_door, "FINISH_S", 0.01)
    door = ProductDoor()
    _, asking = await _held(door)
    await door.finish()
    assert (await asking).status_code == 503


async def test_a_kill_cuts_off_those_inside() -> None:
    door = ProductDoor()
    _, asking = await _held(door)
    door.abort()
    answer = await asking
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_closed_door_stays_closed() -> None:
    door = ProductDoor()
    door.close()
    door.open(_product(_at_once))
    assert (await _get(door)).status_code == 503


async def test_a_kill_cuts_requests_off_in_the_order_in_which_they_came() -> None:
    """Who sends them again does so in that order too, or a seed would tell another story."""
    entered: list[str] = []
    cut_off: list[str] = []
    all_in = asyncio.Event()

    async def answer(request: Request) -> Response:
        entered.append(request.query_params["n"])
        if len(entered) == len(asking):
            all_in.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.append(request.query_params["n"])
        return PlainTextResponse("done")

    door = ProductDoor()
    door.open(_product(answer))
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        asking = [asyncio.create_task(client.get(f"/v1/door?n={n}")) for n in range(40)]
        await all_in.wait()
        await asyncio.gather(*door.abort(), return_exceptions=True)
        await asyncio.gather(*asking)
    assert cut_off == entered
