"""How long to wait between attempts until Telegram answers."""

import asyncio

import httpx
import pytest
from telegram.error import NetworkError, RetryAfter, TelegramError

from bot.channels.telegram import connect
from bot.channels.telegram.client import open_bot
from bot.simulation.telegram.api_objects import BOT
from bot.simulation.telegram.server import TOKEN

# PTB warns about its own attribute when it builds the error; ``open_bot`` silences that.
pytestmark = pytest.mark.filterwarnings("ignore:.*attribute `retry_after`")


class Call:
    """Raises the given errors in turn, then succeeds."""

    def __init__(self, *errors: TelegramError) -> None:
        self._errors = list(errors)

    async def __call__(self) -> None:
        if self._errors:
            raise self._errors.pop(0)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The length of each wait in seconds; none of them takes any real time."""
    waits: list[float] = []

    def timeout(seconds: float) -> object:
        waits.append(seconds)
        return real(0)

    real = asyncio.timeout
    monkeypatch.setattr("bot.channels.telegram.connect.asyncio.timeout", timeout)
    return waits


async def test_no_answer_is_waited_for_longer_each_time(waits: list[float]) -> None:
    call = Call(*(NetworkError("no route") for _ in range(6)))
    assert await connect.retry_until_answered(call, asyncio.Event())
    assert waits == [1, 2, 5, 10, 30, 30]


async def test_telegrams_own_retry_after_is_kept(waits: list[float]) -> None:
    assert await connect.retry_until_answered(
        Call(RetryAfter(73), NetworkError("")), asyncio.Event()
    )
    assert waits == [73, 2]


async def test_retry_after_is_kept_where_the_bot_is_asked_for_its_name(
    waits: list[float],
) -> None:
    answers = [
        httpx.Response(429, json={"ok": False, "parameters": {"retry_after": 73}}),
        httpx.Response(200, json={"ok": True, "result": BOT}),
        httpx.Response(200, json={"ok": True, "result": BOT}),
    ]
    bot = open_bot(TOKEN, transport=httpx.MockTransport(lambda _: answers.pop(0)))
    assert await connect.retry_until_answered(lambda: connect._initialize(bot), asyncio.Event())
    assert waits == [73]
