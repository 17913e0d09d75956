"""No tile reads a whole table of what grows, however long the desk's history is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bench.dashboard import GROWING
from bot.bench.operations import seed_database
from bot.bench.program import NullChannel, Person, running_program
from bot.bench.scans import scanned
from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.table import TILES
from bot.http.dashboard.tiles.tile import Tile

OPERATIONS = 4_000


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "hazina.db"
    asyncio.run(seed_database(path, [Person(n) for n in range(20)], OPERATIONS))
    return path


@pytest.fixture
async def desk(path: Path) -> AsyncIterator[Desk]:
    async with running_program(path, NullChannel()) as app:
        yield Desk(app, None)


@pytest.mark.parametrize("tile", TILES, ids=lambda tile: tile.name)
async def test_no_plan_scans_what_grows(desk: Desk, tile: Tile) -> None:
    found = await scanned(desk.app.database, lambda tx: tile.read(tx, desk))
    assert GROWING.isdisjoint(found), found


async def test_a_scan_is_noticed(desk: Desk) -> None:
    found = await scanned(desk.app.database, lambda tx: tx.payments.every())
    assert set(found) == {"external_payments"}
    found = await scanned(desk.app.database, lambda tx: tx.invariants.violations())
    assert {"wallet_transactions", "transfers"} <= set(found)
