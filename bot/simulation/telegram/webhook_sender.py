"""Webhook deliveries: each queue sends one update at a time until it is accepted or expires."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import httpx
from pydantic_core import to_json

from bot.simulation.telegram.updates import QueuedUpdate, Updates
from bot.simulation.telegram.webhook import Webhook
from services.ports import Clock

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
PAUSE_MAX_S = 60.0  # Telegram draws it from here to twice as much
RETRY_AFTER_MAX_S = 3600

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Awaitable[int | httpx.Response]]
"""Address, body, headers; returns the status, or the whole answer if its ``Retry-After`` is to
count. Whatever it raises is no delivery."""


class WebhookSender:
    """A refused update holds up its own queue only, so a person's text and taps can arrive out of
    order (facts: channels, Telegram).
    """

    def __init__(self, updates: Updates, post: Post, clock: Clock) -> None:
        self._updates = updates
        self._post = post
        self._clock = clock
        self._watching: asyncio.Task[None] | None = None
        self._queue_tasks: dict[str, asyncio.Task[None]] = {}
        self.webhook: Webhook | None = None

    def start(self, webhook: Webhook) -> None:
        self.stop()
        self.webhook = webhook
        self._watching = asyncio.create_task(self._watch(webhook))

    def stop(self) -> None:
        self.webhook = None
        if self._watching is not None:
            self._watching.cancel()
        for lane in self._queue_tasks.values():
            lane.cancel()
        self._watching, self._queue_tasks = None, {}

    async def _watch(self, webhook: Webhook) -> None:
        lines = asyncio.Semaphore(webhook.max_connections)
        while True:
            for waiting in self._updates.waiting:
                if waiting.queue not in self._queue_tasks:
                    lane = asyncio.create_task(self._deliver(webhook, lines, waiting.queue))
                    self._queue_tasks[waiting.queue] = lane
            self._updates.arrived.clear()
            await self._updates.arrived.wait()

    async def _deliver(self, webhook: Webhook, lines: asyncio.Semaphore, queue: str) -> None:
        while (waiting := self._updates.next_in(queue)) is not None:
            await self._until_taken(webhook, lines, waiting)
            self._updates.drop(waiting)
        del self._queue_tasks[queue]

    async def _until_taken(
        self, webhook: Webhook, lines: asyncio.Semaphore, waiting: QueuedUpdate
    ) -> None:
        """Retry at once, then after 2 s, 4 s and so on, unless the answer sets the delay.

        Also returns when the next retry would come after the update expires.
        """
        pause_s, fails = 1.0, 0
        while True:
            async with lines:
                failure, retry_after_s = await self._send(webhook, waiting)
            if not failure:
                return
            webhook.last_error = (self._clock.now(), failure)
            next_s = float(retry_after_s)
            if not retry_after_s and fails:
                next_s = pause_s = min(pause_s * 2, PAUSE_MAX_S)
            fails += 1
            if self._clock.monotonic() + next_s > waiting.expires_at:
                return
            await self._clock.sleep(next_s)

    async def _send(self, webhook: Webhook, waiting: QueuedUpdate) -> tuple[str, int]:
        """The error, if any, and the retry delay in seconds the answer asked for."""
        headers = {"content-type": "application/json"}
        if webhook.secret:
            headers[SECRET_HEADER] = webhook.secret
        try:
            answer = await self._post(webhook.url, to_json(waiting.update), headers)
        except httpx.ConnectError:
            return "Can't connect to the webhook", 0
        except httpx.TimeoutException:
            return "Read timeout expired", 0
        except Exception:  # noqa: BLE001  however it failed, nobody took it
            return "Webhook connection closed", 0
        status = answer if isinstance(answer, int) else answer.status_code
        if 200 <= status <= 299:
            return "", 0
        reason = httpx.codes.get_reason_phrase(status)
        return f"Wrong response from the webhook: {status} {reason}".rstrip(), _asked(answer)


def _asked(answer: int | httpx.Response) -> int:
    retry_after = "" if isinstance(answer, int) else answer.headers.get("retry-after", "")
    return (
        min(int(retry_after), RETRY_AFTER_MAX_S)
        if retry_after.isascii() and retry_after.isdecimal()
        else 0
    )
