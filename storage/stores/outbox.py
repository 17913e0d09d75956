"""What is to be said, written in the transaction that decided it and sent after its commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

from services.domain.phone import Phone
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class Rank(IntEnum):
    """Who is served first where messages wait."""

    ANSWER = 0  # to what somebody did: screens, outcomes, codes
    NOTICE = 1
    BULK = 2  # digests and broadcasts


class OutboxRow(NamedTuple):
    """One message. ``rows`` is JSON: rows of [option id, label]; see the table for the rest.

    ``put_off``: it was tried, and is not to be tried again before ``due_at``.
    """

    id: int
    channel: str
    address: str
    event_id: str | None
    n: int
    kind: str
    slot: str | None
    edits: bool
    text: str
    rows: str
    turn: int
    fallback: str | None
    protect: bool
    otp: str | None
    target: str | None
    silent: bool
    document: str | None
    attempts: int
    due_at: datetime
    unsure: int = 0
    rank: int = Rank.ANSWER
    put_off: bool = False


BEFORE_ALL = (-1, 0)  # the place in front of every message that waits


class OutboxStore:
    def __init__(self, conn: sqlite3.Connection, moment: TransactionTime) -> None:
        self._conn = conn
        self._moment = moment

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
    ) -> OutboxRow:
        """Queue a message; ``fallback`` is a phone to text when the chat does not take it.

        Without a ``rank`` notices have their own, and all else that of answers. ``otp`` is the code
        that a sealed ``text`` carries, ``target`` the message to take away, ``document`` the
        reference of what is sent with it.
        """
        if rank is None:
            rank = Rank.NOTICE if kind == "notice" else Rank.ANSWER
        cursor = self._conn.execute(
            "INSERT INTO outbox (channel, address, event_id, n, kind, slot, edits, text, rows,"
            " turn, fallback, protect, otp, target, silent, document, state, due_at, created_at,"
            " rank) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
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
                self._moment.ms,
                self._moment.ms,
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
            self._moment.now,
            0,
            rank,
        )

    def queued(self, after: tuple[int, int], limit: int) -> list[OutboxRow]:
        """What was never sent, by rank and then in order, from behind the place ``after``: a rank
        and an id, or ``BEFORE_ALL``."""
        rows = self._conn.execute(
            "SELECT id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,"
            " fallback, protect, otp, target, silent, document, attempts, due_at, unsure, rank,"
            " error IS NOT NULL"
            " FROM outbox"
            " WHERE state = 'queued' AND (rank, id) > (?, ?) ORDER BY rank, id LIMIT ?",
            (*after, limit),
        )
        return [_row(row) for row in rows]

    def waiting(self, limit: int) -> tuple[int, datetime | None]:
        """How many messages wait, counted up to ``limit``, and since when the oldest does."""
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
        """Queue as SMS what waits for a chat and has a phone to fall back on; once for each."""
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
        """Whether it is still to be sent: a code that ended meanwhile takes its messages along, and
        so does an account that was let go."""
        row = self._conn.execute("SELECT state FROM outbox WHERE id = ?", (row_id,)).fetchone()
        return row is not None and row[0] == "queued"

    def mark_sent(self, taken: Iterable[tuple[str, int]]) -> None:
        """The channel took each row, under a message id of its own, which stands before the row's
        number; what was sealed is wiped."""
        self._conn.executemany(
            "UPDATE outbox SET state = 'sent', attempts = attempts + 1, message_id = ?,"
            " text = CASE WHEN otp IS NULL THEN text ELSE '' END WHERE id = ?",
            taken,
        )

    def record_delivery_report(self, channel: str, message_id: str, delivered: bool) -> str | None:
        """A carrier's final word on a message; returns the code it carried, if it did."""
        row = self._conn.execute(
            "UPDATE outbox SET delivered = ? WHERE channel = ? AND message_id = ?"
            " AND channel IN ('sms', 'mail') AND message_id IS NOT NULL RETURNING otp",
            (int(delivered), channel, message_id),
        ).fetchone()
        return None if row is None else row[0]

    def may_arrive(self, otp: str) -> bool:
        """Whether any message with this code is still to be sent, or was and has not failed."""
        row = self._conn.execute(
            "SELECT 1 FROM outbox WHERE otp = ? AND (state = 'queued'"
            " OR state = 'sent' AND delivered IS NOT 0) LIMIT 1",
            (otp,),
        ).fetchone()
        return row is not None

    def schedule_retry(
        self, row_id: int, attempts: int, due_at: datetime, error: str, unsure: int = 0
    ) -> None:
        """It did not surely arrive, after so many tries, ``unsure`` of which may have: due again
        then."""
        self._conn.execute(
            "UPDATE outbox SET attempts = ?, due_at = ?, error = ?, unsure = ? WHERE id = ?",
            (attempts, to_ms(due_at), error, unsure, row_id),
        )

    def begin_unsure(self, row_id: int, unsure: int) -> None:
        """A send begins whose answer may be lost; ``again`` takes back what was clearly refused."""
        self._conn.execute("UPDATE outbox SET unsure = ? WHERE id = ?", (unsure, row_id))

    def unanswered(self, row_id: int, error: str) -> None:
        """A code that may have arrived, and is not sent again: as good as sent, without an id."""
        self._conn.execute(
            "UPDATE outbox SET state = 'sent', attempts = attempts + 1, error = ?, text = ''"
            " WHERE id = ?",
            (error, row_id),
        )

    def mark_dead(self, row_id: int, error: str) -> None:
        """It will never arrive."""
        self._conn.execute(
            "UPDATE outbox SET state = 'dead', attempts = attempts + 1, error = ?,"
            " text = CASE WHEN otp IS NULL THEN text ELSE '' END WHERE id = ?",
            (error, row_id),
        )

    def drop_queued(self, channel: str, address: str) -> None:
        """What waits for an account is for nobody any more: answers, notices, receipts and what
        goes with them. Codes end by themselves, and what a person typed is still taken away."""
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
        """Delete answers, from before this, to who was never shown a button: strangers."""
        return self._conn.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE turn = 0"
            " AND kind = 'answer' AND event_id IS NOT NULL AND state <> 'queued'"
            " AND created_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete sent and dead rows older than this; returns how many went."""
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
