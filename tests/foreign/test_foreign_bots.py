"""Third-party clients send, press, upload and download against the simulated Telegram.

Each bot is a process of its own in .venv-foreign; the Bot API is served to it over loopback.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.clock import SystemClock
from bot.simulation.telegram.keyboards import RemoveKeyboard
from bot.simulation.telegram.server import TOKEN, Message, TelegramApi, Upload
from tests.kit.real_process import served

pytestmark = pytest.mark.foreign

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent / ".venv-foreign" / "bin" / "python"
AMINA = 77
PATIENCE_S = 60.0  # a process on a busy machine needs time to start


class Foreign:
    """The bot's process, and the people it talks to."""

    def __init__(self, api: TelegramApi, process: asyncio.subprocess.Process) -> None:
        self.api = api
        self.process = process
        self.read = 0

    async def says(self, part: str) -> Message:
        """The bot's next message."""
        async with asyncio.timeout(PATIENCE_S):
            while len(messages := self.api.chat(AMINA).from_bot) <= self.read:
                assert self.process.returncode is None, "the bot has ended"
                await asyncio.sleep(0.01)
        message = messages[self.read]
        self.read += 1
        assert part in message.text
        return message

    async def becomes(self, message: Message, text: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while message.text != text:
                assert self.process.returncode is None, "the bot has ended"
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(api: TelegramApi, script: str, intake: str) -> AsyncIterator[Foreign]:
    async with served(api.app) as base_url:
        # Ignore the machine's proxies: everything is on loopback.
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        process = await asyncio.create_subprocess_exec(
            PYTHON, HERE / script, base_url, TOKEN, intake, stdout=sys.stderr, env=env
        )
        try:
            yield Foreign(api, process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            api.close()


@pytest.mark.parametrize("intake", ["polling", "webhook"])
@pytest.mark.parametrize("script", ["aiogram_bot.py", "telebot_bot.py"])
async def test_a_foreign_bot_serves_its_people(script: str, intake: str):
    async with httpx.AsyncClient(trust_env=False) as client:

        async def post(url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
            return await client.post(url, content=body, headers=dict(headers))

        api = TelegramApi(SystemClock(), post=post, local_webhook=True)
        async with running(api, script, intake) as bot:
            api.user_types(AMINA, "/start")
            choice = await bot.says("Choose")
            api.user_taps(AMINA, choice.message_id, choice.data_of("Go on"))
            await bot.becomes(choice, "Chosen: Choose")
            assert (choice.buttons, choice.edits) == ([], ["Choose"])
            assert [answer.text for answer in api.answers] == ["Going"]

            api.user_types(AMINA, "/report")
            sent = await bot.says("Here")
            assert sent.file is not None
            assert (sent.file.name, sent.file.data[:5]) == ("report.pdf", b"%PDF ")
            await bot.says("The same")
            api.user_sends_document(AMINA, Upload("id.pdf", "application/pdf", b"x" * 70_000))
            answer = await bot.says("id.pdf of 70000 bytes")
            assert answer.reply_to is not None

            api.user_types(AMINA, "/contact")
            assert (await bot.says("Your number?")).reply_keyboard == [["Share"]]
            api.user_shares_contact(AMINA, "254712345678")
            answer = await bot.says("Yours is 254712345678")
            assert isinstance(answer.keyboard, RemoveKeyboard)

            api.user_types(AMINA, "/name")
            question = await bot.says("Your name?")
            assert question.asks_reply
            api.user_types(AMINA, "Amina", reply_to=question.message_id)
            answer = await bot.says("Karibu, Amina")
            assert answer.text == "Karibu, Amina"
            assert [entity.type for entity in answer.written.entities] == ["bold"]

            api.user_blocks(AMINA)
            api.user_unblocks(AMINA)
            await bot.says("Welcome back, User 77")
