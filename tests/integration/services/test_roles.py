"""Losing a role closes what it opened, at the next turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.simulation.clock import VirtualClock
from services.domain.partner import Role
from services.domain.phone import Phone
from storage.transaction import StoreTx
from tests.kit.open_databases import open_database
from tests.kit.turns_on_database import TurnRunner, seed

TO_CONFIRM = {  # command and the answers that lead to the confirmation
    "invite": ("operator", "neema"),
    "unlink": ("baraka",),
    "topup": ("1500", "mine"),
}


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[TurnRunner]:
    async with open_database(tmp_path / "hazina.db", VirtualClock().now) as database:
        await database.write(seed)
        yield TurnRunner(database)


def becomes_a_viewer(tx: StoreTx) -> None:
    tx.people.add_person("FINSAFE", "amina", Role.VIEWER, Phone("254712345678"), None, "en")


def loses_the_account(tx: StoreTx) -> None:
    tx.people.unlink("telegram", "77")


@pytest.mark.parametrize("flow", TO_CONFIRM)
@pytest.mark.parametrize("happens", [becomes_a_viewer, loses_the_account])
async def test_an_open_flow_of_somebody_who_lost_the_role_goes_nowhere(
    runner: TurnRunner, flow: str, happens: Callable[[StoreTx], None]
) -> None:
    await runner.command(flow)
    for answer in TO_CONFIRM[flow]:
        if answer in ("operator", "mine"):
            await runner.tap(answer)
        else:
            await runner.say(answer)
    assert await runner.row() is not None
    tables = ("invites", "audit_log", "addresses", "wallet_transactions")
    await runner.database.write(happens)
    before = [await runner.count_of(table) for table in tables]
    decided = await runner.tap("yes")
    said = decided.alert or decided.rows[-1].text
    assert "Your role in FINSAFE" in said or "not linked to a business" in said
    assert [await runner.count_of(table) for table in tables] == before
