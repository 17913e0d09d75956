"""Sessions of USSD, and what gateways said of those that ended."""

from __future__ import annotations

from datetime import datetime

from services.domain.ussd import UssdEvent, UssdSession
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class UssdSessionStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def find(self, gateway: str, session: str) -> UssdSession | None:
        row = self._conn.execute(
            "SELECT gateway, session, phone, code, network, begun_at, heard_at, hops, text_length,"
            " text_digest, key_id, answer, screen, disputed_at FROM ussd_sessions"
            " WHERE gateway = ? AND session = ?",
            (gateway, session),
        ).fetchone()
        if row is None:
            return None
        return UssdSession(
            gateway=row[0],
            session=row[1],
            phone=row[2],
            code=row[3],
            network=row[4],
            begun_at=from_ms(row[5]),
            heard_at=from_ms(row[6]),
            hops=row[7],
            text_length=row[8],
            text_digest=row[9],
            key_id=row[10],
            answer=row[11],
            screen=row[12],
            disputed_at=from_ms(row[13]),
        )

    def save(self, session: UssdSession) -> None:
        self._conn.execute(
            "INSERT INTO ussd_sessions (gateway, session, phone, code, network, begun_at, heard_at,"
            " hops, text_length, text_digest, key_id, answer, goes_on, screen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (gateway, session) DO UPDATE SET heard_at = excluded.heard_at,"
            " hops = excluded.hops, text_length = excluded.text_length,"
            " text_digest = excluded.text_digest, key_id = excluded.key_id,"
            " answer = excluded.answer, goes_on = excluded.goes_on, screen = excluded.screen",
            (
                session.gateway,
                session.session,
                session.phone,
                session.code,
                session.network,
                to_ms(session.begun_at),
                to_ms(session.heard_at),
                session.hops,
                session.text_length,
                session.text_digest,
                session.key_id,
                session.answer,
                int(session.goes_on),
                session.screen,
            ),
        )

    def dispute(self, gateway: str, session: str) -> None:
        self._conn.execute(
            "UPDATE ussd_sessions SET disputed_at = ? WHERE gateway = ? AND session = ?",
            (self._time.ms, gateway, session),
        )

    def last_heard(self, phone: str) -> datetime | None:
        row = self._conn.execute(
            "SELECT max(heard_at) FROM ussd_sessions WHERE phone = ?", (phone,)
        ).fetchone()
        heard_at: int | None = row[0]
        return from_ms(heard_at)

    def begun_since(self, phone: str, moment: datetime) -> int:
        row = self._conn.execute(
            "SELECT count(*) FROM ussd_sessions WHERE phone = ? AND heard_at > ? AND begun_at > ?",
            (phone, to_ms(moment), to_ms(moment)),
        ).fetchone()
        return int(row[0])

    def delete_before(self, moment: datetime, limit: int) -> int:
        return self._conn.execute(
            "DELETE FROM ussd_sessions WHERE (gateway, session) IN"
            " (SELECT gateway, session FROM ussd_sessions WHERE heard_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


class UssdEventStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(self, event: UssdEvent) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO ussd_events (gateway, session, phone, network, code, status, hops,"
            " duration_ms, cost_cents, error, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (gateway, session) DO NOTHING",
            (*event, self._time.ms),
        )
        return cursor.rowcount == 1

    def delete_before(self, moment: datetime, limit: int) -> int:
        return self._conn.execute(
            "DELETE FROM ussd_events WHERE (gateway, session) IN"
            " (SELECT gateway, session FROM ussd_events WHERE received_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount
