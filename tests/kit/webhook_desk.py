"""The webhook worker on its own database and virtual clock, with receivers that the test steers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from bot.context import AppContext
from bot.jobs.scheduler import JobScheduler
from bot.security.keyring import Keyring
from bot.simulation.alarm import VirtualAlarm
from bot.simulation.clock import VirtualClock
from bot.workers.webhooks import WebhookWorker
from flows.engine.texts import Texts
from services import partners
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.webhook import Taken, WebhookAnswer, WebhookEndpoint
from services.domain.webhook_signature import draw_secret
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.database_on_clock import DatabaseOnClock
from tests.kit.webhook_queue import add_event

OWNER = "77"


@dataclass
class Received:
    at: datetime
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receivers:
    """``answers`` by URL, each given once, then 200. A call to one of ``silent`` never ends."""

    clock: VirtualClock
    answers: dict[str, list[WebhookAnswer]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    received: list[Received] = field(default_factory=list)
    under_way: int = 0

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        self.received.append(Received(self.clock.now(), url, headers, body))
        self.under_way += 1
        try:
            if url in self.silent:
                await asyncio.Event().wait()
            await asyncio.sleep(0)
        finally:
            self.under_way -= 1
        waiting = self.answers.get(url)
        return waiting.pop(0) if waiting else Taken(200)

    async def close(self) -> None:
        pass

    def ids(self, url: str) -> list[str]:
        return [one.headers["webhook-id"] for one in self.received if one.url == url]


class WebhookDesk(DatabaseOnClock):
    """``start`` runs the worker by its job, until ``stop`` or ``kill``."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.receivers = Receivers(clock)
        self.random = cast("Random", random.Random(1))
        self.keys = Keyring({"1": bytes(32)})
        self.sent: list[OutboxRow] = []
        self.runs = 0
        self.jobs: JobScheduler
        self.worker: WebhookWorker

    async def seed(self) -> None:
        def add(tx: StoreTx) -> None:
            partners.add(tx, Partner("DEMO"))
            phone = Phone("254712345678")
            person = tx.people.add_person("DEMO", "amina", Role.OWNER, phone, None, "en")
            tx.people.link("telegram", OWNER, person)

        await self.database.write(add)

    async def start(self) -> None:
        self.runs += 1
        self.jobs = JobScheduler(self.clock, VirtualAlarm(self.clock))
        context = AppContext(Texts.load(), self.random, self.keys, NO_CODES, channels=CHANNELS)
        self.worker = WebhookWorker(
            self.database,
            self.clock,
            context,
            self._push,
            lambda due: self.jobs.wake("webhooks", due),
            f"run {self.runs}",
            self.receivers,
        )
        self.jobs.add("webhooks", self.worker.scan)
        self.database.webhooks_queued = lambda: self.jobs.wake("webhooks")
        await self.worker.recover()
        self.jobs.start()
        await self.settle()

    def _push(self, rows: Sequence[OutboxRow]) -> None:
        self.sent += rows

    async def stop(self, grace_s: float = 0) -> None:
        await self.jobs.stop()
        await self.worker.stop(grace_s)

    async def kill(self) -> None:
        self.database.webhooks_queued = lambda: None
        self.jobs.abort()
        self.worker.abort()
        await self.settle()

    async def endpoint(self, name: str) -> str:
        """Returns its URL."""
        url = f"https://{name}.duka.co.ke/"
        sealed = self.keys.seal(draw_secret(self.random))

        def add(tx: StoreTx) -> None:
            assert tx.webhooks.add(
                WebhookEndpoint(f"we_{name}", "DEMO", url, None, None, sealed, "person:1", tx.now)
            )

        await self.database.write(add)
        return url

    async def event(self, operation: str | None = None, version: int = 1) -> str:
        """Returns its id."""
        n = await self.database.write(lambda tx: add_event(tx, operation, version))
        await self.settle()
        return f"ev_DEMO_{n}"

    async def found(self, name: str) -> WebhookEndpoint:
        found = await self.database.read(lambda tx: tx.webhooks.get(f"we_{name}"))
        assert found is not None
        return found

    async def states(self) -> list[tuple[str, int]]:
        """State and attempts of every delivery."""
        return await self.database.read(
            lambda tx: tx.conn.execute(
                "SELECT state, attempts FROM webhook_deliveries ORDER BY endpoint, n"
            ).fetchall()
        )
