"""A Result is posted once, whatever becomes of it (facts: Daraja 5)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx

from bot.simulation.clock import VirtualClock
from bot.simulation.daraja.result_sender import ResultSender
from tests.kit.daraja_caller import RESULT_URL
from tests.kit.virtual_time import advance, settle


class Outside:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.tasks: list[asyncio.Future[None]] = []
        self.sender = ResultSender(
            lambda after, leave: self.clock.call_at(self.clock.true_now() + after, leave),
            lambda work: self.tasks.append(asyncio.ensure_future(work)),
        )


async def test_nobody_is_there_to_take_it() -> None:
    outside = Outside()
    delivery = outside.sender.send(RESULT_URL, lambda: b"{}")
    await delivery.over.wait()
    assert (delivery.status, delivery.is_taken) == (None, False)


async def test_a_connection_that_fails_is_not_tried_again() -> None:
    outside, tried = Outside(), []

    def refuse(request: httpx.Request) -> httpx.Response:
        tried.append(request)
        raise httpx.ConnectError("nobody")

    outside.sender.open(httpx.MockTransport(refuse))
    delivery = outside.sender.send(RESULT_URL, lambda: b"{}")
    await advance(outside.clock, 86_400)
    assert (len(tried), delivery.status) == (1, None)


async def test_one_that_is_under_way_when_the_product_dies_is_lost() -> None:
    outside, began = Outside(), []

    async def hang(request: httpx.Request) -> httpx.Response:
        began.append(request)
        await asyncio.Event().wait()
        raise AssertionError("it is cancelled")

    outside.sender.open(httpx.MockTransport(hang))
    delivery = outside.sender.send(RESULT_URL, lambda: b"{}", timedelta(seconds=3))
    await advance(outside.clock, 3)
    outside.tasks[0].cancel()
    await settle()
    outside.sender.open(httpx.MockTransport(lambda request: httpx.Response(200)))
    await advance(outside.clock, 86_400)
    assert (len(began), delivery.status) == (1, None)
    assert delivery.over.is_set()


async def test_one_that_waits_goes_to_whoever_is_there_by_then() -> None:
    outside, taken = Outside(), []
    outside.sender.open(httpx.MockTransport(lambda request: httpx.Response(500)))
    delivery = outside.sender.send(
        RESULT_URL, lambda: b"{}", timedelta(seconds=3), lambda: taken.append(1)
    )
    outside.sender.open(httpx.MockTransport(lambda request: httpx.Response(200)))
    await advance(outside.clock, 3)
    assert (delivery.is_taken, taken) == (True, [1])


async def test_what_leaves_while_the_product_is_down_is_lost() -> None:
    outside = Outside()
    outside.sender.open(httpx.MockTransport(lambda request: httpx.Response(200)))
    outside.sender.close()
    delivery = outside.sender.send(RESULT_URL, lambda: b"{}")
    await delivery.over.wait()
    outside.sender.open(httpx.MockTransport(lambda request: httpx.Response(200)))
    await advance(outside.clock, 86_400)
    assert delivery.status is None
