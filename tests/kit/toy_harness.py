"""The toy kind with its worker, a scripted bank and its own database."""

from __future__ import annotations

from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit import toy_kind
from tests.kit.money_harness import MoneyHarness
from tests.kit.scripted_bank import ScriptedToyBank
from tests.kit.toy_kind import ToyKind


class ToyHarness(MoneyHarness):
    SENT = "accepted"

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.bank = ScriptedToyBank()
        self.limits = toy_kind.LIMITS
        self.start()

    def kind(self) -> ToyKind:
        return ToyKind(self.bank, self.limits)

    async def begin(self) -> str:
        self.begun += 1
        reference = f"TY-{self.begun}"

        def begin(tx: StoreTx) -> None:
            if self.begun == 1:
                for statement in toy_kind.MIGRATION:
                    tx.conn.execute(statement)
            toy_kind.begin(tx, reference)

        await self.database.write(begin)
        return reference
