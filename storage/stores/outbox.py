"""Outgoing messages, written in the transaction that decided them and sent after its commit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.domain.outbox import OutboxRow, Rank
from services.domain.phone import Phone
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class OutboxStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(
        self,
        channel: str,
        address: str,
        *,
        kind: str,
        text: str,
        rows: str = "[]",
        turn: int = 0,
        event_id: str | None = None,
        n: int = 0,
        slot: str | None = None,
        edits: bool = False,
        fallback: str | None = None,
        protect: bool = False,
        otp: str | None = None,
        target: str | None = None,
        silent: bool = False,
        document: str | None = None,
        rank: Rank | None = None,
        is_sent: bool = False,
    ) -> OutboxRow:
        """Queue a message; ``fallback`` is a phone to send an SMS to if the chat rejects it.

        ``rank`` defaults to NOTICE for notices and ANSWER for everything else. ``otp`` is the code
        in a sealed ``text``, ``target`` the message to delete, ``document`` the reference of the
        attachment. ``is_sent``: the channel shows it by itself, so it is stored and never queued.
        """
        if rank is None:
            rank = Rank.NOTICE if kind == "notice" else Rank.ANSWER
        cursor = self._conn.execute(
            "INSERT INTO outbox (channel, address, event_id, n, kind, slot, edits, text, rows,"
            " turn, fallback, protect, otp, target, silent, document, state, due_at, created_at,"
            " rank) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                channel,
                address,
                event_id,
                n,
                kind,
                slot,
                int(edits),
                text,
                rows,
                turn,
                fallback,
                int(protect),
                otp,
                target,
                int(silent),
                document,
                "sent" if is_sent else "queued",
                self._time.ms,
                self._time.ms,
                rank,
            ),
        )
        assert cursor.lastrowid is not None
        return OutboxRow(
            cursor.lastrowid,
            channel,
            address,
            event_id,
            n,
            kind,
            slot,
            edits,
            text,
            rows,
            turn,
            fallback,
            protect,
            otp,
            target,
            silent,
            document,
            0,
            self._time.now,
            0,
            rank,
        )

    def queued(self, after: tuple[int, int], limit: int) -> list[OutboxRow]:
        """Queued messages by rank and id, starting behind the position ``after``: a (rank, id), or
        ``BEFORE_ALL``. Ids are not in the order of commits: a position is good for one pass, and
        the next must start before all again."""
        rows = self._conn.execute(
            "SELECT id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,"
            " fallback, protect, otp, target, silent, document, attempts, due_at, unsure, rank,"
            " error IS NOT NULL"
            " FROM outbox"
            " WHERE state = 'queued' AND (rank, id) > (?, ?) ORDER BY rank, id LIMIT ?",
            (*after, limit),
        )
        return [_row(row) for row in rows]

    def answer_to(self, channel: str, address: str, event_id: str) -> OutboxRow | None:
        """The stored answer to an event of this account."""
        row = self._conn.execute(
            "SELECT id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,"
            " fallback, protect, otp, target, silent, document, attempts, due_at, unsure, rank,"
            " 0 FROM outbox"
            " WHERE channel = ? AND event_id = ? AND address = ? AND kind = 'answer'",
            (channel, event_id, address),
        ).fetchone()
        return None if row is None else _row(row)

    def unsent(self, channel: str, address: str, event_id: str) -> list[OutboxRow]:
        """What the channel has not accepted of the messages for an event of this account; no codes.

        They count as put off: one may be sent just now, which is looked up before a second send.
        """
        rows = self._conn.execute(
            "SELECT id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,"
            " fallback, protect, otp, target, silent, document, attempts, due_at, unsure, rank,"
            " 1 FROM outbox WHERE channel = ? AND event_id = ? AND address = ?"
            " AND state = 'queued' AND otp IS NULL ORDER BY id",
            (channel, event_id, address),
        )
        return [_row(row) for row in rows]

    def waiting(self, limit: int) -> tuple[int, datetime | None]:
        """The number of queued messages, counted up to ``limit``, and when the oldest was
        queued."""
        (many,) = self._conn.execute(
            "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 'queued' LIMIT ?) AS waiting",
            (limit,),
        ).fetchone()
        oldest = [
            row[0]
            for rank in Rank
            for row in self._conn.execute(
                "SELECT created_at FROM outbox WHERE state = 'queued' AND rank = ?"
                " ORDER BY id LIMIT 1",
                (rank,),
            )
        ]
        return int(many), from_ms(min(oldest)) if oldest else None

    def fall_back_to_sms(self, row_id: int) -> list[OutboxRow]:
        """Queue a chat message's SMS fallback, if it has one; at most once per message."""
        found = self._conn.execute(
            "SELECT fallback, kind, text FROM outbox"
            " WHERE id = ? AND state = 'queued' AND fallback IS NOT NULL",
            (row_id,),
        ).fetchone()
        if found is None:
            return []
        self._conn.execute("UPDATE outbox SET fallback = NULL WHERE id = ?", (row_id,))
        phone, kind, text = found
        return [self.add("sms", phone, kind=kind, text=text)]

    def is_queued(self, row_id: int) -> bool:
        """Whether it is still to be sent: its code may have ended, or its account been unlinked."""
        row = self._conn.execute("SELECT state FROM outbox WHERE id = ?", (row_id,)).fetchone()
        return row is not None and row[0] == "queued"

    def mark_sent(self, taken: Iterable[tuple[str, int]]) -> None:
        """Mark (message id, row id) pairs as accepted by the channel, and wipe sealed texts."""
        self._conn.executemany(
            "UPDATE outbox SET state = 'sent', attempts = attempts + 1, message_id = ?,"
            " text = CASE WHEN otp IS NULL THEN text ELSE '' END WHERE id = ?",
            taken,
        )

    def record_delivery_report(self, channel: str, message_id: str, delivered: bool) -> str | None:
        """Store a carrier's final delivery report; returns the code the message carried, if any."""
        row = self._conn.execute(
            "UPDATE outbox SET delivered = ? WHERE channel = ? AND message_id = ?"
            " AND channel IN ('sms', 'mail') AND message_id IS NOT NULL RETURNING otp",
            (int(delivered), channel, message_id),
        ).fetchone()
        return None if row is None else row[0]

    def may_arrive(self, otp: str) -> bool:
        """Whether any message with this code is still queued, or was sent and has not failed."""
        row = self._conn.execute(
            "SELECT 1 FROM outbox WHERE otp = ? AND (state = 'queued'"
            " OR state = 'sent' AND coalesce(delivered, 1) = 1) LIMIT 1",
            (otp,),
        ).fetchone()
        return row is not None

    def delivery_of(self, otp: str, channel: str) -> str:
        row = self._conn.execute(
            "SELECT state, delivered FROM outbox WHERE otp = ? AND channel = ?"
            " ORDER BY id DESC LIMIT 1",
            (otp, channel),
        ).fetchone()
        if row is None:
            return "none"
        state, delivered = row
        if state == "sent":
            return {None: "sent", 1: "delivered"}.get(delivered, "failed")
        return "queued" if state == "queued" else "failed"

    def schedule_retry(
        self, row_id: int, attempts: int, due_at: datetime, error: str, unsure: int = 0
    ) -> None:
        """Retry at ``due_at``: delivery is not certain after so many attempts, ``unsure`` of which
        may have arrived."""
        self._conn.execute(
            "UPDATE outbox SET attempts = ?, due_at = ?, error = ?, unsure = ? WHERE id = ?",
            (attempts, to_ms(due_at), error, unsure, row_id),
        )

    def begin_unsure(self, row_id: int, unsure: int) -> None:
        """Record a send whose answer may get lost; ``schedule_retry`` undoes it on a refusal."""
        self._conn.execute("UPDATE outbox SET unsure = ? WHERE id = ?", (unsure, row_id))

    def unanswered(self, row_id: int, error: str) -> None:
        """Record that a code may have arrived and must not be resent: sent, but without a message
        id."""
        self._conn.execute(
            "UPDATE outbox SET state = 'sent', attempts = attempts + 1, error = ?, text = ''"
            " WHERE id = ?",
            (error, row_id),
        )

    def mark_dead(self, row_id: int, error: str) -> None:
        """Give up on the message."""
        self._conn.execute(
            "UPDATE outbox SET state = 'dead', attempts = attempts + 1, error = ?,"
            " text = CASE WHEN otp IS NULL THEN text ELSE '' END WHERE id = ?",
            (error, row_id),
        )

    def drop_queued(self, channel: str, address: str) -> None:
        """Drop the queued messages of an account that was unlinked: answers, notices, receipts and
        attachments. Codes end by themselves, and secrets that a person typed are still wiped."""
        self._conn.execute(
            "UPDATE outbox SET state = 'dead', error = 'let go' WHERE state = 'queued'"
            " AND channel = ? AND address = ? AND otp IS NULL"
            " AND kind IN ('answer', 'notice', 'receipt')",
            (channel, address),
        )

    def drop_queued_sms(self, phone: Phone) -> None:
        """The same for SMS."""
        self.drop_queued("sms", phone.msisdn)

    def delete_unseen(self, moment: datetime, limit: int) -> int:
        """Delete answers from before this to strangers, who were never shown a button."""
        return self._conn.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE turn = 0"
            " AND kind = 'answer' AND event_id IS NOT NULL AND state <> 'queued'"
            " AND created_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete sent and dead messages older than this; returns how many."""
        return self._conn.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox"
            " WHERE state <> 'queued' AND created_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


def _row(row: tuple[Any, ...]) -> OutboxRow:
    return OutboxRow(
        id=row[0],
        channel=row[1],
        address=row[2],
        event_id=row[3],
        n=row[4],
        kind=row[5],
        slot=row[6],
        edits=bool(row[7]),
        text=row[8],
        rows=row[9],
        turn=row[10],
        fallback=row[11],
        protect=bool(row[12]),
        otp=row[13],
        target=row[14],
        silent=bool(row[15]),
        document=row[16],
        attempts=row[17],
        due_at=from_ms(row[18]),
        unsure=row[19],
        rank=row[20],
        put_off=bool(row[21]),
    )
