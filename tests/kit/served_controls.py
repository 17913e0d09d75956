"""A served world in this process, and a caller of its controls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import BaseRoute

from bot.clock import system_random
from bot.http.request_limits import with_request_limits
from bot.simulation.page.app import PageApp
from bot.simulation.page.state import PageState
from bot.simulation.served.routes import refusal, served_routes
from bot.simulation.served.served_world import ServedWorld

URL = "http://127.0.0.1:8420"


class ServedControls:
    def __init__(
        self, served: ServedWorld, page: PageState, client: httpx.AsyncClient, keys: dict[str, str]
    ) -> None:
        self.served = served
        self.page = page
        self.client = client
        self.keys = keys

    async def get(self, path: str, **query: str) -> Any:
        response = await self.client.get(f"/sim/{path}", params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, **body: Any) -> Any:
        response = await self.client.post(f"/sim/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def fails(self, path: str, **body: Any) -> str:
        """Why a POST is refused."""
        return error_of(await self.client.post(f"/sim/{path}", json=body))

    async def say(self, person: str, text: str) -> str:
        """The texts of what the person reads then, in one."""
        return _texts(await self.post("say", person=person, text=text))

    async def tap(self, person: str, option: str) -> str:
        return _texts(await self.post("say", person=person, tap=option))


def error_of(response: httpx.Response) -> str:
    assert response.status_code == 400, response.text
    body = response.json()
    assert list(body) == ["error"]
    return str(body["error"])


def _texts(answer: Any) -> str:
    return "\n".join(message["text"] for message in answer["messages"])


def world_routes(served: ServedWorld, page: PageState) -> list[BaseRoute]:
    """As ``hazina sim --serve`` has them."""
    return [*PageApp(page).routes(), *served_routes(served)]


@asynccontextmanager
async def served_controls(folder: Path, **overrides: str) -> AsyncIterator[ServedControls]:
    served = ServedWorld(folder, overrides)
    page = PageState(served, system_random())
    keys = await served.open()
    clock = asyncio.create_task(served.run())
    transport = httpx.ASGITransport(with_request_limits(world_routes(served, page), refusal))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            yield ServedControls(served, page, client, keys)
    finally:
        await page.story.stop()
        await served.end()
        await clock
        await served.close()
