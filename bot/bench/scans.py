"""Which tables a read goes through from beginning to end, as the engine plans it."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.bench.raw import plan_of, statements_of
from services.ports import Tx
from services.ports.database import Database

# A scan of an index from its end, or of a subquery's rows, ends at the statement's LIMIT.
_SCAN = re.compile(r"^SCAN (\w+)", re.MULTILINE)
_NAMED = re.compile(r"(?:FROM|JOIN) (\w+)(?: AS (\w+))?")


async def scanned(database: Database, read: Callable[[Tx], object]) -> dict[str, str]:
    """The tables, each with a statement that scans it; those that end at a LIMIT are left out."""
    async with statements_of(database) as seen:
        await database.read(read)

    def look(tx: Tx) -> dict[str, str]:
        found: dict[str, str] = {}
        for statement in dict.fromkeys(seen):
            if not statement.lstrip().startswith("SELECT"):
                continue
            tables = {alias or table: table for table, alias in _NAMED.findall(statement)}
            for name in _SCAN.findall("\n".join(plan_of(tx, statement))):
                if " LIMIT " not in statement:
                    found[tables.get(name, name)] = statement
        return found

    return await database.read(look)
