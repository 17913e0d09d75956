"""What happened in each conversation, one row per turn, without any text people typed."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class TrailStore:
    def __init__(self, conn: sqlite3.Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(
        self,
        channel: str,
        address: str,
        person_id: int | None,
        entry: str,
        before: str | None,
        outcome: str,
        after: str | None,
        operation: str | None,
    ) -> None:
        """``entry`` is the kind of input and the option tapped, never text."""
        self._conn.execute(
            "INSERT INTO trail (at, channel, address, person_id, input, before, outcome, after,"
            " operation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._time.ms,
                channel,
                address,
                person_id,
                entry,
                before,
                outcome,
                after,
                operation,
            ),
        )

    def last(self, count: int) -> list[str]:
        """The newest rows as lines, oldest first."""
        rows = self._conn.execute(
            "SELECT at, channel, address, input, before, outcome, after, operation FROM trail"
            " ORDER BY id DESC LIMIT ?",
            (count,),
        ).fetchall()
        lines = []
        for at, channel, address, entry, before, outcome, after, operation in reversed(rows):
            moment = from_ms(at).strftime("%Y-%m-%d %H:%M:%S")
            tail = f" {operation}" if operation else ""
            lines.append(
                f"{moment} {channel}:{address} {entry}: {before or '-'} "
                f"--{outcome}--> {after or '-'}{tail}"
            )
        return lines

    def delete_before(self, moment: datetime, limit: int) -> int:
        return self._conn.execute(
            "DELETE FROM trail WHERE id IN (SELECT id FROM trail WHERE at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount
