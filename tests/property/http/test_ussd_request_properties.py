"""Whatever a stranger sends to USSD's endpoint is answered, and what a gateway sends is read."""

from __future__ import annotations

import asyncio
from urllib.parse import quote_plus

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from bot.http.form import MEDIA_TYPE
from bot.http.request_limits import with_request_limits
from bot.http.ussd.africas_talking import TEXT_MAX, AfricasTalking
from bot.http.ussd.routes import EVENT_BODY_MAX, HOP_BODY_MAX, UssdEndpoint, event_route, hop_route
from services.domain.ussd import Hop, Page, UssdEvent
from tests.kit.ussd_requests import CODE, EVENT, HOP, body

SECRET = "of-the-gateway_0123456789abcdefgh"
GATEWAY = AfricasTalking([CODE, "*384*7*20#"])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=TEXT_MAX)
phones = st.from_regex(r"254[17][0-9]{8}", fullmatch=True)
tails = st.lists(st.from_regex(r"[0-9]{1,4}", fullmatch=True), max_size=5)
sessions = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128)

names = st.sampled_from([*HOP, *EVENT, "other"])
values = st.one_of(st.text(max_size=30), st.sampled_from([*HOP.values(), *EVENT.values()]))
forms = st.lists(st.tuples(names, values), max_size=14).map(
    lambda pairs: "&".join(
        f"{name}={quote_plus(value, errors='replace')}" for name, value in pairs
    ).encode()
)
wires = st.one_of(st.binary(max_size=300), forms)


class Posted:
    """What the endpoint answered, and what it passed on."""

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.events: list[UssdEvent] = []
        endpoint = UssdEndpoint(SECRET, GATEWAY)
        self._app = with_request_limits(
            [hop_route(self._answer, endpoint), event_route(self._record, endpoint)]
        )

    def status(self, path: str, wire: bytes) -> int:
        return asyncio.run(self._post(path, wire))

    async def _answer(self, hop: Hop) -> Page:
        self.hops.append(hop)
        return Page("1 Top up", goes_on=True)

    async def _record(self, event: UssdEvent) -> None:
        self.events.append(event)

    async def _post(self, path: str, wire: bytes) -> int:
        transport = httpx.ASGITransport(self._app)  # raises whatever the endpoint raises
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            headers = {"Content-Type": MEDIA_TYPE}
            answer = await client.post(f"/ussd/{SECRET}{path}", content=wire, headers=headers)
            return answer.status_code


@given(wire=wires)
@example(wire=body(HOP))
@example(wire=b"x" * (HOP_BODY_MAX + 1))
def test_any_bytes_are_answered_as_a_hop(wire: bytes) -> None:
    posted = Posted()
    status = posted.status("", wire)
    expected = 413 if len(wire) > HOP_BODY_MAX else 200 if posted.hops else 400
    assert status == expected


@given(wire=wires)
@example(wire=body(EVENT))
@example(wire=b"x" * (EVENT_BODY_MAX + 1))
def test_any_bytes_are_answered_as_an_event(wire: bytes) -> None:
    posted = Posted()
    status = posted.status("/events", wire)
    expected = 413 if len(wire) > EVENT_BODY_MAX else 200 if posted.events else 400
    assert status == expected


@given(text=texts, phone=phones, session=sessions)
def test_what_is_sent_is_what_is_read(text: str, phone: str, session: str) -> None:
    hop = GATEWAY.parse(body(HOP, text=text, phoneNumber=f"+{phone}", sessionId=session))
    assert hop == Hop("africas_talking", session, phone, CODE, "63902", text)


@given(tail=tails, answers=st.lists(st.from_regex(r"[0-9]{1,5}", fullmatch=True), max_size=5))
def test_a_tail_reads_the_same_in_either_place(tail: list[str], answers: list[str]) -> None:
    dialled = "*".join(["*384*7", *tail]) + "#"
    in_the_code = body(HOP, serviceCode=dialled, text="*".join(answers))
    hop = GATEWAY.parse(in_the_code)
    assert hop is not None
    typed = [] if hop.code == CODE else ["20"]
    assert [*typed, *filter(None, hop.text.split("*"))] == [*tail, *answers]
    assert GATEWAY.parse(body(HOP, serviceCode=hop.code, text=hop.text)) == hop


@given(
    message=st.text(max_size=300), secret=st.from_regex(r"[A-Za-z0-9_-]{32,128}", fullmatch=True)
)
def test_no_error_keeps_a_pin_or_where_we_are_called(message: str, secret: str) -> None:
    said = f"{message}/ussd/{secret} got 1*500*4829"
    event = GATEWAY.read_event(body(EVENT, errorMessage=said.encode(errors="replace").decode()))
    assert event is not None
    assert secret not in str(event.error)
    assert "4829" not in str(event.error)
