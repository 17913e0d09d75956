"""The bank gets its answer once its notification is committed, and never before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from ipaddress import ip_network

import httpx
import pytest

from bot.http.bank_notifications import BODY_MAX, NotificationEndpoint, notification_route
from bot.http.request_limits import with_request_limits
from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.ncba.paybill import NotificationForm, Paybill, as_xml
from bot.simulation.ncba.prompts import PromptRegistry
from services.domain.ids import RandomSource
from services.domain.money import Money
from services.domain.payment import BankNotification, Verdict
from tests.kit.recording_handler import RecordingHandler

SECRET = "of-the-notifications_01"
URL = f"http://desk/ncba/notify/{SECRET}"


class NotificationHandler(RecordingHandler[BankNotification]):
    async def take_in(self, notification: BankNotification) -> bool:
        await self.take(notification)
        return notification.verdict is Verdict.TAKEN


class First(RandomSource):
    def __init__(self) -> None:
        self._n = 0

    def randrange(self, stop: int, /) -> int:
        self._n += 1
        return self._n % stop


@pytest.fixture
def handler() -> NotificationHandler:
    return NotificationHandler()


@pytest.fixture
def body() -> bytes:
    clock = VirtualClock()
    paybill = Paybill(clock, PromptRegistry(clock, First()), NOTIFY)
    return paybill.notify("254712345678", Money(150_000), "TU7K3QF9").body


@pytest.fixture
async def client(handler: NotificationHandler) -> AsyncIterator[httpx.AsyncClient]:
    app = with_request_limits(
        [notification_route(handler.take_in, NotificationEndpoint(SECRET, NOTIFY))]
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        yield client


async def test_json_is_answered_in_json(
    client: httpx.AsyncClient, handler: NotificationHandler, body: bytes
) -> None:
    answer = await client.post(URL, content=body)
    assert (answer.status_code, answer.json()["ResultCode"]) == (200, "0")
    assert [one.verdict for one in handler.taken] == [Verdict.TAKEN]


async def test_xml_is_answered_in_xml(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(URL, content=as_xml(body))
    assert answer.text == (
        "<NCBAPaymentNotificationResult><Result>OK</Result></NCBAPaymentNotificationResult>"
    )
    changed = as_xml(body).replace(b"1500.00", b"2500.00")
    assert "<Result>FAIL</Result>" in (await client.post(URL, content=changed)).text


async def test_what_tells_of_our_account_is_answered_in_an_envelope(
    client: httpx.AsyncClient, handler: NotificationHandler
) -> None:
    clock = VirtualClock()
    paybill = Paybill(clock, PromptRegistry(clock, First()), NOTIFY)
    payment = paybill.pay("254712345678", Money(150_000), "774451#TU7K3QF9")
    answer = await client.post(
        URL, content=paybill.notification_of(payment, NotificationForm.OF_ACCOUNT).body
    )
    assert answer.status_code == 200
    assert answer.text.startswith("<soapenv:Envelope ")
    assert "<NCBAPaymentNotificationResult><Result>OK</Result>" in answer.text
    assert [one.payment.topup for one in handler.taken if one.payment] == ["TU-7K3QF9"]


async def test_a_body_that_does_not_come_is_not_waited_for(
    client: httpx.AsyncClient, handler: NotificationHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.http.request_limits.BODY_S", 0.01)

    async def stalls() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with asyncio.timeout(5):
        answer = await client.post(URL, content=stalls())
    assert answer.status_code == 408
    assert handler.taken == []


async def test_what_is_not_accepted_is_told_so(client: httpx.AsyncClient, body: bytes) -> None:
    fields = json.loads(body) | {"TransAmount": "2500.00"}
    answer = await client.post(URL, content=json.dumps(fields))
    assert (answer.status_code, answer.json()["ResultCode"]) == (200, "1")


async def test_the_answer_waits_for_the_commit(
    client: httpx.AsyncClient, handler: NotificationHandler, body: bytes
) -> None:
    handler.free.clear()
    asking = asyncio.ensure_future(client.post(URL, content=body))
    await asyncio.sleep(0)
    assert not asking.done()
    handler.free.set()
    assert (await asking).status_code == 200


async def test_what_was_not_committed_is_to_be_sent_again(
    client: httpx.AsyncClient, handler: NotificationHandler, body: bytes
) -> None:
    handler.failures_left = 1
    assert (await client.post(URL, content=body)).status_code == 503


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "x", "%00", "é"])
async def test_who_does_not_know_the_address_finds_nothing(
    client: httpx.AsyncClient, handler: NotificationHandler, body: bytes, secret: str
) -> None:
    answer = await client.post(f"http://desk/ncba/notify/{secret}", content=body)
    assert answer.status_code == 404
    assert handler.taken == []


async def test_there_is_a_limit(client: httpx.AsyncClient, handler: NotificationHandler) -> None:
    assert (await client.post(URL, content=b"x" * BODY_MAX)).status_code == 200
    assert (await client.post(URL, content=b"x" * (BODY_MAX + 1))).status_code == 413
    assert len(handler.taken) == 1


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("::ffff:c000:207", 200),
        ("198.51.100.7", 404),
        ("::ffff:198.51.100.7", 404),
        ("::192.0.2.7", 404),
        ("a socket", 404),
    ],
)
async def test_only_the_banks_networks_may_call(
    handler: NotificationHandler, body: bytes, caller: str, status: int
) -> None:
    edge = NotificationEndpoint(SECRET, NOTIFY, [ip_network("192.0.2.0/24")])
    app = with_request_limits([notification_route(handler.take_in, edge)])
    transport = httpx.ASGITransport(app, client=(caller, 1))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.post(URL, content=body)).status_code == status
