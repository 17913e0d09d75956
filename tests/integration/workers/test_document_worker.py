"""A requested document goes only to someone who still has the right to it when it is ready."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from bot.context import AppContext
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.workers.document_content import read_content
from bot.workers.documents import DocumentWorker
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services import partners
from services.domain.database import DatabaseUnavailable
from services.domain.document import Document, DocumentFormat, DocumentState
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.policy import NO_CODES
from services.ports import Collections, Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file
from tests.kit.channels import CHANNELS
from tests.kit.unavailable import away_at_first

C = TypeVar("C", bound=DocumentWorker)
ADMIN, AMINA, GONE, ELSEWHERE = "900", "77", "78", "79"


class DocumentHarness:
    """The document worker on its own database, with the messages it would send."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sent: list[OutboxRow] = []
        self.worker = self.worker_of(DocumentWorker)

    def worker_of(self, kind: type[C]) -> C:
        texts, flows = Texts.load(), all_flows()
        chance = cast("Random", random.Random(1))
        return kind(
            self.database,
            VirtualClock(),
            Engine(flows, texts, HANDLERS),
            SessionCache(flows),
            AppContext(
                texts,
                chance,
                Keyring({"1": bytes(32)}),
                NO_CODES,
                (("telegram", ADMIN),),
                channels=CHANNELS,
            ),
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
        await self.worker.scan()
        await self.worker.stop(grace_s=5.0)
        made = await self.database.read(lambda tx: tx.documents.get("ST-222222"))
        assert made is not None
        return made.state


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[DocumentHarness]:
    def seed(tx: StoreTx) -> None:
        for code, name, address in (("FINSAFE", "amina", AMINA), ("OTHER", "juma", ELSEWHERE)):
            partners.add(tx, Partner(code))
            phone = Phone("254712345678")
            person = tx.people.add_person(code, name, Role.OWNER, phone, None, "en")
            tx.people.link("telegram", address, person)

    database = await Database.open(blank_file(tmp_path / "hazina.db"), VirtualClock().now)
    await database.write(seed)
    yield DocumentHarness(database)
    await database.close()


@pytest.mark.parametrize("address", [AMINA, ADMIN])
async def test_a_statement_goes_to_who_asked(harness: DocumentHarness, address: str) -> None:
    assert await harness.makes(address) is DocumentState.MADE
    assert [(row.address, row.document) for row in harness.sent] == [(address, "ST-222222")]


@pytest.mark.parametrize("address", [GONE, ELSEWHERE])
async def test_nothing_goes_to_who_was_let_go_meanwhile(
    harness: DocumentHarness, address: str
) -> None:
    assert await harness.makes(address) is DocumentState.FAILED
    assert harness.sent == []


async def test_what_cannot_be_read_just_now_is_made_a_little_later(
    harness: DocumentHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [3]
    monkeypatch.setattr("bot.workers.documents.read_content", away_at_first(read_content, left))
    monkeypatch.setattr("bot.outbox.database_retries.AGAIN_S", 0.0)
    assert await harness.makes(AMINA) is DocumentState.MADE
    assert left == [0]


# Order and attempts


class HeldDocumentWorker(DocumentWorker):
    """A document worker that finishes a document when told to."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.begun: list[str] = []
        self.held: dict[str, asyncio.Event] = {}

    async def _content(self, document: Document) -> bytes | str:
        self.begun.append(document.reference)
        await self.held.setdefault(document.reference, asyncio.Event()).wait()
        return b"file"


@pytest.fixture
async def held(harness: DocumentHarness) -> AsyncIterator[HeldDocumentWorker]:
    harness.worker = worker = harness.worker_of(HeldDocumentWorker)
    yield worker
    await worker.stop(grace_s=0.0)


async def asks(harness: DocumentHarness, address: str, *references: str) -> None:
    day = date(2026, 3, 1)

    def ask(tx: StoreTx) -> None:
        for reference in references:
            code = "FINSAFE" if address != ELSEWHERE else "OTHER"
            document = Document(
                reference, code, "telegram", address, "en", DocumentFormat.CSV, day, day
            )
            assert tx.documents.add(document)

    await harness.database.write(ask)
    await harness.worker.scan()
    await asyncio.sleep(0)


async def ends(worker: HeldDocumentWorker, reference: str) -> None:
    tasks = set(worker._pool.tasks)
    worker.held[reference].set()
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await worker.scan()
    await asyncio.sleep(0)


async def test_a_statement_is_not_behind_the_many_of_another_partner(
    harness: DocumentHarness, held: HeldDocumentWorker
) -> None:
    big = [f"ST-22222{n}" for n in range(2, 10)]
    await asks(harness, AMINA, *big)
    assert held.begun == big[:1]
    await asks(harness, ELSEWHERE, "ST-333333")
    assert held.begun == [big[0], "ST-333333"]
    await ends(held, "ST-333333")
    await asks(harness, ADMIN, "ST-444444")  # an export of the first partner's
    assert held.begun[2:] == ["ST-444444"]
    await ends(held, big[0])
    assert held.begun[3:] == [big[1]]


async def test_a_document_in_the_making_counts_no_further_attempt(
    harness: DocumentHarness, held: HeldDocumentWorker
) -> None:
    await asks(harness, AMINA, "ST-222222", "ST-222223")
    for _ in range(5):
        await held.scan()
    document = await harness.database.read(lambda tx: tx.documents.get("ST-222222"))
    assert document is not None
    assert (document.attempts, held.begun) == (1, ["ST-222222"])


async def test_what_the_database_did_not_take_is_begun_at_the_next_look(
    harness: DocumentHarness, held: HeldDocumentWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise DatabaseUnavailable("full")

    with monkeypatch.context() as patch:
        patch.setattr(harness.database, "write", fails)
        with pytest.raises(DatabaseUnavailable):
            await held._claim(held._rotas[False], held._rotas[False].begin([("ST-222222", "A")]))
    await asks(harness, AMINA, "ST-222222")
    assert held.begun == ["ST-222222"]
