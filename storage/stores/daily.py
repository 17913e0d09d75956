"""The last business day each daily job was done for."""

from __future__ import annotations

from storage.sql import Connection


class DailyStore:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def last(self, job: str) -> str | None:
        row = self._conn.execute("SELECT day FROM daily WHERE job = ?", (job,)).fetchone()
        return None if row is None else str(row[0])

    def done(self, job: str, day: str) -> bool:
        """False when that day was marked before, whoever marked it."""
        return (
            self._conn.execute(
                "INSERT INTO daily (job, day) VALUES (?, ?) ON CONFLICT (job) DO UPDATE"
                " SET day = excluded.day WHERE daily.day <> excluded.day",
                (job, day),
            ).rowcount
            == 1
        )
