"""Runs a bank worker on its own database, with time that the test controls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.simulation.clock import VirtualClock
from services import partners
from services.domain.ledger import Account, AccountKind, opening_balance
from services.domain.money import Money
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.database_on_clock import DatabaseOnClock

AMINA = "77"  # her Telegram account
PHONE = Phone("254712345678")


def add_finsafe(tx: StoreTx, *, email: str | None = None, wallet: Money | None = None) -> None:
    """Add partner FINSAFE and its owner amina, who writes from Telegram."""
    partners.add(tx, Partner("FINSAFE"))
    amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, email, "en")
    tx.people.link("telegram", AMINA, amina)
    if wallet is not None:
        tx.ledger.book(opening_balance("FINSAFE", AccountKind.WALLET, wallet))


class ScanningWorker(Protocol):
    async def scan(self) -> datetime | None: ...


class WorkerHarness(DatabaseOnClock):
    """Scans when the worker asks for it and when something is due, as the scheduler would.

    A test sets ``worker`` and passes it ``committed`` and ``wake``.
    """

    worker: ScanningWorker

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.told: list[OutboxRow] = []
        self.due: datetime | None = None
        self.woken = False

    def committed(self, rows: Sequence[OutboxRow]) -> None:
        self.told += rows

    def wake(self, due: datetime | None) -> None:
        if due is None:
            self.woken = True
        elif self.due is None or due < self.due:
            self.due = due

    async def scan(self) -> None:
        """Scan, and repeat while the worker asks for it."""
        while True:
            self.woken = False
            self.due = await self.worker.scan()
            await self.settle()
            if not self.woken:
                return

    async def advance(self, seconds: float) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)
        while True:
            await self.scan()
            moments = [m for m in (self.due, self.clock.next_due()) if m is not None and m <= end]
            if not moments:
                break
            self.clock.jump(min(moments))
            await self.settle()
        self.clock.jump(end)
        await self.scan()

    async def posted(self, kind: AccountKind) -> Money:
        account = Account("FINSAFE", kind)
        return (await self.database.read(lambda tx: tx.ledger.balance(account))).posted

    async def calls(self) -> list[tuple[str, str]]:
        """Each call to the bank and its outcome, in order."""

        def read(tx: StoreTx) -> list[tuple[str, str]]:
            return list(tx.conn.execute("SELECT call, outcome FROM provider_calls ORDER BY id"))

        return await self.database.read(read)

    def receipts(self) -> list[str]:
        return [row.text for row in self.told if row.kind == "receipt"]
