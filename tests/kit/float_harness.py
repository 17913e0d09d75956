"""The worker of float purchases, with a scripted bank and its own database."""

from __future__ import annotations

import random

from bot.context import AppContext as Parts
from bot.notify.notifier import Notifier
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.workers.float_purchases import LIMITS, FloatPurchaseKind
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services import float_purchases, float_quotes
from services.domain.bank import Unknown
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.policy import Policy
from services.spending import CodeSent
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.money_harness import MoneyHarness
from tests.kit.scripted_bank import ScriptedFloatBank
from tests.kit.worker_harness import AMINA

AMOUNT = Money(100_000)
S = PurchaseState


class FloatHarness(MoneyHarness):
    SENT = "succeeded"

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.bank = ScriptedFloatBank()
        self.random = random.Random(1)
        self.parts = Parts(
            Texts.load(),
            self.random,
            Keyring({"1": b"1" * 32}),
            Policy(short_code="400187"),
            channels=CHANNELS,
        )
        self.limits = LIMITS
        self.start()

    def kind(self) -> FloatPurchaseKind:
        notifier = Notifier(
            Engine(all_flows(), self.parts.texts, HANDLERS), SessionCache(all_flows()), self.parts
        )
        return FloatPurchaseKind(self.bank, notifier, self.limits)

    async def begin_queried(self) -> str:
        self.bank.answers = [Unknown("read timeout")]
        return await self.begin_sent()

    async def begin(self) -> str:
        """The code is right."""
        self.begun += 1

        def begin(tx: StoreTx) -> str:
            person = tx.people.at("telegram", AMINA)
            assert person is not None
            keys, policy = self.parts.keys, self.parts.policy
            quoted = float_quotes.request(
                tx, self.random, policy, person, "telegram", AMINA, str(self.begun), AMOUNT
            )
            assert isinstance(quoted, Purchase)
            reference, price = quoted.reference, quoted.quote
            sent = float_purchases.confirm(
                tx, keys, self.random, policy, person, reference,
                price.amount, price.fees, price.total,
            )  # fmt: skip
            assert isinstance(sent, CodeSent)
            float_purchases.authorise(tx, keys, policy, person, reference, sent.issued.code)
            return reference

        reference = await self.database.write(begin)
        assert await self.state(reference) is S.AUTHORISED
        return reference

    async def get(self, reference: str) -> Purchase:
        purchase = await self.database.read(lambda tx: tx.purchases.get(reference))
        assert purchase is not None
        return purchase

    async def state(self, reference: str) -> PurchaseState:
        return (await self.get(reference)).state

    async def float(self) -> Money:
        return await self.posted(AccountKind.FLOAT)
