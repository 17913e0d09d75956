"""Hops of USSD decided on a plain store, and the steps of the conversation that each one took."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias, cast

from bot.context import AppContext
from bot.turns.hops import Hops
from bot.turns.phone_answers import PhoneAnswers
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.turns.steps import Stepped, Steps
from flows.catalogue import all_flows
from flows.engine.capabilities import PHONE_MENU
from flows.engine.engine import Engine
from flows.engine.event import Event
from flows.engine.nodes import Node
from flows.engine.session import Session
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.domain.ussd import CHANNEL, Hop, Page
from services.policy import NO_CODES, Policy
from services.ports import Random, Tx
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import PHONE, PlainStore, StoreDatabase
from tests.kit.turns_on_database import KEYS, TEXTS

GATEWAY, CODE = "africas_talking", "*384*7#"
TABLES = ("ussd_sessions", "sessions", "trail", "outbox", "wallet_transactions", "desk_pins")

Rows: TypeAlias = list[list[tuple[Any, ...]]]  # by table


class RecordedSteps(Steps):
    """``taken`` are the nodes where steps were taken; ``None`` is the menu."""

    taken: list[Node | None]

    def take(
        self, tx: Tx, event: Event, person: Person | None, session: Session, **rest: Any
    ) -> Stepped:
        self.taken.append(session.current_node)
        return super().take(tx, event, person, session, **rest)


class StrictHops(Hops):
    """What goes wrong is raised, and not answered with its reference."""

    async def _fault(self, hop: Hop) -> NoReturn:
        raise


class HopDesk:
    def __init__(self, store: PlainStore, policy: Policy = NO_CODES) -> None:
        self.store = store
        database = cast("Database", StoreDatabase(store))
        engine, sessions = Engine(all_flows(), TEXTS, HANDLERS), SessionCache(all_flows())
        context = AppContext(
            TEXTS,
            cast("Random", random.Random(1)),
            KEYS,
            policy,
            channels={**CHANNELS, CHANNEL: PHONE_MENU},
        )
        self._sessions = sessions
        self.steps = RecordedSteps(engine, sessions, context, lambda tx, outcome: ())
        self.steps.taken = []
        self.hops = StrictHops(
            database,
            context,
            PhoneAnswers(context, self.steps, sessions),
            self._pushed,
            self._begins,
        )

    async def hop(self, session: str, text: str, phone: str = PHONE.msisdn) -> Page:
        self.steps.taken = []
        return await self.hops.answer(Hop(GATEWAY, session, phone, CODE, "63902", text))

    def node(self) -> Node | None:
        """Where the conversation stands."""
        return self.store.do(lambda tx: self._sessions.peek(tx, CHANNEL, PHONE.msisdn).current_node)

    def rows(self) -> Rows:
        """All that a hop could have changed, but for what is said about a dispute."""

        def read(tx: StoreTx) -> Rows:
            return [list(tx.conn.execute(f"SELECT * FROM {table}")) for table in TABLES]  # noqa: S608

        return self.store.do(read)

    def _pushed(self, rows: Sequence[OutboxRow]) -> None:
        pass

    def _begins(self, operation: str) -> None:
        pass
