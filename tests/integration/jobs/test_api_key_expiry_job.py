"""Owners are told once, a week ahead, that a key in use expires."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.context import AppContext
from bot.jobs.api_keys import ApiKeyExpiryJob
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from flows.engine.texts import Texts
from services import api_keys
from services.api_keys import CreatedKey
from services.domain.api_key import ApiKey, Scope
from services.domain.ledger import AccountKind
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner, Role
from services.policy import NO_CODES
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import PHONE

CODE = "FINSAFE"


class Desk:
    """A partner with an owner and one key for 30 days, made on 2 March 2026 at 09:00."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        self.database, self.clock = database, clock
        self.told: list[str] = []
        keys = Keyring({"1": bytes(32)})
        context = AppContext(Texts.load(), random.Random(1), keys, NO_CODES, channels=CHANNELS)
        self.job = ApiKeyExpiryJob(database, clock, context, self._committed)

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.told += [row.text for row in rows]

    async def made(self) -> ApiKey:
        def make(tx: StoreTx) -> ApiKey:
            tx.people.add_partner(Partner(CODE))
            tx.ledger.open_accounts(CODE, AccountKind, "KES")
            person = tx.people.add_person(CODE, "Amina", Role.OWNER, PHONE, None, "en")
            tx.people.link("telegram", "1", person)
            made = api_keys.create(tx, random.Random(1), CODE, {Scope.READ}, 30, "admin:t:1")
            assert isinstance(made, CreatedKey)
            return made.api_key

        return await self.database.write(make)

    async def uses(self, key: ApiKey) -> None:
        await self.database.write(lambda tx: api_keys.note_use(tx, key, "192.0.2.1"))

    async def days_pass(self, days: int, *, running: bool = True) -> list[str]:
        """What is told meanwhile; each day's run comes a while after it is due."""
        before = len(self.told)
        for _ in range(days):
            self.clock.jump(self.clock.now() + timedelta(days=1))
            if running:
                await self.job.scan()
                await self.job.scan()
        return self.told[before:]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = VirtualClock()
    database = await Database.open(blank_file(tmp_path / "hazina.db"), clock.now)
    clock.jump(clock.now() + timedelta(hours=2))
    yield Desk(database, clock)
    await database.close()


async def test_owners_are_told_a_week_before_and_once(desk: Desk) -> None:
    key = await desk.made()
    assert await desk.days_pass(20) == []
    await desk.uses(key)
    assert await desk.days_pass(3) == []
    assert await desk.days_pass(1) == [
        f"API key {key.id} of {CODE} is in use and expires 1 Apr 2026, 11:00."
        " Replace it with /keys before then, so that nothing stops."
    ]
    assert await desk.days_pass(10) == []


async def test_nobody_is_told_of_a_key_that_is_not_in_use(desk: Desk) -> None:
    await desk.made()
    assert await desk.days_pass(31) == []


async def test_days_without_a_run_are_caught_up_with(desk: Desk) -> None:
    key = await desk.made()
    await desk.days_pass(15)
    await desk.uses(key)
    await desk.days_pass(12, running=False)
    assert len(await desk.days_pass(1)) == 1


@pytest.mark.parametrize("end", ["revoked", "replaced"])
async def test_nobody_is_told_of_a_key_that_was_revoked_or_replaced(desk: Desk, end: str) -> None:
    key = await desk.made()
    await desk.days_pass(20)
    await desk.uses(key)

    def finish(tx: StoreTx) -> None:
        if end == "revoked":
            api_keys.revoke(tx, key.id)
        else:
            api_keys.rotate(tx, random.Random(2), key.id, 30, "person:1")

    await desk.database.write(finish)
    assert await desk.days_pass(11) == []
