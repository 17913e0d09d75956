"""The newest backup is tried every night, as a restore would, and nobody is told while it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.context import AppContext
from bot.jobs.backup import BackupPlan
from bot.jobs.drill import DrillJob
from bot.security import backup
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.simulation.opening_balances import add_partner
from flows.engine.texts import Texts
from services.domain.money import Money
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file

DUE = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)  # 04:00 in Nairobi
KEY = {"1": bytes(32)}


class Nights:
    def __init__(self, database: Database, clock: VirtualClock, plan: BackupPlan) -> None:
        self.database, self.clock, self.plan = database, clock, plan
        self.told: list[str] = []
        context = AppContext(
            Texts.load(), cast("Random", None), Keyring(KEY), NO_CODES, (("telegram", "1"),)
        )
        self.job = DrillJob(database, clock, context, self._committed, plan)

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.told += [row.text for row in rows]

    def make_backup(self) -> Path:
        return backup.make(self.plan.database, self.plan.folder, self.plan.keys, self.clock.now())

    async def scan(self) -> datetime | None:
        return await self.job.scan()

    async def passed_on(self) -> str | None:
        return await self.database.read(lambda tx: tx.daily.last("drill"))


@pytest.fixture
async def nights(tmp_path: Path) -> AsyncIterator[Nights]:
    clock = VirtualClock()  # 2 March 2026, 09:00 in Nairobi
    path = tmp_path / "hazina.db"
    database = await Database.open(blank_file(path), clock.now)
    await database.write(lambda tx: add_partner(tx, Partner("FINSAFE"), Money(100), Money(0)))
    yield Nights(database, clock, BackupPlan(path, tmp_path / "backups", KEY, time(2, 30), 3))
    await database.close()


async def test_a_sound_one_is_marked_and_told_to_nobody(nights: Nights) -> None:
    nights.make_backup()
    assert await nights.scan() == DUE
    assert await nights.passed_on() == "2026-03-02"
    nights.clock.jump(DUE)
    assert await nights.scan() == DUE + timedelta(days=1)
    assert await nights.passed_on() == "2026-03-03"
    assert nights.told == []
    assert [file.name for file in nights.plan.database.parent.glob("*copy*")] == []


async def test_books_that_do_not_hold_are_told_once_a_day(nights: Nights) -> None:
    with closing(sqlite3.connect(nights.plan.database)) as conn:
        (made,) = conn.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'accounts_move_by_transfer'"
        ).fetchone()
        conn.execute("DROP TRIGGER accounts_move_by_transfer")
        conn.execute("UPDATE accounts SET credits_posted = credits_posted + 5")
        conn.execute(made)
        conn.commit()
    nights.make_backup()
    for _ in range(3):
        await nights.scan()
    (told,) = nights.told
    assert told.startswith("Last night's backup could NOT be restored: ")
    assert "is not the sum of its transfers" in told
    assert await nights.passed_on() is None


async def test_one_that_no_key_opens_is_told(nights: Nights) -> None:
    file = nights.make_backup()
    sealed = file.read_bytes()
    file.write_bytes(sealed[:-20] + bytes(20))
    await nights.scan()
    assert len(nights.told) == 1


async def test_without_backups_there_is_none(nights: Nights) -> None:
    assert await nights.scan() == DUE
    assert (await nights.passed_on(), nights.told) == (None, [])
