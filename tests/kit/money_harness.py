"""Runs the money worker for one kind of operation, with a scripted bank."""

from __future__ import annotations

from abc import ABC, abstractmethod

from bot.simulation.clock import VirtualClock
from bot.workers.money_worker import AnyMoneyWorker, AnyOperationKind, CallLimits, MoneyWorker
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.scripted_bank import ScriptedBank
from tests.kit.worker_harness import WorkerHarness


class MoneyHarness(WorkerHarness, ABC):
    """``SENT`` is the standing of an operation whose request the bank has answered well."""

    SENT: str
    worker: AnyMoneyWorker
    bank: ScriptedBank
    limits: CallLimits

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.begun = 0
        self.runs = 0

    @abstractmethod
    def kind(self) -> AnyOperationKind: ...

    @abstractmethod
    async def begin(self) -> str:
        """Commit an operation that is to be sent; returns its reference."""

    def start(self) -> None:
        """Begin another run of the program."""
        self.runs += 1
        self.worker = MoneyWorker(
            self.database, self.clock, self.committed, self.wake, f"run {self.runs}", self.kind()
        )

    async def begin_queried(self) -> str:
        """Begin one about which the bank is queried within 15 seconds."""
        return await self.begin_sent()

    async def begin_sent(self) -> str:
        reference = await self.begin()
        await self.scan()
        return reference

    async def standing(self, reference: str) -> str:
        return str(await self._read("standing", reference))

    async def attempt(self, reference: str) -> int:
        return int(str(await self._read("attempt", reference)))

    async def _read(self, column: str, reference: str) -> object:
        def read(tx: StoreTx) -> object:
            row = tx.conn.execute(
                f"SELECT {column} FROM wallet_transactions WHERE reference = ?",  # noqa: S608
                (reference,),
            ).fetchone()
            return row[0]

        return await self.database.read(read)
