"""The top-up worker, with a scripted bank and its own database."""

from __future__ import annotations

import random
from typing import cast

from bot.context import AppContext as At
from bot.notify.notifier import Notifier
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.workers.topups import LIMITS, TopUpKind
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services import topups
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.topup import TopUp, TopUpState
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.money_harness import MoneyHarness
from tests.kit.scripted_bank import ScriptedCollections
from tests.kit.worker_harness import AMINA, PHONE

TEXTS = Texts.load()
KEYS = Keyring({"1": bytes(32)})


class TopUpHarness(MoneyHarness):
    SENT = "accepted"

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.bank = ScriptedCollections()
        self.random = cast("Random", random.Random(1))
        self.limits = LIMITS
        self.start()

    def kind(self) -> TopUpKind:
        notifier = Notifier(
            Engine(all_flows(), TEXTS, HANDLERS),
            SessionCache(all_flows()),
            At(TEXTS, self.random, KEYS, NO_CODES, channels=CHANNELS),
        )
        return TopUpKind(self.bank, self.random, notifier, self.limits)

    async def begin(self) -> str:
        self.begun += 1

        def begin(tx: StoreTx) -> str:
            person = tx.people.at("telegram", AMINA)
            assert person is not None
            amount = Money(self.begun * 100)
            topup = topups.start(
                tx, self.random, person, "telegram", AMINA, str(self.begun), amount, PHONE
            )
            assert isinstance(topup, TopUp)
            return topup.reference

        return await self.database.write(begin)

    async def get(self, reference: str) -> TopUp:
        topup = await self.database.read(lambda tx: tx.topups.get(reference))
        assert topup is not None
        return topup

    async def state(self, reference: str) -> TopUpState:
        return (await self.get(reference)).state

    async def wallet(self) -> Money:
        return await self.posted(AccountKind.WALLET)
