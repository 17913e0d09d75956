"""Links to the dashboard and sessions of it, one row an admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.dashboard_session import DashboardSession
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class DashboardLoginStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def offer(self, channel: str, address: str, link: str, until: datetime) -> None:
        self._conn.execute(
            "INSERT INTO dashboard_logins (channel, address, link, link_until) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (channel, address) DO UPDATE"
            " SET link = excluded.link, link_until = excluded.link_until",
            (channel, address, link, to_ms(until)),
        )

    def spend(self, link: str, session: str) -> DashboardSession | None:
        row = self._conn.execute(
            "UPDATE dashboard_logins SET link = NULL, link_until = NULL, session = ?,"
            " session_begun = ?, session_used = ? WHERE link = ? AND link_until > ?"
            " RETURNING channel, address, session_begun, session_used",
            (session, self._time.ms, self._time.ms, link, self._time.ms),
        ).fetchone()
        return None if row is None else _session(row)

    def session(self, session: str) -> DashboardSession | None:
        row = self._conn.execute(
            "SELECT channel, address, session_begun, session_used FROM dashboard_logins"
            " WHERE session = ?",
            (session,),
        ).fetchone()
        return None if row is None else _session(row)

    def note_use(self, session: str) -> None:
        self._conn.execute(
            "UPDATE dashboard_logins SET session_used = ? WHERE session = ?",
            (self._time.ms, session),
        )

    def end(self, session: str) -> None:
        self._conn.execute(
            "UPDATE dashboard_logins SET session = NULL, session_begun = NULL,"
            " session_used = NULL WHERE session = ?",
            (session,),
        )

    def end_all(self) -> None:
        self._conn.execute("DELETE FROM dashboard_logins")


def _session(row: tuple[Any, ...]) -> DashboardSession:
    channel, address, begun, used = row
    return DashboardSession(channel, address, from_ms(begun), from_ms(used))
