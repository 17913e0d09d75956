"""A hop that can be read is answered with a page, whatever happens behind it (facts: USSD 2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network

import httpx
import pytest
import structlog

from bot.http.form import MEDIA_TYPE
from bot.http.request_limits import with_request_limits
from bot.http.ussd.africas_talking import AfricasTalking
from bot.http.ussd.routes import HOP_BODY_MAX, UssdEndpoint, hop_route
from services.domain.database import DatabaseFailed, DatabaseUnavailable
from services.domain.ussd import BUSY, Hop, Page
from tests.kit.ussd_requests import CODE, HOP, PHONE, SESSION, body

SECRET = "of-the-gateway_0123456789abcdefgh"
URL = f"http://desk/ussd/{SECRET}"
FORM = {"Content-Type": MEDIA_TYPE}


class Desk:
    """Answers with ``page``, or raises ``fault``."""

    def __init__(self) -> None:
        self.page = Page("Balance KES 5,000\n1 Top up\n0 Back", goes_on=True)
        self.fault: BaseException | None = None
        self.hops: list[Hop] = []

    async def answer(self, hop: Hop) -> Page:
        self.hops.append(hop)
        if self.fault is not None:
            raise self.fault
        return self.page


@pytest.fixture
def desk() -> Desk:
    return Desk()


def caller(desk: Desk, *networks: str, address: str = "192.0.2.7") -> httpx.AsyncClient:
    allowed = [ip_network(network) for network in networks]
    endpoint = UssdEndpoint(SECRET, AfricasTalking([CODE]), allowed)
    app = with_request_limits([hop_route(desk.answer, endpoint)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)))


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(desk) as client:
        yield client


async def test_a_dial_is_answered_with_its_page(client: httpx.AsyncClient, desk: Desk) -> None:
    answer = await client.post(URL, data=HOP)
    assert (answer.status_code, answer.text) == (200, "CON Balance KES 5,000\n1 Top up\n0 Back")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert desk.hops == [Hop("africas_talking", SESSION, PHONE, CODE, "63902", "")]


async def test_the_last_page_ends_the_session(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.page = Page("Check your phone", goes_on=False)
    assert (await client.post(URL, data=HOP)).text == "END Check your phone"


async def test_each_hop_is_passed_on_as_often_as_it_comes(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    first, again = [await client.post(URL, data=HOP) for _ in range(2)]
    assert first.content == again.content
    assert len(desk.hops) == 2


async def test_a_database_that_is_away_has_taken_nothing(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    desk.fault = DatabaseUnavailable("it is being reopened")
    answer = await client.post(URL, data=HOP)
    assert answer.status_code == 200
    assert answer.text == "END Service busy, nothing was taken. Dial again." == f"END {BUSY.text}"


@pytest.mark.parametrize("fault", [DatabaseFailed("a rule"), ValueError("482913"), OSError()])
async def test_a_fault_of_ours_promises_nothing(
    client: httpx.AsyncClient, desk: Desk, fault: Exception
) -> None:
    desk.fault = fault
    with structlog.testing.capture_logs() as lines:
        answer = await client.post(URL, data=HOP | {"text": "2*500*482913"})
    assert answer.status_code == 200
    assert answer.text == "END Something went wrong on our side. Dial again."
    (line,) = lines
    assert line == {
        "event": "ussd_hop_failed", "log_level": "error", "error": type(fault).__name__,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"\xff\x00",
        body(HOP, serviceCode="*999#"),
        body(HOP, phoneNumber="0700000001"),
        body(HOP) + b"&text=1",
        body(HOP, text="1" * 1_001),
    ],
    ids=["empty", "bytes", "another-code", "no-country", "twice", "too-much-typed"],
)
async def test_what_cannot_be_read_is_refused_without_a_word(
    client: httpx.AsyncClient, desk: Desk, wire: bytes
) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await client.post(URL, content=wire, headers=FORM)
    assert (answer.status_code, answer.content) == (400, b"")
    assert desk.hops == []
    (line,) = lines
    assert line == {
        "event": "ussd_hop_unreadable", "log_level": "warning", "bytes": len(wire),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        (MEDIA_TYPE, 200),
        ("application/x-www-form-urlencoded; charset=UTF-8", 200),
        ("Application/X-WWW-Form-URLEncoded", 200),
        ("application/json", 400),
        ("text/plain", 400),
        ("multipart/form-data; boundary=x", 400),
        ("", 400),
    ],
)
async def test_only_a_form_is_read(client: httpx.AsyncClient, media_type: str, status: int) -> None:
    headers = {"Content-Type": media_type}
    assert (await client.post(URL, content=body(HOP), headers=headers)).status_code == status


async def test_a_body_has_four_kilobytes_at_most(client: httpx.AsyncClient, desk: Desk) -> None:
    wire = body(HOP) + b"&other="
    longest = wire.ljust(HOP_BODY_MAX, b"x")
    assert (await client.post(URL, content=longest, headers=FORM)).status_code == 200
    assert (await client.post(URL, content=longest + b"x", headers=FORM)).status_code == 413
    assert len(desk.hops) == 1


@pytest.mark.parametrize("given", ["wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "%C3%A9"])
async def test_without_the_secret_there_is_nothing_there(
    client: httpx.AsyncClient, desk: Desk, given: str
) -> None:
    answer = await client.post(f"http://desk/ussd/{given}", data=HOP)
    assert (answer.status_code, answer.content) == (404, b"")
    assert desk.hops == []


@pytest.mark.parametrize("given", [SECRET, "wrong"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_another_method_tells_nothing_about_the_secret(
    client: httpx.AsyncClient, method: str, given: str
) -> None:
    assert (await client.request(method, f"http://desk/ussd/{given}")).status_code == 405


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("203.0.113.9", 200),
        ("198.51.100.7", 404),
        ("a socket", 404),
    ],
)
async def test_only_the_gateways_networks_may_call(desk: Desk, address: str, status: int) -> None:
    async with caller(desk, "192.0.2.0/24", "203.0.113.9/32", address=address) as client:
        assert (await client.post(URL, data=HOP)).status_code == status
    assert len(desk.hops) == (status == 200)


def test_a_secret_does_not_show_when_the_endpoint_is_printed() -> None:
    assert SECRET not in repr(UssdEndpoint(SECRET, AfricasTalking([CODE])))
