"""Turns on their own database, without a channel or an outbox."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, cast

from bot.context import AppContext as At
from bot.security.keyring import Keyring
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.turns.steps import Steps
from bot.turns.turn import Decided, Turns
from flows.catalogue import all_flows
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.engine import Engine, StepResult
from flows.engine.event import Event, EventKind
from flows.engine.host import Host
from flows.engine.session import Session
from flows.engine.texts import Texts
from services import partners
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.policy import NO_CODES, Policy
from services.ports import Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS

TEXTS = Texts.load()
KEYS = Keyring({"1": bytes(32)})
AMINA, AMINA_AT_HOME, BARAKA, ADMIN, STRANGER = "77", "770", "78", "1", "99"
ADMINS = (("telegram", ADMIN),)


class BrittleEngine(Engine):
    """Raises on the word "boom" after it has changed the session."""

    def step(self, session: Session, event: Event, host: Host) -> StepResult:
        step = super().step(session, event, host)
        if event.text == "boom":
            raise ZeroDivisionError("secret words")
        return step


class TurnRunner:
    """Turns on their own database, and what they reported to the rest of the program."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, ChannelCapabilities] = CHANNELS,
        policy: Policy = NO_CODES,
    ) -> None:
        self.database = database
        self.committed: list[OutboxRow] = []
        self.begun: list[str] = []
        self.count = 0
        self.serve(channels, policy)

    def serve(self, channels: Mapping[str, ChannelCapabilities], policy: Policy) -> None:
        """Decide the turns to come by this policy, as after a restart."""
        engine = BrittleEngine(all_flows(), TEXTS, HANDLERS)
        sessions = SessionCache(all_flows())
        context = At(
            TEXTS, cast("Random", random.Random(1)), KEYS, policy, ADMINS, channels=channels
        )
        steps = Steps(engine, sessions, context, lambda tx, outcome: ())
        self.turns = Turns(
            self.database, engine, sessions, context, steps, self._committed, self._begins
        )

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.committed += rows

    def _begins(self, operation: str) -> None:
        self.begun.append(operation)

    @property
    def began(self) -> int:
        return len(self.begun)

    def event(self, kind: EventKind, address: str = AMINA, **rest: Any) -> Event:
        self.count += 1
        return Event(rest.pop("channel", "telegram"), address, str(self.count), kind, **rest)

    async def say(self, text: str, address: str = AMINA, **rest: Any) -> Decided:
        return await self.turns.handle(self.event(EventKind.TEXT, address, text=text, **rest))

    async def command(self, word: str, address: str = AMINA, **rest: Any) -> Decided:
        return await self.turns.handle(self.event(EventKind.COMMAND, address, text=word, **rest))

    async def tap(self, option: str, address: str = AMINA, **rest: Any) -> Decided:
        row = await self.row(address, **rest)
        assert row is not None
        return await self.turns.handle(
            self.event(EventKind.TAP, address, turn=row[0], option=option, **rest)
        )

    async def to_confirm(self, address: str = AMINA, **rest: Any) -> None:
        await self.command("topup", address, **rest)
        await self.say("1500", address, **rest)
        await self.tap("mine", address, **rest)

    async def row(self, address: str = AMINA, channel: str = "telegram") -> tuple[int, str] | None:
        """Turn number and node of a conversation."""
        row = await self.database.read(lambda tx: tx.sessions.load(channel, address))
        return None if row is None else (row.turn, f"{row.flow}.{row.node}")

    async def count_of(self, table: str) -> int:
        def read(tx: StoreTx) -> int:
            return int(tx.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

        return await self.database.read(read)

    async def everything(self) -> list[list[tuple[Any, ...]]]:
        """All rows that a turn could have changed, in an order of their own: a server that tidies a
        table meanwhile returns them in another one."""

        def read(tx: StoreTx) -> list[list[tuple[Any, ...]]]:
            tables = ("sessions", "events", "outbox", "trail", "wallet_transactions")
            return [
                sorted(tx.conn.execute(f"SELECT * FROM {table}"), key=repr)  # noqa: S608
                for table in tables
            ]

        return await self.database.read(read)


def seed(tx: StoreTx) -> None:
    partners.add(tx, Partner("FINSAFE"))
    amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, Phone("254712345678"), None, "en")
    baraka = tx.people.add_person(
        "FINSAFE", "baraka", Role.VIEWER, Phone("254733123456"), None, "en"
    )
    for channel, address, person in (
        ("telegram", AMINA, amina),
        ("telegram", AMINA_AT_HOME, amina),
        ("terminal", AMINA, amina),
        ("telegram", BARAKA, baraka),
    ):
        tx.people.link(channel, address, person)
