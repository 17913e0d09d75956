"""One try: what is sent, and what each answer means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.simulation.clock import VirtualClock
from services.domain.webhook import Gone, NotTaken, Taken
from services.gateways.webhooks.sender import WebhookSender
from tests.integration.services.webhooks.conftest import Desk
from tests.kit.receiver import NAME, Network, response
from tests.kit.virtual_time import run


async def test_the_name_stays_in_host_and_certificate(desk: Desk) -> None:
    assert await desk.post() == Taken(200)
    head, _, body = desk.receiver.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /in HTTP/1.1"
    assert f"host: {NAME}" in lines
    assert "webhook-id: ev_DUKA_1" in lines
    assert body == b'{"a":1}'


async def test_another_port_stands_in_host(desk: Desk) -> None:
    assert await desk.post(f"https://{NAME}:8443/in?a=b") == Taken(200)
    assert f"host: {NAME}:8443\r\n".encode() in desk.receiver.requests[0]
    assert desk.receiver.requests[0].startswith(b"POST /in?a=b HTTP/1.1\r\n")


async def test_a_certificate_of_another_name_is_refused(desk: Desk) -> None:
    answer = await desk.post("https://other.duka.co.ke/")
    assert answer == NotTaken(None, "its certificate is not valid")
    assert desk.receiver.requests == []


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_2xx_is_taken(desk: Desk, status: int) -> None:
    desk.receiver.answers = [response(status)]
    assert await desk.post() == Taken(status)


async def test_410_is_gone(desk: Desk) -> None:
    desk.receiver.answers = [response(410)]
    assert await desk.post() == Gone()


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("retry-after: 120", timedelta(seconds=120)),
        ("retry-after: 99999999999999999999", timedelta(seconds=999_999_999)),
        ("retry-after: -5", None),
        ("retry-after: soon", None),
        ("x-other: 1", None),
    ],
)
async def test_a_busy_receiver_says_when(desk: Desk, header: str, asked: timedelta | None) -> None:
    desk.receiver.answers = [response(429, header)]
    assert await desk.post() == NotTaken(429, "HTTP 429", asked)


async def test_a_busy_receiver_may_say_a_date(desk: Desk) -> None:
    at = datetime.now(UTC) + timedelta(minutes=10)
    desk.receiver.answers = [response(503, f"retry-after: {format_datetime(at, usegmt=True)}")]
    answer = await desk.post()
    assert isinstance(answer, NotTaken)
    assert answer.retry_after is not None
    assert timedelta(minutes=9) < answer.retry_after <= timedelta(minutes=10)


async def test_an_endless_answer_is_not_read(desk: Desk) -> None:
    desk.receiver.answers = [response(200, body=b"x" * 10_000_000)]
    assert await desk.post() == Taken(200)


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200"])
async def test_what_is_no_answer_breaks_off(desk: Desk, answer: bytes) -> None:
    desk.receiver.answers = [answer]
    assert await desk.post() == NotTaken(None, "the connection broke off")


async def test_a_name_without_an_address(desk: Desk) -> None:
    desk.resolves([])
    assert await desk.post() == NotTaken(None, "the name has no address")


async def test_nothing_listens(desk: Desk) -> None:
    desk.network = Network(desk.receiver, broken=["198.41.0.4"])
    assert await desk.post() == NotTaken(None, "no connection")


async def test_a_look_up_that_takes_too_long_ends_with_the_call(desk: Desk) -> None:
    async def never(host: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    clock = VirtualClock()
    sender = WebhookSender(clock, desk.tls, resolve=never)
    answer = await run(clock, sender.post(f"https://{NAME}/in", {}, b"{}"))
    assert answer == NotTaken(None, "no answer within 20 s")
