"""What is to be said, written in the transaction that decided it and sent after its commit."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, NamedTuple

from storage.moment import Moment
from storage.times import from_ms, to_ms


class OutboxRow(NamedTuple):
    """One message. ``rows`` is JSON: rows of [option id, label]; see the table for the rest."""

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
    attempts: int
    due_at: datetime


class OutboxStore:
    def __init__(self, conn: sqlite3.Connection, moment: Moment) -> None:
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
    ) -> OutboxRow:
        """Queue a message; ``fallback`` is a phone to text when the chat turns out to be shut."""
        cursor = self._conn.execute(
            "INSERT INTO outbox (channel, address, event_id, n, kind, slot, edits, text, rows,"
            " turn, fallback, protect, state, due_at, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?)",
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
                self._moment.ms,
                self._moment.ms,
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
            0,
            self._moment.now,
        )

    def queued(self, after: int, limit: int) -> list[OutboxRow]:
        """What was never sent, in order, from behind the row ``after``."""
        rows = self._conn.execute(
            "SELECT id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,"
            " fallback, protect, attempts, due_at FROM outbox WHERE state = 'queued' AND id > ?"
            " ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [_row(row) for row in rows]

    def sent(self, row_id: int) -> None:
        self._conn.execute(
            "UPDATE outbox SET state = 'sent', attempts = attempts + 1 WHERE id = ?", (row_id,)
        )

    def again(self, row_id: int, attempts: int, due_at: datetime, error: str) -> None:
        """It did not surely arrive, after so many tries: due again then."""
        self._conn.execute(
            "UPDATE outbox SET attempts = ?, due_at = ?, error = ? WHERE id = ?",
            (attempts, to_ms(due_at), error, row_id),
        )

    def dead(self, row_id: int, error: str) -> None:
        """It will never arrive."""
        self._conn.execute(
            "UPDATE outbox SET state = 'dead', attempts = attempts + 1, error = ? WHERE id = ?",
            (error, row_id),
        )

    def forget_before(self, moment: datetime, limit: int) -> int:
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
        attempts=row[13],
        due_at=from_ms(row[14]),
    )
