"""``hazina code``: an admin sees whether a number and its accounts are locked, and unlocks them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from bot.maintenance.terms import code_status, unlock
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from storage.sqlite.database import Database
from storage.sqlite.empty_database import empty_database
from storage.transaction import StoreTx

T = TypeVar("T")
PHONE = Phone("254712345678")
NUMBER = "0712 345 678"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "hazina.db"
    path.write_bytes(empty_database())
    return path


async def write(path: Path, function: Callable[[StoreTx], T]) -> T:
    database = await Database.open(path, lambda: datetime(2026, 3, 2, 6, 0, tzinfo=UTC))
    try:
        return await database.write(function)
    finally:
        await database.close()


def amina(tx: StoreTx) -> None:
    tx.people.add_partner(Partner("FINSAFE"))
    person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "en")
    tx.people.link("telegram", "7", person)


async def test_number_and_account_are_shown_and_unlocked_by_the_number(path: Path) -> None:
    def lock(tx: StoreTx) -> None:
        amina(tx)
        tx.otps.lock(PHONE)
        tx.otps.lock(("telegram", "7"))
        tx.otps.lock(("telegram", "8"))

    await write(path, lock)
    since = "is locked since 2026-03-02 06:00 UTC: too many wrong codes in a day"
    assert await code_status(path, NUMBER) == f"{NUMBER} {since}\naccount:telegram:7 {since}"
    again = "can have codes again"
    assert await unlock(path, NUMBER) == f"{NUMBER} {again}\naccount:telegram:7 {again}"
    assert await unlock(path, NUMBER) == f"{NUMBER} was not locked"
    assert await code_status(path, NUMBER) == f"{NUMBER} can have codes"
    others = await write(path, lambda tx: tx.otps.locked_since(("telegram", "8")))
    assert others is not None
