"""A delivery report is answered 200 when it is taken, and with an error otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import httpx
import pytest
import structlog

from bot.http.request_limits import with_request_limits
from bot.http.sms_reports import BODY_MAX, FIELDS_MAX, sms_report_route
from services.domain.message import DeliveryReport
from tests.kit.recording_handler import RecordingHandler

SECRET = "of-the-report_0123456789"
URL = f"http://desk/sms/report/{SECRET}"
FIELDS = {
    "id": "ATXid_8f3a2c",
    "status": "Failed",
    "phoneNumber": "+254712345678",
    "networkCode": "63902",
    "failureReason": "UserInBlackList",
    "retryCount": "0",
}
REPORT = DeliveryReport("ATXid_8f3a2c", False, "Failed: UserInBlackList")


@pytest.fixture
def handler() -> RecordingHandler[DeliveryReport]:
    return RecordingHandler()


@pytest.fixture
async def client(handler: RecordingHandler[DeliveryReport]) -> AsyncIterator[httpx.AsyncClient]:
    app = with_request_limits([sms_report_route(handler.take, SECRET)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        yield client


async def post(
    client: httpx.AsyncClient, fields: Mapping[str, str] = FIELDS, url: str = URL
) -> int:
    response = await client.post(url, data=fields)
    return response.status_code


async def test_a_report_is_taken(
    client: httpx.AsyncClient, handler: RecordingHandler[DeliveryReport]
) -> None:
    assert await post(client) == 200
    assert handler.taken == [REPORT]


async def test_the_answer_waits_until_the_report_is_taken(
    client: httpx.AsyncClient, handler: RecordingHandler[DeliveryReport]
) -> None:
    handler.free.clear()
    answer = asyncio.create_task(post(client))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not answer.done()
    handler.free.set()
    assert await answer == 200


async def test_what_could_not_be_taken_is_said_to_be_so(
    client: httpx.AsyncClient, handler: RecordingHandler[DeliveryReport]
) -> None:
    handler.failures_left = 1
    assert await post(client) == 503
    assert await post(client) == 200
    assert handler.taken == [REPORT]


@pytest.mark.parametrize(
    "given",
    ["wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "%FF%FE", "%C3%A9", "%ED%A0%80"],
)
async def test_without_the_secret_there_is_nothing_there(
    client: httpx.AsyncClient, handler: RecordingHandler[DeliveryReport], given: str
) -> None:
    elsewhere = await client.post(f"http://desk/sms/report/{given}", data=FIELDS)
    assert (elsewhere.status_code, elsewhere.content) == (404, b"")
    assert handler.taken == []


@pytest.mark.parametrize("given", [SECRET, "wrong"])
async def test_another_method_tells_nothing_about_the_secret(
    client: httpx.AsyncClient, given: str
) -> None:
    assert (await client.get(f"http://desk/sms/report/{given}")).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"status=Success",
        b'{"id": "ATXid_1", "status": "Success"}',
        b"id=%FF&status=Success",
        b"id=ATXid_1&status=Success&note=\xff",
        urlencode({"id": "1", "status": "Success"} | {str(n): "" for n in range(31)}).encode(),
    ],
    ids=["empty", "no-id", "json", "not-utf-8", "not-ascii", "too-many-fields"],
)
async def test_what_cannot_be_read_is_answered_400(
    client: httpx.AsyncClient, handler: RecordingHandler[DeliveryReport], body: bytes
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post(URL, content=body, headers=headers)).status_code == 400
    assert handler.taken == []


async def test_as_many_fields_as_allowed_are_read(client: httpx.AsyncClient) -> None:
    more = {str(number): "" for number in range(FIELDS_MAX - len(FIELDS))}
    assert await post(client, FIELDS | more) == 200


async def test_a_body_that_is_too_long_is_not_read_to_its_end(
    client: httpx.AsyncClient, handler: RecordingHandler[DeliveryReport]
) -> None:
    chunks_read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal chunks_read
        for chunks_read in range(1, 1_000):  # noqa: B007  counted for the test
            yield b"x" * 1024

    assert (await client.post(URL, content=endless())).status_code == 413
    assert chunks_read == BODY_MAX // 1024 + 1
    assert handler.taken == []


async def test_the_longest_body_allowed_is_read(
    client: httpx.AsyncClient, handler: RecordingHandler[DeliveryReport]
) -> None:
    body = urlencode(FIELDS) + "&note="
    body = body.ljust(BODY_MAX, "x")
    assert (await client.post(URL, content=body.encode())).status_code == 200
    assert handler.taken == [REPORT]


@pytest.mark.parametrize(("fields", "failures"), [(FIELDS, 1), ({"id": "ATXid_1"}, 0)])
async def test_nothing_of_the_report_or_its_address_is_logged(
    client: httpx.AsyncClient,
    handler: RecordingHandler[DeliveryReport],
    fields: Mapping[str, str],
    failures: int,
) -> None:
    handler.failures_left = failures
    with structlog.testing.capture_logs() as lines:
        await post(client, fields)
    assert len(lines) == 1
    written = str(lines)
    for secret in (SECRET, "ATXid", "254712345678", "/sms/report"):
        assert secret not in written


@pytest.mark.parametrize("length", [16, 128])
def test_a_secret_may_have_16_to_128_characters(
    handler: RecordingHandler[DeliveryReport], length: int
) -> None:
    assert sms_report_route(handler.take, "s" * length)


@pytest.mark.parametrize(
    "secret", ["", "s" * 15, "s" * 129, "with space 0123456", "with/slash/01234", "é" * 16]
)
def test_a_secret_that_is_weak_or_cannot_stand_in_a_path_is_refused(
    handler: RecordingHandler[DeliveryReport], secret: str
) -> None:
    with pytest.raises(ValueError, match="16-128"):
        sms_report_route(handler.take, secret)
