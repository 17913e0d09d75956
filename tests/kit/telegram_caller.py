"""Calls the simulated Bot API as any HTTP client would, and keeps the status and body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bot.simulation.telegram.server import TOKEN, TelegramApi

AMINA = 77


class Caller:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def __call__(self, method: str, token: str = TOKEN, **fields: Any) -> dict[str, Any]:
        return await self.post(method, token, json=fields)

    async def post(self, method: str, token: str = TOKEN, **request: Any) -> dict[str, Any]:
        response = await self.client.post(f"http://t/bot{token}/{method}", **request)
        body: dict[str, Any] = response.json()
        assert body["ok"] == (response.status_code == 200)
        assert body.get("error_code", 200) == response.status_code
        return body

    async def done(self, method: str, **fields: Any) -> Any:
        body = await self(method, **fields)
        assert body["ok"], body
        return body["result"]

    async def refused(self, method: str, **fields: Any) -> str:
        body = await self(method, **fields)
        assert not body["ok"], body
        return str(body["description"])

    async def sent(self, **fields: Any) -> dict[str, Any]:
        """Call ``sendMessage`` for Amina's chat."""
        message: dict[str, Any] = await self.done("sendMessage", chat_id=AMINA, **fields)
        return message

    async def updates(self, **fields: Any) -> list[int]:
        return [update["update_id"] for update in await self.done("getUpdates", **fields)]


@asynccontextmanager
async def calling(api: TelegramApi) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(transport=api.transport()) as client:
        yield Caller(client)
