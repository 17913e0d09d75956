"""How admins read that several processes serve the desk."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.context import AppContext, DatabaseGauges
from bot.security.keyring import Keyring
from bot.turns.host import TurnHost
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts
from services.policy import NO_CODES
from tests.kit.plain_store import PlainStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()


@pytest.mark.parametrize(
    ("processes", "is_led", "shown"),
    [
        (1, True, ""),
        (3, True, ", served by 3 processes"),
        (2, False, ", served by 2 processes, NONE OF WHICH LEADS"),
    ],
)
def test_processes_are_told_where_there_are_several(
    store: PlainStore, processes: int, is_led: bool, shown: str
) -> None:
    gauges = DatabaseGauges(processes=lambda: processes, is_led=lambda: is_led)
    keys = Keyring({"1": bytes(32)})
    desk = AppContext(Texts.load(), random.Random(1), keys, NO_CODES, gauges=gauges)
    event = Event("telegram", "1", "1", EventKind.TEXT)
    host = TurnHost(desk, store.tx, event, None, is_admin=True)
    assert host.load_view("health", {}, None).facts["processes"] == shown
