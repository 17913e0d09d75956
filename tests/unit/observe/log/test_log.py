"""The log is configured once, in the requested format, and contains no secrets."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
import structlog

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.sender import TelegramChannel
from bot.observe import log
from bot.observe.redaction import Redactor
from bot.outbox.channel import MessageContent
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi
from tests.kit.log_lines import INVITE, QUIET

AMINA = 77


@pytest.mark.parametrize(
    "name", [*QUIET, "telegram.Bot", "telegram.ext", "httpcore.connection", "fontTools.subset"]
)
@pytest.mark.parametrize("level", ["debug", "info", "warning"])
def test_libraries_that_print_tokens_or_words_are_quiet(name: str, level: str) -> None:
    log.configure(level)
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)


async def test_a_token_in_an_address_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    log.configure("debug")
    caplog.set_level(logging.DEBUG)
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(f"https://api.telegram.org/bot{TOKEN}/getMe")
    assert caplog.text == ""


async def test_neither_words_nor_token_of_a_message_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log.configure("debug")
    caplog.set_level(logging.DEBUG)
    api = TelegramApi(VirtualClock())
    api.open_chat(AMINA)
    async with open_bot(TOKEN, base_url=BASE_URL, transport=api.transport()) as bot:
        await TelegramChannel(bot).send(str(AMINA), MessageContent("Received KES 1,500"))
    assert len(api.chat(AMINA).from_bot) == 1
    assert TOKEN not in caplog.text
    assert "Received" not in caplog.text


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("warning")
    structlog.get_logger("x").info("settled")
    structlog.get_logger("x").warning("unknown")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == [
        "unknown"
    ]


def test_a_line_for_machines_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    try:
        raise ZeroDivisionError("why")
    except ZeroDivisionError:
        structlog.get_logger("x").exception("turn failed", reference="F-222222")
    (line,) = capsys.readouterr().err.splitlines()
    written = json.loads(line)
    assert (written["event"], written["level"], written["reference"]) == (
        "turn failed",
        "error",
        "F-222222",
    )
    assert written["timestamp"].endswith("Z")
    assert "ZeroDivisionError: why" in written["exception"]


# Masks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phone",
    [
        "254712345678",
        "+254712345678",
        "0712345678",
        "0712 345 678",
        "0712-345-678",
        "+254 712 345 678",
        "254 7 12 34 56 78",
    ],
)
@pytest.mark.parametrize("around", ["{}", "paid by {}, at last", "tel={}&x", "'{}'", "of{}to"])
def test_a_phone_is_masked_however_it_is_written(phone: str, around: str) -> None:
    assert Redactor().text(around.format(phone)) == around.format("2547*****678")


def test_a_phone_of_the_newer_range_is_masked() -> None:
    assert Redactor().text("0112345678") == "2541*****678"


@pytest.mark.parametrize(
    "text",
    [
        "2547*****678",
        "774451#TU-7K3QF9",
        "2026-07-10T12:30:45.123Z",
        "KES 1,500.00 of 250,000",
        "25471234567890",
        "the chat 700000001",
        "ncba token",
        "FL-234567 SUCCEEDED",
        "bot/channels/telegram/adapter.py",
        "a code of something else was typed",
        "HTTP 500: no answer in 60 s",
        "test_that_has_a_name_of_more_than_forty_three_letters",
    ],
)
def test_what_is_neither_phone_nor_secret_stays(text: str) -> None:
    assert Redactor(["some-secret"]).text(text) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"POST https://api.telegram.org/bot{TOKEN}/getMe", TOKEN),
        ("https://api.telegram.org/bot123:ab/getMe", "123:ab"),
        ("https://api.telegram.org/bot123%3Aab/getMe", "123%3Aab"),
        (f"the token {TOKEN} is not good", TOKEN),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("{'authorization': 'Basic aGF6aW5hOng='}", "aGF6aW5hOng="),
        ("{'apiKey': 'atsk_1234'}", "atsk_1234"),
        ("Ocp-Apim-Subscription-Key: 8f2c", "8f2c"),
        ("login?user=hazina&password=hunter22&x=1", "hunter22"),
        ('{"access_token": "xyz789"}', "xyz789"),
        (f"https://t.me/hazina_bot?start={INVITE}", INVITE),
        (f"/start {INVITE}", INVITE),
        (f"1:{INVITE}=", INVITE),
        ("Code 123456. Valid 10 min.", "123456"),
        ("your code is 123 456", "123 456"),
        ("123456 is your Hazina code", "123456"),
        ("Otp(code='123456')", "123456"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    assert secret not in Redactor().text(text)


@pytest.mark.parametrize(
    "key",
    [
        "code",
        "token",
        "bot_token",
        "password",
        "secret",
        "authorization",
        "Authorization",
        "api_key",
        "apiKey",
        "subscription_key",
        "Ocp-Apim-Subscription-Key",
        "otp",
    ],
)
@pytest.mark.parametrize("value", ["x y", 123456, b"x y", ["x y"], {"x": "x y"}])
def test_what_a_key_calls_a_secret_is_left_out(key: str, value: object) -> None:
    assert Redactor()(None, "info", {key: value}) == {key: "***"}
    assert Redactor()(None, "info", {"of": [{key: value}]}) == {"of": [{key: "***"}]}


def test_a_secret_of_this_run_is_masked_whatever_it_looks_like() -> None:
    masks = Redactor(["hunter2+2", "hunter2"])
    assert masks.text("hunter2+2 hunter2 hunter2%2B2") == "*** *** ***"


@pytest.mark.parametrize(
    "value",
    [
        254712345678,
        ["0712345678"],
        ("0712345678",),
        {"0712345678"},
        {"0712345678": 1},
        {"of": {"of": ["0712345678"]}},
        b"0712345678",
        ValueError("0712345678"),
        [[[[[[[[[[[["0712345678"]]]]]]]]]]]],
    ],
)
def test_a_phone_is_masked_in_every_kind_of_value(value: object) -> None:
    written = str(Redactor()(None, "info", {"value": value}))
    assert "712345678" not in written
    assert "2547*****678" in written


def test_values_that_hold_no_words_stay_as_they_are() -> None:
    facts = {"ms": 1.5, "count": 254, "ok": True, "at": None, "code": None}
    assert Redactor()(None, "info", dict(facts)) == facts
