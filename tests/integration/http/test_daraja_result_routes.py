"""M-PESA gets its answer once its message is committed, and everything that can be stored is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network

import httpx
import pytest
from pydantic import SecretStr

from bot.environment.ip_addresses import IpNetwork
from bot.http.daraja_results import BODY_MAX, DarajaEndpoint, payout_result_routes
from bot.http.request_limits import with_request_limits
from bot.http.routes import daraja_endpoint
from bot.settings import Settings
from bot.simulation.daraja.result_sender import CALLS_FROM
from tests.kit.recording_handler import RecordingHandler

SECRET = "of-the-results_0123456789abcdefgh"
RESULT, TIMEOUT = f"http://desk/daraja/result/{SECRET}", f"http://desk/daraja/timeout/{SECRET}"
BODY = b'{"Result": {"ResultCode": 0}}'


class Desk:
    def __init__(self) -> None:
        self.results = RecordingHandler[bytes]()
        self.timeouts = RecordingHandler[bytes]()

    def client(self, *networks: IpNetwork, caller: str = CALLS_FROM) -> httpx.AsyncClient:
        endpoint = DarajaEndpoint(SECRET, networks)
        routes = payout_result_routes(self.results.take, self.timeouts.take, endpoint)
        transport = httpx.ASGITransport(with_request_limits(routes), client=(caller, 443))
        return httpx.AsyncClient(transport=transport)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.client() as client:
        yield client


async def test_each_address_has_its_taker(client: httpx.AsyncClient, desk: Desk) -> None:
    for url in (RESULT, TIMEOUT):
        answer = await client.post(url, content=BODY)
        assert answer.status_code == 200
        assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
        assert answer.headers["content-type"] == "application/json"
    assert (desk.results.taken, desk.timeouts.taken) == ([BODY], [BODY])


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xfe\x00", b"[" * 9_000, b"<xml/>"])
async def test_what_cannot_be_read_is_taken_too(
    client: httpx.AsyncClient, desk: Desk, body: bytes
) -> None:
    assert (await client.post(RESULT, content=body)).status_code == 200
    assert desk.results.taken == [body]


async def test_the_address_that_a_result_repeats_is_not_handed_on(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    value = '{"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "%s"}}'
    await client.post(RESULT, content=value % TIMEOUT)
    assert desk.results.taken == [(value % "http://desk/daraja/timeout/***").encode()]


async def test_the_answer_waits_for_the_commit(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.results.free.clear()
    posting = asyncio.ensure_future(client.post(RESULT, content=BODY))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not posting.done()
    desk.results.free.set()
    assert (await posting).status_code == 200


@pytest.mark.parametrize("url", [RESULT, TIMEOUT])
async def test_what_was_not_committed_is_not_accepted(
    client: httpx.AsyncClient, desk: Desk, url: str
) -> None:
    desk.results.failures_left = desk.timeouts.failures_left = 1
    answer = await client.post(url, content=BODY)
    assert (answer.status_code, answer.content) == (503, b"")


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "x", "%00", "é", "x" * 4_000])
@pytest.mark.parametrize("kind", ["result", "timeout"])
async def test_who_does_not_know_the_address_finds_nothing(
    client: httpx.AsyncClient, desk: Desk, kind: str, secret: str
) -> None:
    answer = await client.post(f"http://desk/daraja/{kind}/{secret}", content=BODY)
    assert answer.status_code == 404
    assert desk.results.taken == desk.timeouts.taken == []


async def test_only_posts_are_taken(client: httpx.AsyncClient, desk: Desk) -> None:
    assert (await client.get(RESULT)).status_code == 405
    assert desk.results.taken == []


@pytest.mark.parametrize("url", [RESULT, TIMEOUT])
async def test_there_is_a_limit(client: httpx.AsyncClient, desk: Desk, url: str) -> None:
    assert (await client.post(url, content=b"x" * BODY_MAX)).status_code == 200
    assert (await client.post(url, content=b"x" * (BODY_MAX + 1))).status_code == 413
    assert len(desk.results.taken + desk.timeouts.taken) == 1


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("198.51.100.7", 404),
        ("::192.0.2.7", 404),
        ("a socket", 404),
    ],
)
async def test_only_safaricoms_networks_may_post(desk: Desk, caller: str, status: int) -> None:
    async with desk.client(ip_network("192.0.2.0/24"), caller=caller) as client:
        assert (await client.post(RESULT, content=BODY)).status_code == status


async def test_the_settings_let_in_safaricoms_addresses_alone(desk: Desk) -> None:
    endpoint = daraja_endpoint(Settings(daraja_callback_secret=SecretStr(SECRET)))
    assert endpoint is not None
    assert SECRET not in repr(endpoint)
    for caller, status in ((CALLS_FROM, 200), ("196.201.214.201", 404), ("127.0.0.1", 404)):
        async with desk.client(*endpoint.networks, caller=caller) as client:
            assert (await client.post(RESULT, content=BODY)).status_code == status


def test_without_the_secret_there_is_no_endpoint() -> None:
    assert daraja_endpoint(Settings()) is None
