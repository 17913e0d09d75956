"""What happened in each conversation, one row per turn, without any text people typed."""

from __future__ import annotations

from datetime import datetime

from services.domain.trail import TrailRow
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class TrailStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
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

    def newest(self, count: int) -> list[TrailRow]:
        rows = self._conn.execute(
            "SELECT at, channel, address, input, before, outcome, after, operation FROM trail"
            " ORDER BY id DESC LIMIT ?",
            (count,),
        )
        return [TrailRow(from_ms(at), *rest) for at, *rest in rows]

    def last(self, count: int) -> list[str]:
        """The newest rows as lines, oldest first."""
        return [_line(row) for row in reversed(self.newest(count))]

    def delete_before(self, moment: datetime, limit: int) -> int:
        return self._conn.execute(
            "DELETE FROM trail WHERE id IN (SELECT id FROM trail WHERE at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


def _line(row: TrailRow) -> str:
    tail = f" {row.operation}" if row.operation else ""
    return (
        f"{row.at:%Y-%m-%d %H:%M:%S} {row.channel}:{row.address} {row.entry}:"
        f" {row.before or '-'} --{row.outcome}--> {row.after or '-'}{tail}"
    )
