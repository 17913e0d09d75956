"""What the log keeps quiet about, and how a line looks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog

from bot import log
from bot.channel import Content
from bot.simulator.clock import VirtualClock
from bot.simulator.telegram_api import BASE_URL, TOKEN, TelegramApi
from bot.telegram.client import open_bot
from bot.telegram.sender import TelegramChannel

QUIET = ("httpx", "httpcore", "telegram", "aiosqlite", "apscheduler")
AMINA = 77


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", *QUIET)]
    levels = [(logger, logger.level) for logger in loggers]
    handlers = list(logging.getLogger().handlers)
    yield
    for logger, level in levels:
        logger.setLevel(level)
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


@pytest.mark.parametrize("name", [*QUIET, "telegram.Bot", "telegram.ext", "httpcore.connection"])
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
        await TelegramChannel(bot).send(str(AMINA), Content("Received KES 1,500"))
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
