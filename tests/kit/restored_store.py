"""A store restored from an older copy of its database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from services.domain.float_purchase import PurchaseState
from services.domain.lease import Lease
from services.domain.topup import TopUpState
from storage.sqlite import snapshots
from storage.sqlite.database import Database
from tests.kit.plain_store import START, PlainStore

S, T = PurchaseState, TopUpState
HELD = Lease("the run that restored it", timedelta(seconds=120))


class Old(PlainStore):
    """A store that continues after it is copied."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def copy(self) -> Path:
        """Take a backup now."""
        self.conn.execute("COMMIT")
        to = self.path.with_name("backup.db")
        snapshots.copy(self.path, to, self.now)
        self.conn.execute("BEGIN IMMEDIATE")
        return to


OPEN: list[Database] = []


async def opened(path: Path, after: timedelta = timedelta(hours=1)) -> Database:
    OPEN.append(await Database.open(path, lambda: START + after))
    return OPEN[-1]


async def sound(database: Database) -> None:
    assert await database.read(lambda tx: tx.invariants.violations()) == []
