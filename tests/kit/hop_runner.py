"""Hops of USSD on their own database, without a gateway."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import cast

from bot.context import AppContext
from bot.turns.hops import Hops
from bot.turns.phone_answers import PhoneAnswers
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.turns.steps import Steps
from flows.catalogue import all_flows
from flows.engine.capabilities import PHONE_MENU
from flows.engine.engine import Engine
from services.domain.outbox import OutboxRow
from services.domain.ussd import CHANNEL, Hop, Page
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from tests.kit.channels import CHANNELS
from tests.kit.turns_on_database import KEYS, TEXTS

AMINA = "254712345678"
CODE = "*384*7#"


class HopRunner:
    """What one phone types, and what the hops reported to the rest of the program."""

    def __init__(self, database: Database, phone: str = AMINA) -> None:
        self.database = database
        self.phone = phone
        self.begun: list[str] = []
        self.committed: list[OutboxRow] = []
        engine, sessions = Engine(all_flows(), TEXTS, HANDLERS), SessionCache(all_flows())
        self.context = AppContext(
            TEXTS,
            cast("Random", random.Random(1)),
            KEYS,
            NO_CODES,
            channels={**CHANNELS, CHANNEL: PHONE_MENU},
        )
        steps = Steps(engine, sessions, self.context, lambda tx, outcome: ())
        answers = PhoneAnswers(self.context, steps, sessions)
        self.hops = Hops(database, self.context, answers, self._committed, self.begun.append)

    def hop(self, text: str, session: str = "s1") -> Hop:
        return Hop("gateway", session, self.phone, CODE, "", text)

    async def send(self, text: str, session: str = "s1") -> Page:
        return await self.hops.answer(self.hop(text, session))

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.committed += rows
