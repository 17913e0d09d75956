"""Sending where processes lead in turn: what is known in memory may be of long ago."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.outbox.database_retries import write_until_committed
from bot.outbox.sender import OutboxSender
from bot.outbox.sent import SentMessage, SentRecorder
from bot.simulation.clock import VirtualClock
from bot.simulation.world import World
from services.domain.database import leading
from services.domain.outbox import OutboxRow
from services.ports import Tx
from storage.sqlite.database import Database

SLOT = ("terminal", "1", "slot")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    clock = VirtualClock()
    database = await Database.open(
        tmp_path / "hazina.db", clock.now, monotonic=clock.monotonic, threads=False
    )
    yield database
    await database.close()


async def test_what_the_outside_said_is_written_by_who_no_longer_leads(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    write = database.write

    async def noting(function: object, *args: object, **more: object) -> object:
        written.append(leading.get())
        return await write(function, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "write", noting)
    token = leading.set(True)
    try:
        assert await write_until_committed(database, VirtualClock(), lambda tx: 7) == 7
        assert leading.get()
    finally:
        leading.reset(token)
    assert written == [False]


async def test_the_message_that_another_process_sent_is_edited(database: Database) -> None:
    recorder = SentRecorder(database, VirtualClock())

    def queue(tx: Tx) -> OutboxRow:
        return tx.outbox.add("terminal", "1", kind="answer", text="shown", slot="slot")

    row = await database.write(queue)
    await recorder.record(SentMessage(row, "5", takes_slot=True))
    await database.write(lambda tx: tx.sessions.take_slot(*SLOT, "6"))
    assert await recorder.live(*SLOT) == "5"
    recorder.forget()
    assert await recorder.live(*SLOT) == "6"


async def test_who_begins_to_lead_forgets_what_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[OutboxSender] = []
    monkeypatch.setattr(OutboxSender, "forget", lambda sender: forgotten.append(sender))
    world = World(tmp_path, threads=False)
    await world.open()
    for leads in (False, True):
        world.app.database.leading_changed(leads)
    assert len(forgotten) == 2
    await world.close()
