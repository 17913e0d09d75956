"""Partners' API keys; the keys themselves are not stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.api_key import ApiKey, Scope
from services.domain.money import Money
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

_GET = (
    "SELECT id, partner, scopes, created_by, created_at, expires_at, used_at, revoked_at,"
    " used_from, replaces, payout_ceiling_cents FROM api_keys WHERE id = ?"
)


class ApiKeyStore:
    def __init__(self, conn: Connection, time: TransactionTime, locks: Locks) -> None:
        self._conn = conn
        self._time = time
        self._locks = locks

    def add(self, key: ApiKey, digest: str) -> bool:
        """False when the id is taken: draw another."""
        cursor = self._conn.execute(
            "INSERT INTO api_keys (id, partner, digest, scopes, created_by, created_at,"
            " expires_at, replaces) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                key.id,
                key.partner,
                digest,
                " ".join(sorted(key.scopes)),
                key.created_by,
                to_ms(key.created_at),
                to_ms(key.expires_at),
                key.replaces,
            ),
        )
        return cursor.rowcount == 1

    def get(self, key_id: str) -> ApiKey | None:
        """Also keeps writers in other processes off its partner."""
        row = self._conn.execute(_GET, (key_id,)).fetchone()
        if row is not None and self._locks.take(LockKind.PARTNER, row[1]):
            row = self._conn.execute(_GET, (key_id,)).fetchone()
        return None if row is None else _api_key(row)

    def digest_of(self, key_id: str) -> str | None:
        row = self._conn.execute("SELECT digest FROM api_keys WHERE id = ?", (key_id,)).fetchone()
        return None if row is None else str(row[0])

    def of(self, partner: str) -> list[ApiKey]:
        """Newest first, including expired and revoked ones."""
        rows = self._conn.execute(
            "SELECT id, partner, scopes, created_by, created_at, expires_at, used_at, revoked_at,"
            " used_from, replaces, payout_ceiling_cents FROM api_keys"
            " WHERE partner = ? ORDER BY created_at DESC, id",
            (partner,),
        )
        return [_api_key(row) for row in rows]

    def expiring(self, after: datetime, until: datetime, used_since: datetime) -> list[ApiKey]:
        """Used keys without a successor; revoked ones are left out."""
        rows = self._conn.execute(
            "SELECT id, partner, scopes, created_by, created_at, expires_at, used_at, revoked_at,"
            " used_from, replaces, payout_ceiling_cents FROM api_keys AS k"
            " WHERE expires_at > ? AND expires_at <= ? AND used_at >= ? AND revoked_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM api_keys AS n WHERE n.replaces = k.id)"
            " ORDER BY expires_at, id",
            (to_ms(after), to_ms(until), to_ms(used_since)),
        )
        return [_api_key(row) for row in rows]

    def used(self, key_id: str, address: str) -> None:
        self._conn.execute(
            "UPDATE api_keys SET used_at = ?, used_from = ? WHERE id = ?",
            (self._time.ms, address, key_id),
        )

    def shorten(self, key_id: str, ends_at: datetime) -> None:
        self._conn.execute(
            "UPDATE api_keys SET expires_at = ? WHERE id = ? AND expires_at > ?",
            (to_ms(ends_at), key_id, to_ms(ends_at)),
        )

    def set_ceiling(self, key_id: str, ceiling: Money) -> None:
        self._conn.execute(
            "UPDATE api_keys SET payout_ceiling_cents = ? WHERE id = ?", (ceiling.cents, key_id)
        )

    def revoke(self, key_id: str) -> None:
        self._conn.execute(
            "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
            (self._time.ms, key_id),
        )


def _api_key(row: tuple[Any, ...]) -> ApiKey:
    return ApiKey(
        id=row[0],
        partner=row[1],
        scopes=frozenset(Scope(scope) for scope in row[2].split()),
        created_by=row[3],
        created_at=from_ms(row[4]),
        expires_at=from_ms(row[5]),
        used_at=from_ms(row[6]),
        revoked_at=from_ms(row[7]),
        used_from=row[8],
        replaces=row[9],
        payout_ceiling_cents=row[10],
    )
