"""A third kind of operation, as short as one can be: its rows, its table, and what it has of its
own beside the worker. Nothing outside of this file knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.workers.money_worker import CallLimits, Record
from services.domain.bank import NoAnswer, NotSent, Ready, Succeeded, Unknown
from services.domain.lease import Lease
from services.domain.outbox import OutboxRow
from storage.time.milliseconds import from_ms, to_ms
from storage.transaction import StoreTx
from tests.kit.scripted_bank import ScriptedToyBank
from tests.kit.worker_harness import AMINA

MIGRATION = (
    "INSERT INTO operation_kinds (kind, prefix) VALUES ('toy', 'TY')",
    "INSERT INTO operation_states (kind, state, standing) VALUES"
    " ('toy', 'READY', 'ready'), ('toy', 'SENDING', 'sending'), ('toy', 'ACCEPTED', 'accepted'),"
    " ('toy', 'DONE', 'succeeded'), ('toy', 'FAILED', 'ended'), ('toy', 'UNKNOWN', 'unknown')",
    "CREATE TABLE toys (reference TEXT NOT NULL PRIMARY KEY"
    " REFERENCES wallet_transactions (reference), sent_at INTEGER) STRICT",
)
LIMITS = CallLimits(lease=timedelta(seconds=60), sends_max=8, queries_max=8)
AGAIN = timedelta(seconds=5)
NOT_SENT_FOR = timedelta(seconds=60)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Toy:
    reference: str
    state: str
    attempt: int
    created_at: datetime
    sent_at: datetime | None = None
    due_at: datetime | None = None


def begin(tx: StoreTx, reference: str, partner: str = "FINSAFE") -> None:
    tx.conn.execute(
        "INSERT INTO wallet_transactions (reference, partner, channel, address, language, type,"
        " state, standing, amount_cents, currency, phone, idempotency_key, created_at, due_at)"
        " VALUES (?, ?, 'telegram', ?, 'en', 'toy', 'READY', 'ready', 100, 'KES', '', ?, ?, ?)",
        (reference, partner, AMINA, reference, tx.now_ms, tx.now_ms),
    )
    tx.conn.execute("INSERT INTO toys (reference) VALUES (?)", (reference,))


def get(tx: StoreTx, reference: str) -> Toy:
    state, attempt, created_at, sent_at, due_at = tx.conn.execute(
        "SELECT w.state, w.attempt, w.created_at, t.sent_at, w.due_at FROM wallet_transactions AS w"
        " JOIN toys AS t ON t.reference = w.reference WHERE w.reference = ?",
        (reference,),
    ).fetchone()
    return Toy(reference, state, attempt, from_ms(created_at), from_ms(sent_at), from_ms(due_at))


def save(tx: StoreTx, toy: Toy) -> Toy:
    tx.conn.execute(
        "UPDATE wallet_transactions SET state = ?, standing ="
        " (SELECT standing FROM operation_states WHERE kind = 'toy' AND state = ?), due_at = ?,"
        " leased_by = CASE WHEN ? = 'SENDING' THEN leased_by END WHERE reference = ?",
        (toy.state, toy.state, to_ms(toy.due_at), toy.state, toy.reference),
    )
    tx.conn.execute(
        "UPDATE toys SET sent_at = ? WHERE reference = ?", (to_ms(toy.sent_at), toy.reference)
    )
    return toy


class ToyKind:
    name = "toy"

    def __init__(self, bank: ScriptedToyBank, limits: CallLimits = LIMITS) -> None:
        self.limits = limits
        self._bank = bank

    def claim(
        self, tx: StoreTx, lease: Lease, sends: int, queries: int
    ) -> tuple[Sequence[Toy], Sequence[Toy]]:
        work, changes = [], []
        for reference in tx.claims.take(self.name, lease, sends, queries):
            toy = get(tx, reference)
            if toy.state == "SENDING":
                changes.append(self._unknown(tx, toy))
            elif toy.state == "READY" and tx.now >= toy.created_at + NOT_SENT_FOR:
                changes.append(save(tx, replace(toy, state="FAILED", due_at=None)))
            else:
                work.append(toy)
        return work, changes

    def is_to_send(self, claimed: Toy) -> bool:
        return claimed.state == "READY"

    async def prepare(self) -> Ready | NotSent:
        return await self._bank.prepare()

    def begin_sending(self, tx: StoreTx, claimed: Toy, lease: Lease) -> Toy | None:
        if not tx.claims.still_ready(claimed.reference, claimed.attempt):
            return None
        due_at = tx.now + lease.lasts
        return save(tx, replace(claimed, state="SENDING", sent_at=tx.now, due_at=due_at))

    async def send(self, ready: Ready, sending: Toy) -> Ready | NotSent | Unknown:
        return await self._bank.play(sending.reference)

    def record_answer(
        self, operation: Toy, answer: Ready | NotSent | Unknown, milliseconds: int
    ) -> Record[Toy]:
        def record(tx: StoreTx) -> Toy | None:
            if tx.evidence.has_money_call(operation.reference):
                return None
            call = "token" if operation.state == "READY" else "play"
            outcome = {Ready: "accepted", NotSent: "not_sent", Unknown: "unknown"}[type(answer)]
            tx.evidence.call(
                operation.reference, call, operation.attempt, outcome, "", milliseconds
            )
            toy = get(tx, operation.reference)
            if toy.attempt != operation.attempt or toy.state not in ("READY", "SENDING"):
                return None
            if isinstance(answer, Unknown):
                return self._unknown(tx, toy)
            state = "ACCEPTED" if isinstance(answer, Ready) else "READY"
            save(tx, replace(toy, state=state, due_at=tx.now + AGAIN))
            return None

        return record

    async def query(self, claimed: Toy) -> Succeeded | NoAnswer:
        return await self._bank.status(claimed.reference)

    def record_status(
        self, claimed: Toy, status: Succeeded | NoAnswer, milliseconds: int
    ) -> Record[Toy]:
        def record(tx: StoreTx) -> Toy | None:
            toy = get(tx, claimed.reference)
            if toy.state not in ("ACCEPTED", "UNKNOWN"):
                return None
            if isinstance(status, Succeeded):
                return save(tx, replace(toy, state="DONE", due_at=None))
            if toy.attempt == claimed.attempt:
                save(tx, replace(toy, due_at=tx.now + AGAIN))
            return None

        return record

    def messages(self, tx: StoreTx, change: Toy) -> Sequence[OutboxRow]:
        text = f"{change.reference} is {change.state}"
        return [tx.outbox.add("telegram", AMINA, kind="receipt", text=text)]

    def log(self, change: Toy) -> None:
        _log.info("toy settled", reference=change.reference, state=change.state)

    def _unknown(self, tx: StoreTx, toy: Toy) -> Toy:
        return save(tx, replace(toy, state="UNKNOWN", due_at=tx.now + AGAIN))
