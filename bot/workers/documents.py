"""The worker that makes statements and charts.

It reads on a database reader and renders in a thread, so nothing slow runs on the writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from bot.context import AppContext
from bot.notify.outcomes import next_steps
from bot.outbox.database_retries import PushRows, read_when_available
from bot.turns.sessions import SessionCache
from bot.workers.bank_worker import BankWorker, CallPool, Wake
from bot.workers.document_content import file_name, read_content
from bot.workers.fair_shares import FairShares
from flows.engine.engine import Engine
from flows.engine.taps import UNBOUND
from services import statements
from services.documents import DocumentsMissing
from services.domain.bank import QrPicture
from services.domain.database import Priority
from services.domain.document import Document, Period
from services.domain.ledger import AccountKind
from services.domain.outbox import OutboxRow
from services.ports import Clock, Collections, Tx
from services.ports.database import Database

R = TypeVar("R")
_log = structlog.get_logger(__name__)

AT_ONCE = 2  # documents made concurrently: each needs a reader and a thread
PICTURES_AT_ONCE = 2  # bank calls in a separate limit: a slow bank must not delay statements
ATTEMPTS_MAX = 3  # given up if the process died this often while making it


class DocumentWorker(BankWorker):
    def __init__(
        self,
        database: Database,
        clock: Clock,
        engine: Engine,
        sessions: SessionCache,
        context: AppContext,
        push: PushRows,
        wake: Wake,
        collections: Collections,
    ) -> None:
        # By whether it is a picture from the bank.
        self._rotas = {False: FairShares(AT_ONCE), True: FairShares(PICTURES_AT_ONCE)}
        self._pool = CallPool(AT_ONCE + PICTURES_AT_ONCE)
        super().__init__(database, clock, push, wake, (self._pool,))
        self._engine = engine
        self._sessions = sessions
        self._context = context
        self._collections = collections
        self.threads = 0  # threads under way; a simulation stops its clock meanwhile

    async def scan(self) -> datetime | None:
        """Begin requested documents for which there is room. New requests and finished documents
        wake it."""
        if self._stopping:
            return None
        for pictures, rota in self._rotas.items():
            waiting = await self._database.read(partial(_waiting, pictures=pictures))
            if begun := rota.begin(waiting):
                await self._claim(rota, begun)
        return None

    async def _claim(self, rota: FairShares, references: Sequence[str]) -> None:
        claimed: list[Document] = []
        try:
            claimed = await self._database.write(
                lambda tx: tx.documents.claim(references), Priority.JOBS
            )
        finally:
            for reference in set(references).difference(document.reference for document in claimed):
                rota.end(reference)  # made in the meantime, or the claim was not committed
        for document in claimed:
            self._begin(self._pool, self._run(document))

    async def _run(self, document: Document) -> None:
        try:
            await self._make_and_queue(document)
        finally:
            self._rotas[document.topup is not None].end(document.reference)
            if not self._stopping:
                self._wake(None)

    async def _make_and_queue(self, document: Document) -> None:
        result = await self._content(document)

        def note(tx: Tx) -> tuple[None, list[OutboxRow]]:
            is_entitled = self._is_still_entitled(tx, document)
            row = self._queue_result(tx, document, result if is_entitled else "failed")
            return None, [row] if is_entitled else []

        await self._commit_answer(note)

    async def _content(self, document: Document) -> bytes | str:
        """The file, or the flow exit that says why there is none."""
        if document.attempts > ATTEMPTS_MAX:
            return "failed"
        if document.topup is not None:
            return await self._picture(document.topup)
        try:
            draw = await self._read(lambda tx: read_content(tx, document, self._context.texts))
            self.threads += 1
            try:
                return await asyncio.to_thread(draw)
            finally:
                self.threads -= 1
        except statements.TooManyLines:
            return "too_long"
        except DocumentsMissing as error:
            _log.error("document not made", reference=document.reference, why=str(error))
        except Exception:  # noqa: BLE001 - logged, and reported as our fault
            _log.exception("document not made", reference=document.reference)
        return "failed"

    async def _picture(self, reference: str) -> bytes | str:
        """The bank's QR picture that pays a top-up."""
        topup = await self._read(lambda tx: tx.topups.get(reference))
        assert topup is not None
        answer = await self._collections.qr(topup.reference, topup.amount)
        return answer.png if isinstance(answer, QrPicture) else "failed"

    async def _read(self, read: Callable[[Tx], R]) -> R:
        return await read_when_available(self._database, self._clock, read)

    def _is_still_entitled(self, tx: Tx, document: Document) -> bool:
        """Whether the requester may still see it: they may have left the partner since."""
        account = (document.channel, document.address)
        person = tx.people.at(*account)
        is_own = person is not None and person.partner.code == document.partner
        return is_own or account in self._context.admins

    def _queue_result(self, tx: Tx, document: Document, result: bytes | str) -> OutboxRow:
        """End the conversation's wait: queue the file, or the notice that there is none."""
        if isinstance(result, str):
            tx.documents.failed(document.reference)
        else:
            tx.documents.made(document.reference, file_name(document), result)
        if document.topup is not None:
            return self._qr(tx, document, document.topup, has_picture=isinstance(result, bytes))
        session = self._sessions.load(tx, document.channel, document.address)
        exit_name = result if isinstance(result, str) else "made"
        waiting = [
            frame.flow.name for frame in session.frames if frame.operation == document.reference
        ]
        flow = waiting[0] if waiting else "statement"
        key = self._engine.finish_operation(session, flow, document.reference, exit_name)
        self._sessions.save(tx, document.channel, document.address, session, touched=False)
        facts = {
            "reference": document.reference,
            "partner": self._whose(document),
            "period": Period(document.first_day, document.last_day),
        }
        return tx.outbox.add(
            document.channel,
            document.address,
            kind="receipt",
            text=self._context.texts.say(document.language, key, facts),
            rows=next_steps(
                tx,
                self._context,
                self._engine,
                (document.channel, document.address),
                flow,
                exit_name,
                document.reference,
            ),
            turn=UNBOUND,
            protect=False,
            document=None if isinstance(result, str) else document.reference,
        )

    def _whose(self, document: Document) -> str | None:
        """The partner, and the account if it is not the wallet."""
        if document.partner is None or document.account is AccountKind.WALLET:
            return document.partner
        say, facts = self._context.texts.say, {"partner": document.partner}
        return say(document.language, f"document.of_{document.account}", facts)

    def _qr(self, tx: Tx, document: Document, reference: str, *, has_picture: bool) -> OutboxRow:
        topup = tx.topups.get(reference)
        assert topup is not None
        key = "topup.expect.picture" if has_picture else "topup.expect.no_picture"
        facts = {"reference": reference, "amount": topup.amount}
        return tx.outbox.add(
            document.channel,
            document.address,
            kind="notice",
            text=self._context.texts.say(document.language, key, facts),
            document=document.reference if has_picture else None,
        )


def _waiting(tx: Tx, *, pictures: bool) -> list[tuple[str, str]]:
    return tx.documents.waiting(pictures=pictures)
