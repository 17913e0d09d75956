"""Events to a partner's receiver, through restarts: none lost, and in order."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot.bench.api import seeded_topups
from bot.bench.api.asgi_caller import AsgiCaller
from bot.bench.api.desk import BARE, open_desk
from bot.bench.program import NullChannel, Person, running_program, temporary_folder
from bot.bench.report import Comparison
from bot.clock import SystemClock
from bot.database import database_engine
from bot.simulation.receivers import SimulatedReceivers
from bot.simulation.webhook_receiver import ReceivedWebhook, WebhookReceiver

VERSIONS = 3  # of an operation: pending, not paid, paid
RESTARTS = 3
CHUNK = 500  # operations in a transaction
BARE_CALLS = 2_000
STALLED_S = 30.0  # without an event: what is missing then is lost
_ENDPOINT = b'{"url": "https://hooks.duka.example/in"}'


async def measure(events: int, within: Path | None) -> AsyncIterator[Comparison]:
    """All are queued before the first is sent. ``events`` are rounded up to whole operations."""
    operations = -(-events // VERSIONS)
    events = operations * VERSIONS
    receiver = WebhookReceiver(lambda: datetime.now(UTC))
    with temporary_folder(within) as folder:
        database = Path(folder) / "events.db"
        bare_cpu_s = await _prepare(database)
        references = await _queue(database, operations)
        cpu_s = elapsed_s = 0.0
        for run in range(1, RESTARTS + 2):
            until = events * run // (RESTARTS + 1)
            began = time.perf_counter()
            cpu_s += await _deliver(database, receiver, until)
            elapsed_s += time.perf_counter() - began
    received = receiver.received
    yield Comparison(
        "api: events delivered, a second of CPU",
        {"events": events, "restarts": RESTARTS, "peer": "bare requests"},
        (events / cpu_s) / (BARE_CALLS / bare_cpu_s),
        None,
        {
            "per_cpu_s": events / cpu_s,
            "per_s_with_restarts": events / elapsed_s,
            "bare_per_cpu_s": BARE_CALLS / bare_cpu_s,
            "repeated": len(received) - len({one.headers["webhook-id"] for one in received}),
        },
        {
            "none lost": _versions(received) == dict.fromkeys(references, VERSIONS),
            "in order": _are_in_order(received),
        },
    )


async def _prepare(database: Path) -> float:
    """Add a partner with an endpoint. Returns the CPU seconds of ``BARE_CALLS`` bare requests."""
    person = Person(0)
    async with open_desk(database, [person]) as desk:
        caller = AsgiCaller(desk.asgi(), desk.keys[person.partner])
        added = await caller.post("/v1/webhook-endpoints", _ENDPOINT)
        if added.status != 201:
            raise RuntimeError(f"the endpoint was not taken: {added.body.decode()}")
        cpu = time.process_time()
        for _ in range(BARE_CALLS):
            await caller.get(BARE)
        return time.process_time() - cpu


async def _queue(path: Path, operations: int) -> list[str]:
    """Each operation goes through all its versions while nothing is sent."""
    references: list[str] = []
    database = await database_engine.open_database(path, SystemClock().now)
    try:
        for start in range(0, operations, CHUNK):
            numbers = range(start, min(start + CHUNK, operations))
            chunk = await database.write(
                partial(seeded_topups.begin, person=Person(0), numbers=numbers)
            )
            await database.write(partial(seeded_topups.refuse, references=chunk))
            await database.write(partial(seeded_topups.pay, references=chunk))
            references += chunk
    finally:
        await database.close()
    return references


async def _deliver(database: Path, receiver: WebhookReceiver, until: int) -> float:
    """Run the program until so many have been received, then stop it with others under way.
    Returns the CPU seconds, without its start and its stop."""
    receivers = SimulatedReceivers(receiver, everywhere=True)
    async with running_program(database, NullChannel(), webhooks=receivers):
        cpu, seen, since = time.process_time(), 0, time.monotonic()
        while len(receiver.received) < until and time.monotonic() - since < STALLED_S:
            await asyncio.sleep(0.01)
            if len(receiver.received) > seen:
                seen, since = len(receiver.received), time.monotonic()
        return time.process_time() - cpu


def _versions(received: Sequence[ReceivedWebhook]) -> dict[str, int]:
    """How many different versions of each operation were received."""
    seen: dict[str, set[int]] = {}
    for reference, version in map(_subject, received):
        seen.setdefault(reference, set()).add(version)
    return {reference: len(versions) for reference, versions in seen.items()}


def _are_in_order(received: Sequence[ReceivedWebhook]) -> bool:
    """Whether no version came for the first time after a later one of its operation. An event that
    was under way at a restart may come again."""
    newest: dict[str, int] = {}
    for reference, version in map(_subject, received):
        before = newest.get(reference, 0)
        if version > before + 1:
            return False
        newest[reference] = max(before, version)
    return True


def _subject(one: ReceivedWebhook) -> tuple[str, int]:
    data = json.loads(one.body)["data"]
    return data["reference"], data["version"]
