"""What was asked for goes to whoever may still have it when it is made."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import pytest

from bot.clerk import Clerk
from bot.conversations import Conversations
from bot.desk import Desk
from bot.keys import Keyring
from bot.simulator.clock import VirtualClock
from flows.catalogue import all_flows
from flows.engine import Engine
from flows.words import Texts
from services import partners
from services.domain.document import Document, DocumentFormat, DocumentState
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.policy import NO_CODES
from services.ports import Collections, Random
from storage.database import Database
from storage.outbox import OutboxRow
from storage.transaction import SqliteTx

ADMIN, AMINA, GONE, ELSEWHERE = "900", "77", "78", "79"


class Room:
    """The clerk on a database of its own, with what it would send."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sent: list[OutboxRow] = []
        texts, flows = Texts.load(), all_flows()
        chance = cast("Random", random.Random(1))
        self.clerk = Clerk(
            database,
            VirtualClock(),
            Engine(flows, texts),
            Conversations(flows),
            Desk(texts, chance, Keyring({"1": bytes(32)}), NO_CODES, (("telegram", ADMIN),)),
            self._committed,
            lambda _: None,
            cast("Collections", None),
        )

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.sent += rows

    async def makes(self, address: str) -> DocumentState:
        day = date(2026, 3, 1)
        document = Document(
            "ST-222222", "FINSAFE", "telegram", address, "en", DocumentFormat.CSV, day, day
        )
        await self.database.write(lambda tx: tx.documents.add(document))
        await self.clerk.scan()
        await self.clerk.stop(grace_s=5.0)
        made = await self.database.read(lambda tx: tx.documents.get("ST-222222"))
        assert made is not None
        return made.state


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    def seed(tx: SqliteTx) -> None:
        for code, name, address in (("FINSAFE", "amina", AMINA), ("OTHER", "juma", ELSEWHERE)):
            partners.add(tx, Partner(code))
            phone = Phone("254712345678")
            person = tx.people.add_person(code, name, Role.OWNER, phone, None, "en")
            tx.people.link("telegram", address, person)

    database = await Database.open(tmp_path / "hazina.db", VirtualClock().now)
    await database.write(seed)
    yield Room(database)
    await database.close()


@pytest.mark.parametrize("address", [AMINA, ADMIN])
async def test_a_statement_goes_to_who_asked(room: Room, address: str) -> None:
    assert await room.makes(address) is DocumentState.MADE
    assert [(row.address, row.document) for row in room.sent] == [(address, "ST-222222")]


@pytest.mark.parametrize("address", [GONE, ELSEWHERE])
async def test_nothing_goes_to_who_was_let_go_meanwhile(room: Room, address: str) -> None:
    assert await room.makes(address) is DocumentState.FAILED
    assert room.sent == []
