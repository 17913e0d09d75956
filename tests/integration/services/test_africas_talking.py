"""SMS through the real gateway to a strict double of Africa's Talking (facts: channels)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.clock import SystemClock
from services.domain.message import MessageAnswer, NotTaken, Taken, Unsure
from services.domain.phone import Phone
from services.gateways.http_exchange import BODY_BYTES_MAX
from services.gateways.sms.africas_talking import AfricasTalkingCredentials, AfricasTalkingSms
from services.ports import Sms

PHONE = "254712345678"
TEXT = "Malipo yamefika: KES 1,500 & ref TU-7K3QF9. Asante — Hazina"
MESSAGE_ID = "ATXid_8f3a2c"
KEY = "atsk_0123456789"
CREDENTIALS = AfricasTalkingCredentials(
    "hazina", KEY, sender_id="HAZINA", base_url="http://sms.test/", user_agent="Hazina/9"
)
EXPECTED_HEADERS = {
    "apikey": KEY,
    "accept": "application/json",
    "user-agent": "Hazina/9",
    "content-type": "application/x-www-form-urlencoded",
}


def recipient(code: int | str = 101, message_id: str | None = MESSAGE_ID) -> dict[str, object]:
    return {
        "statusCode": code,
        "number": f"+{PHONE}",
        "status": "Success",
        "cost": "KES 0.8000",
        "messageId": message_id,
    }


def answer(*recipients: dict[str, object]) -> bytes:
    data = {"Message": f"Sent to 1/1 of +{PHONE}", "Recipients": recipients}
    return json.dumps({"SMSMessageData": data}).encode()


@dataclass
class AfricasTalkingDouble:
    """Accepts exactly what the facts describe; anything else fails the test that sent it."""

    status: int = 201
    body: bytes = field(default_factory=lambda: answer(recipient()))
    silent: bool = False
    forms: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        assert (request.method, request.url.path) == ("POST", "/version1/messaging")
        assert request.url.query == ""
        got = {name: request.headers.get(name) for name in EXPECTED_HEADERS}
        assert got == EXPECTED_HEADERS
        pairs = parse_qsl(
            (await request.body()).decode("ascii"), keep_blank_values=True, strict_parsing=True
        )
        form = dict(pairs)
        assert len(form) == len(pairs)
        assert form.keys() - {"from"} == {"username", "to", "message", "enqueue"}
        self.forms.append(form)
        if self.silent:
            await asyncio.Event().wait()
        await Response(self.body, self.status)(scope, receive, send)


@dataclass
class SmsSetup:
    double: AfricasTalkingDouble
    client: httpx.AsyncClient

    async def send(
        self, text: str = TEXT, credentials: AfricasTalkingCredentials = CREDENTIALS
    ) -> MessageAnswer:
        gateway: Sms = AfricasTalkingSms(self.client, SystemClock(), credentials)
        return await gateway.send(Phone(PHONE), text)


@pytest.fixture
async def sms_setup() -> AsyncIterator[SmsSetup]:
    double = AfricasTalkingDouble()
    transport = httpx.ASGITransport(double)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        yield SmsSetup(double, client)


async def sent_over(handler: Callable[[httpx.Request], httpx.Response]) -> MessageAnswer:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        gateway = AfricasTalkingSms(client, SystemClock(), CREDENTIALS)
        return await gateway.send(Phone(PHONE), TEXT)


# --- What is sent -------------------------------------------------------------------------------


async def test_a_message_is_posted_as_the_facts_describe(sms_setup: SmsSetup) -> None:
    await sms_setup.send()
    assert sms_setup.double.forms == [
        {
            "username": "hazina",
            "to": f"+{PHONE}",
            "message": TEXT,
            "enqueue": "1",
            "from": "HAZINA",
        }
    ]


@pytest.mark.parametrize("sender_id", [None, ""])
async def test_without_a_sender_id_the_carrier_puts_its_own(
    sms_setup: SmsSetup, sender_id: str | None
) -> None:
    await sms_setup.send(credentials=replace(CREDENTIALS, sender_id=sender_id))
    assert "from" not in sms_setup.double.forms[0]


def test_the_carrier_is_the_live_one_unless_told_otherwise() -> None:
    live = AfricasTalkingCredentials("hazina", KEY)
    assert live.base_url == "https://api.africastalking.com"


async def test_a_text_that_cannot_be_encoded_is_never_sent(sms_setup: SmsSetup) -> None:
    assert await sms_setup.send("a\ud800b") == NotTaken("the text cannot be encoded", final=True)
    assert sms_setup.double.forms == []


# --- Taken --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [100, 101, 102, "101"])
async def test_processed_sent_and_queued_are_taken(sms_setup: SmsSetup, code: int | str) -> None:
    sms_setup.double.body = answer(recipient(code))
    assert await sms_setup.send() == Taken(MESSAGE_ID)


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_2xx_is_read_by_its_recipients(sms_setup: SmsSetup, status: int) -> None:
    sms_setup.double.status = status
    assert await sms_setup.send() == Taken(MESSAGE_ID)


# --- Not taken ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "final"),
    [
        (401, True),
        (402, True),
        (403, True),
        (404, True),
        (405, False),
        (406, True),
        (407, True),
        (409, True),
        (500, False),
        (501, False),
        (502, True),
    ],
)
async def test_a_refused_recipient_is_not_taken(
    sms_setup: SmsSetup, code: int, final: bool
) -> None:
    sms_setup.double.body = answer(recipient(code, "None"))
    refused = await sms_setup.send()
    assert isinstance(refused, NotTaken)
    assert refused.final is final
    assert refused.why.startswith(f"{code}: ")


@pytest.mark.parametrize(
    ("status", "final"),
    [(400, True), (401, False), (403, False), (404, False), (422, True), (429, False)],
)
async def test_a_4xx_is_not_taken_and_final_unless_it_is_about_us(
    sms_setup: SmsSetup, status: int, final: bool
) -> None:
    sms_setup.double.status = status
    assert await sms_setup.send() == NotTaken(f"HTTP {status}", final)


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol],
)
async def test_what_failed_before_the_bytes_left_may_be_tried_again(
    error: type[httpx.HTTPError],
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("no")

    assert await sent_over(fail) == NotTaken(f"{error.__name__}: no", final=False)


# --- Unsure -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [302, 307, 408, 500, 502, 503, 504])
async def test_a_status_that_says_nothing_clear_is_unsure(sms_setup: SmsSetup, status: int) -> None:
    sms_setup.double.status = status
    assert await sms_setup.send() == Unsure(f"HTTP {status}")
    assert len(sms_setup.double.forms) == 1


@pytest.mark.parametrize("code", [0, 103, 200, 400, 408, 503, -1])
async def test_an_unknown_code_is_unsure(sms_setup: SmsSetup, code: int) -> None:
    sms_setup.double.body = answer(recipient(code))
    assert await sms_setup.send() == Unsure(f"{code}: not a known code")


@pytest.mark.parametrize("message_id", [None, "", "None", "two words", "x" * 129])
async def test_taken_without_a_message_id_is_unsure(
    sms_setup: SmsSetup, message_id: str | None
) -> None:
    sms_setup.double.body = answer(recipient(101, message_id))
    assert await sms_setup.send() == Unsure("101: taken without a message id")


@pytest.mark.parametrize("recipients", [[], [recipient(), recipient()]])
async def test_not_exactly_one_recipient_is_unsure(
    sms_setup: SmsSetup, recipients: list[dict[str, object]]
) -> None:
    sms_setup.double.body = answer(*recipients)
    assert isinstance(await sms_setup.send(), Unsure)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"SMSMessageData": null}',
        b'{"SMSMessageData": {"Message": "InvalidSenderId"}}',
        b'{"SMSMessageData": {"Recipients": [{"messageId": "ATXid_1"}]}}',
        answer(recipient("soon")),
        b" " * BODY_BYTES_MAX + answer(recipient()),
        answer(recipient())[:-1],
    ],
    ids=range(11),
)
async def test_a_2xx_of_another_shape_is_unsure(sms_setup: SmsSetup, body: bytes) -> None:
    sms_setup.double.body = body
    assert isinstance(await sms_setup.send(), Unsure)


async def test_no_answer_in_time_is_unsure(sms_setup: SmsSetup) -> None:
    sms_setup.double.silent = True
    unanswered = await sms_setup.send(credentials=replace(CREDENTIALS, call_s=0.05))
    assert unanswered == Unsure("no answer within 0.05 s")
    assert len(sms_setup.double.forms) == 1


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError])
async def test_a_connection_lost_on_the_way_is_unsure(error: type[httpx.HTTPError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("no")

    assert await sent_over(fail) == Unsure(error.__name__)


# --- Logs, secrets and settings -----------------------------------------------------------------


@pytest.mark.parametrize("code", [101, 406, 999])
async def test_a_message_is_one_line_without_its_text_key_and_number(
    sms_setup: SmsSetup, code: int
) -> None:
    sms_setup.double.body = answer(recipient(code))
    with structlog.testing.capture_logs() as lines:
        await sms_setup.send()
    assert [(line["event"], line["phone"]) for line in lines] == [("sms", "2547*****678")]
    written = str(lines)
    for secret in (PHONE, TEXT, KEY):
        assert secret not in written


def test_the_key_is_in_no_repr() -> None:
    assert KEY not in repr(CREDENTIALS)


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "sms.test"},
        {"base_url": "ftp://sms.test"},
        {"username": ""},
        {"api_key": ""},
        {"api_key": "two words"},
        {"api_key": "a\nb"},
        {"api_key": "ключ"},
    ],
)
def test_credentials_that_cannot_work_are_refused_at_the_start(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"not an http|is needed|printable") as refused:
        replace(CREDENTIALS, **change)  # type: ignore[arg-type]
    assert "two words" not in str(refused.value)
