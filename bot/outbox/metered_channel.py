"""A channel that counts what became of each call, and how long it took."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from bot.observe.metrics import MessageOutcome, Metrics
from bot.outbox.channel import (
    Blocked,
    Channel,
    MessageContent,
    MessageGone,
    RetryAfter,
    Undeliverable,
)
from flows.engine.capabilities import ChannelCapabilities

T = TypeVar("T")


class MeteredChannel(Channel):
    def __init__(self, channel: Channel, metrics: Metrics) -> None:
        self._channel = channel
        self._metrics = metrics

    @property
    def name(self) -> str:
        return self._channel.name

    @property
    def capabilities(self) -> ChannelCapabilities:
        return self._channel.capabilities

    async def send(self, address: str, content: MessageContent) -> str:
        return await self._counted(self._channel.send(address, content))

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        sending = self._channel.send_document(address, name, content, caption)
        return await self._counted(sending)

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        await self._counted(self._channel.edit(address, message_id, content))

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        await self._channel.answer_tap(tap_id, text)

    async def delete(self, address: str, message_id: str) -> None:
        await self._counted(self._channel.delete(address, message_id))

    async def _counted(self, call: Awaitable[T]) -> T:
        began = self._metrics.monotonic()
        outcome = MessageOutcome.UNCLEAR
        try:
            result = await call
            outcome = MessageOutcome.ACCEPTED
        except RetryAfter:
            outcome = MessageOutcome.HELD_BACK
            raise
        except (Blocked, MessageGone, Undeliverable):
            outcome = MessageOutcome.REFUSED
            raise
        finally:
            self._metrics.message(self.name, outcome, self._metrics.monotonic() - began)
        return result
