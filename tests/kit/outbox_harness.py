"""The outbox's sender with two recording channels, on a database that outlives it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.observe.metrics import Metrics
from bot.outbox.carriers import SMS
from bot.outbox.channel import (
    Channel,
)
from bot.outbox.metered_channel import MeteredChannel
from bot.outbox.pacing import MessageRates
from bot.outbox.sender import OutboxSender
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from services.domain.outbox import OutboxRow
from services.domain.phone import Phone
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.database_on_clock import DatabaseOnClock
from tests.kit.recording_channel import RecordingChannel

AMINA, BARAKA = "77", "78"
PHONE = Phone("254712345678")
CHAT = "chat"
NO_PACE = MessageRates(per_chat=None, overall=None)
KEYS = Keyring({"1": bytes(32)})


class OutboxHarness(DatabaseOnClock):
    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.chat = RecordingChannel(CHAT, clock)
        self.sms = RecordingChannel(SMS, clock)
        self.told: list[tuple[str, str, bool]] = []
        self.metrics = Metrics(clock.monotonic)
        self.lost: list[str] = []  # codes that no message can deliver any more
        self.start()

    def start(self, pace: MessageRates = NO_PACE) -> None:
        channels: dict[str, Channel] = {
            CHAT: MeteredChannel(self.chat, self.metrics),
            SMS: MeteredChannel(self.sms, self.metrics),
        }
        self.sender = OutboxSender(
            self.database,
            self.clock,
            channels,
            pace,
            KEYS,
            self._code_lost,
            lambda row, message_id, edited: self.told.append((row.text, message_id, edited)),
        )

    def _code_lost(self, tx: StoreTx, otp: str) -> Sequence[OutboxRow]:
        self.lost.append(otp)
        return [tx.outbox.add(CHAT, AMINA, kind="notice", text=f"{otp} is lost")]

    async def queue(
        self, text: str, to: str = AMINA, kind: str = "answer", **rest: Any
    ) -> OutboxRow:
        def add(tx: StoreTx) -> OutboxRow:
            return tx.outbox.add(rest.pop("channel", CHAT), to, kind=kind, text=text, **rest)

        return await self.database.write(add)

    async def push(self, *texts: str, to: str = AMINA, **rest: Any) -> None:
        self.sender.push([await self.queue(text, to, **rest) for text in texts])

    async def sent(self, *texts: str, to: str = AMINA, **rest: Any) -> None:
        await self.push(*texts, to=to, **rest)
        await self.settle()

    async def scan(self) -> datetime | None:
        due = await self.sender.scan()
        await self.settle()
        return due

    async def states(self) -> list[tuple[str, str, int]]:
        """Text, state and attempts of each row, in order."""

        def read(tx: StoreTx) -> list[tuple[str, str, int]]:
            return list(tx.conn.execute("SELECT text, state, attempts FROM outbox ORDER BY id"))

        return await self.database.read(read)
