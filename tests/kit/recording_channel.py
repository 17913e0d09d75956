"""A channel that records messages, for tests of the outbox."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque

from bot.outbox.channel import (
    MessageContent,
    MessageGone,
)
from bot.simulation.clock import START, VirtualClock
from tests.kit.channels import CHANNELS, CHAT


class RecordingChannel:
    """Records what it sends; raises the errors set for an address, one per attempt.

    Messages are numbered from 1, after ``prefix``.
    """

    def __init__(self, name: str, clock: VirtualClock, prefix: str = "m") -> None:
        self.name = name
        self.capabilities = CHANNELS.get(name, CHAT)
        self.taken: list[tuple[str, str]] = []  # address, text
        self.times: list[float] = []  # seconds since the start
        self.contents: list[MessageContent] = []
        self.messages: dict[str, str] = {}
        self.deleted: list[tuple[str, str]] = []  # address, message id
        self.documents: list[tuple[str, bytes, str]] = []  # name, content, caption
        self.attempts = 0
        self.errors: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.hold: asyncio.Event | None = None
        self._clock = clock
        self._prefix = prefix

    def will(self, address: str, *errors: Exception) -> None:
        self.errors[address].extend(errors)

    async def send(self, address: str, content: MessageContent) -> str:
        await self._meet(address)
        self._took(address, content.text, content)
        return self._number(content.text)

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        await self._meet(address)
        self.documents.append((name, content, caption.text))
        return self._number(caption.text)

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        await self._meet(address)
        if message_id not in self.messages:
            raise MessageGone("no such message")
        self._took(address, f"{message_id}~{content.text}", content)
        self.messages[message_id] = content.text

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        raise AssertionError("the outbox answers no taps")

    async def delete(self, address: str, message_id: str) -> None:
        await self._meet(address)
        self.deleted.append((address, message_id))

    async def _meet(self, address: str) -> None:
        self.attempts += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.errors[address]:
            raise self.errors[address].popleft()

    def _number(self, text: str) -> str:
        message_id = f"{self._prefix}{len(self.messages) + 1}"
        self.messages[message_id] = text
        return message_id

    def _took(self, address: str, text: str, content: MessageContent) -> None:
        self.taken.append((address, text))
        self.times.append((self._clock.now() - START).total_seconds())
        self.contents.append(content)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.taken]
