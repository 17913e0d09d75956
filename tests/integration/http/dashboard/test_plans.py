"""No tile reads a whole table of operations, however long the desk's history is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bench.operations import seed_database
from bot.bench.program import NullChannel, Person, running_program
from bot.bench.raw import statements_of
from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.table import TILES
from bot.http.dashboard.tiles.tile import Tile
from services.ports import Tx
from storage.sqlite.raw import connection

OPERATIONS = 4_000
# What grows with every operation, message or turn.
GROWING = (
    *("wallet_transactions", "transfers", "float_purchases", "ncb_stk_push_logs", "evidence"),
    *("provider_calls", "outbox", "trail", "audit_log", "events", "partner_events"),
    *("webhook_deliveries", "otp_validations", "external_payments", "statement_lines"),
)
_SCANNED = re.compile(r"SCAN (\w+)(?! USING)")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "hazina.db"
    asyncio.run(seed_database(path, [Person(n) for n in range(20)], OPERATIONS))
    return path


@pytest.fixture
async def desk(path: Path) -> AsyncIterator[Desk]:
    async with running_program(path, NullChannel()) as app:
        yield Desk(app, None)


def aliases(statement: str) -> dict[str, str]:
    """Table by the name that the plan calls it."""
    named = re.findall(r"(?:FROM|JOIN) (\w+)(?: AS (\w+))?", statement)
    return {alias or table: table for table, alias in named}


@pytest.mark.parametrize("tile", TILES, ids=lambda tile: tile.name)
async def test_no_plan_scans_what_grows(desk: Desk, tile: Tile) -> None:
    database = desk.app.database
    async with statements_of(database) as seen:
        await database.read(lambda tx: tile.read(tx, desk))

    def plans(tx: Tx) -> list[tuple[str, str]]:
        conn = connection(tx)
        asked = [one for one in dict.fromkeys(seen) if one.lstrip().startswith("SELECT")]
        return [
            (statement, row[3])
            for statement in asked
            for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]

    found = await database.read(plans)
    scanned = {
        (aliases(statement).get(name[1], name[1]), statement)
        for statement, step in found
        if (name := _SCANNED.match(step)) is not None
    }
    assert not [one for one in scanned if one[0] in GROWING and " LIMIT " not in one[1]]
    assert not [one for one in scanned if one[0] in ("wallet_transactions", "transfers")]
