"""The seam fits a gateway that is unlike the first: XML, and the newest answer alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from xml.sax.saxutils import escape

import httpx
import pytest

from bot.http.request_limits import with_request_limits
from bot.http.ussd.gateway import Gateway
from bot.http.ussd.routes import UssdEndpoint, event_route, hop_route
from services.domain.ussd import Hop, Page, UssdEvent
from tests.kit.recording_handler import RecordingHandler
from tests.kit.truroute_gateway import TruRoute

SECRET = "of-the-second-gateway_0123456789"
URL = f"http://desk/ussd/{SECRET}"
CODE = "*384*7#"
PHONE = "254700000001"
GATEWAY: Gateway = TruRoute(CODE)


def request(kind: str, message: str, *, phone: str = PHONE, session: str = "8841") -> bytes:
    return (
        f"<ussd><msisdn>{phone}</msisdn><sessionid>{session}</sessionid>"
        f"<type>{kind}</type><msg>{escape(message)}</msg></ussd>"
    ).encode()


def hop(text: str) -> Hop:
    return Hop("truroute", "8841", PHONE, CODE, "", text, newest_only=True)


class Desk:
    """Answers each hop with the next page."""

    def __init__(self) -> None:
        self.pages = [Page("1 Top up & go\n0 Back", goes_on=True), Page("Done", goes_on=False)]
        self.hops: list[Hop] = []

    async def answer(self, hop: Hop) -> Page:
        self.hops.append(hop)
        return self.pages[len(self.hops) - 1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    endpoint = UssdEndpoint(SECRET, GATEWAY)
    events: RecordingHandler[UssdEvent] = RecordingHandler()
    app = with_request_limits(
        [hop_route(desk.answer, endpoint), event_route(events.take, endpoint)]
    )
    headers = {"Content-Type": "text/xml"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        yield client


async def test_a_session_goes_on_and_ends_in_its_own_format(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    first = await client.post(URL, content=request("1", "*384*7#"))
    second = await client.post(URL, content=request("2", "1"))
    assert desk.hops == [hop(""), hop("1")]
    assert first.headers["content-type"].startswith("text/xml")
    assert first.text == (
        "<ussd><type>2</type><msg>1 Top up &amp; go\n0 Back</msg>"
        "<premium><cost>0</cost><ref>NULL</ref></premium></ussd>"
    )
    assert "<type>3</type><msg>Done</msg>" in second.text


async def test_each_gateway_takes_its_own_kind_of_request_only(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post(URL, content=request("1", "0"), headers=form)
    assert (answer.status_code, desk.hops) == (400, [])


async def test_what_a_gateway_never_says_cannot_be_read(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"{URL}/events", content=request("3", ""))).status_code == 400


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"<ussd>",
        b"<other/>",
        request("3", ""),
        request("4", ""),
        request("1", "0", phone="+254700000001"),
        request("1", "0", session=""),
        request("1", "0").replace(b"</ussd>", b"<msg>1</msg></ussd>"),
        b'<!DOCTYPE ussd [<!ENTITY x "1">]>' + request("2", "1").replace(b">1<", b">&x;<"),
        request("1", "0").decode().encode("utf-16"),
    ],
    ids=[
        "empty", "torn", "other", "left", "timed-out", "plus", "no-session", "twice", "doctype",
        "utf-16",
    ],
)  # fmt: skip
def test_what_is_no_hop_of_it_is_refused(wire: bytes) -> None:
    assert GATEWAY.parse(wire) is None
