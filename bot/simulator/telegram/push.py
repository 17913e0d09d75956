"""The webhook: updates posted one by one, each until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from pydantic_core import to_json

from bot.simulator.telegram.updates import Updates
from services.ports import Clock

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
PAUSE_FIRST_S, PAUSE_MAX_S = 1.0, 60.0

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""Address, body, headers; returns the status. Whatever it raises is no delivery."""


class Push:
    """One update at a time, in order. Telegram has a queue a chat, so there a refused update
    holds up only its own chat; here it holds up all, which no caller may rely on."""

    def __init__(self, updates: Updates, post: Post, clock: Clock) -> None:
        self._updates = updates
        self._post = post
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        return self._task is not None

    def start(self, url: str, secret: str | None) -> None:
        self.stop()
        headers = {"content-type": "application/json"}
        if secret is not None:
            headers[SECRET_HEADER] = secret
        self._task = asyncio.create_task(self._run(url, headers))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, url: str, headers: Mapping[str, str]) -> None:
        pause_s = PAUSE_FIRST_S
        while True:
            update = self._updates.first
            if update is None:
                self._updates.arrived.clear()
                await self._updates.arrived.wait()
            elif await self._is_taken(url, to_json(update), headers):
                self._updates.drop(update["update_id"])
                pause_s = PAUSE_FIRST_S
            else:
                await self._clock.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_MAX_S)

    async def _is_taken(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            status = await self._post(url, body, headers)
        except Exception:  # noqa: BLE001  however it failed, nobody took it
            return False
        return 200 <= status <= 299
