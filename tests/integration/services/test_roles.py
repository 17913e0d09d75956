"""Losing a role closes what it opened: at the next turn and at the step that acts."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.context import AppContext as At
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.host import TurnHost
from bot.turns.registry import CODE_CHECKS, REQUIRED_RIGHTS
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts
from services.domain.partner import RIGHTS, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.policy import NO_CODES
from storage.sqlite.database import Database
from storage.transaction import SqliteTx
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import PlainStore
from tests.kit.turns_on_database import TurnRunner, seed

TO_CONFIRM = {  # command and the answers that lead to the confirmation
    "invite": ("operator", "neema"),
    "unlink": ("baraka",),
    "topup": ("1500", "mine"),
}


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[TurnRunner]:
    database = await Database.open(tmp_path / "hazina.db", VirtualClock().now)
    await database.write(seed)
    yield TurnRunner(database)
    await database.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()


def becomes_a_viewer(tx: SqliteTx) -> None:
    tx.people.add_person("FINSAFE", "amina", Role.VIEWER, Phone("254712345678"), None, "en")


def loses_the_account(tx: SqliteTx) -> None:
    tx.people.unlink("telegram", "77")


@pytest.mark.parametrize("flow", TO_CONFIRM)
@pytest.mark.parametrize("happens", [becomes_a_viewer, loses_the_account])
async def test_an_open_flow_of_somebody_who_lost_the_role_goes_nowhere(
    runner: TurnRunner, flow: str, happens: Callable[[SqliteTx], None]
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


@pytest.mark.parametrize(
    ("use_case", "role"),
    [
        (name, role)
        for name, needs in REQUIRED_RIGHTS.items()
        for role in Role
        if needs not in RIGHTS[role]
    ],
)
def test_a_step_asks_for_its_right_whatever_led_there(
    store: PlainStore, use_case: str, role: Role
) -> None:
    keys = Keyring({"1": bytes(32)})
    runner = At(Texts.load(), random.Random(1), keys, NO_CODES, channels=CHANNELS)
    person = replace(store.person(), role=role)
    event = Event("telegram", "77", "1", EventKind.TAP)
    host = TurnHost(runner, store.tx, event, person, is_admin=False)
    refused = Refusal.of("role", partner="DEMO")
    if use_case in CODE_CHECKS:
        assert host.check_code(use_case, {}, "FL-222222", "123456") == refused
    else:
        assert host.run(use_case, {}, "FL-222222") == refused
