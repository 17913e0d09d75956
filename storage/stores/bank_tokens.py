"""Tokens of banks that processes share. A lease says which of them asks for a new one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from services.domain.bank_token import StoredToken
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class BankTokenStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def newest(self, name: str) -> StoredToken:
        row = self._conn.execute(
            "SELECT version, sealed, expires_at FROM bank_tokens WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            return StoredToken(0)
        version, sealed, expires_at = row
        return StoredToken(int(version), sealed, from_ms(expires_at))

    def begin_renewal(self, name: str, renewer: str, until: datetime) -> bool:
        return (
            self._conn.execute(
                "INSERT INTO bank_tokens (name, version, renewer, renewing_until)"
                " VALUES (?, 0, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " renewer = excluded.renewer, renewing_until = excluded.renewing_until"
                " WHERE bank_tokens.renewing_until IS NULL OR bank_tokens.renewing_until <= ?",
                (name, renewer, to_ms(until), self._time.ms),
            ).rowcount
            == 1
        )

    def renewed(self, name: str, renewer: str, sealed: str, expires_at: datetime) -> None:
        self._conn.execute(
            "UPDATE bank_tokens SET version = version + 1, sealed = ?, expires_at = ?,"
            " renewer = NULL, renewing_until = NULL WHERE name = ? AND renewer = ?",
            (sealed, to_ms(expires_at), name, renewer),
        )

    def end_renewal(self, name: str, renewer: str) -> None:
        self._conn.execute(
            "UPDATE bank_tokens SET renewer = NULL, renewing_until = NULL"
            " WHERE name = ? AND renewer = ?",
            (name, renewer),
        )

    def end_renewals_of(self, renewers: Collection[str]) -> None:
        self._conn.executemany(
            "UPDATE bank_tokens SET renewer = NULL, renewing_until = NULL WHERE renewer = ?",
            [(renewer,) for renewer in renewers],
        )
