"""Dated limits; cached, because every amount is checked against them and they rarely change."""

from __future__ import annotations

from services.domain.limits import EVERYBODY
from services.domain.money import Money
from storage.sql import Connection
from storage.stores.cache_version import CacheVersion, CacheVersions
from storage.time.transaction_time import TransactionTime


class LimitStore:
    def __init__(self, conn: Connection, time: TransactionTime, versions: CacheVersions) -> None:
        self._conn = conn
        self._time = time
        self._cache: dict[tuple[str, str], list[tuple[int, Money]]] = {}
        self._version = CacheVersion(versions, "limits", self.forget)

    def in_force(self, name: str, partner: str = EVERYBODY) -> Money:
        limit = self.find(name, partner)
        if limit is None:
            raise KeyError(name)
        return limit

    def find(self, name: str, partner: str = EVERYBODY) -> Money | None:
        own = self.own(name, partner)
        return self.own(name, EVERYBODY) if own is None and partner != EVERYBODY else own

    def own(self, name: str, partner: str) -> Money | None:
        """Like ``find``, but only for this partner itself."""
        for valid_from, limit in self._rows(name, partner):
            if valid_from <= self._time.ms:
                return limit
        return None

    def _rows(self, name: str, partner: str) -> list[tuple[int, Money]]:
        self._version.check()
        key = (name, partner)
        if key not in self._cache:
            self._cache[key] = [
                (valid_from, Money(cents, currency))
                for valid_from, cents, currency in self._conn.execute(
                    "SELECT valid_from, amount_cents, currency FROM limits"
                    " WHERE name = ? AND partner = ? ORDER BY valid_from DESC",
                    key,
                )
            ]
        return self._cache[key]

    def set_from_now(self, name: str, limit: Money, source: str, partner: str = EVERYBODY) -> None:
        self.set(name, self._time.ms, limit, source, partner)

    def set(
        self, name: str, valid_from_ms: int, limit: Money, source: str, partner: str = EVERYBODY
    ) -> None:
        """Add a row; earlier rows stay, for the days they were in force."""
        self._conn.execute(
            "INSERT INTO limits (name, partner, valid_from, amount_cents, currency, source)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name, partner, valid_from) DO UPDATE"
            " SET amount_cents = excluded.amount_cents, currency = excluded.currency,"
            " source = excluded.source",
            (name, partner, valid_from_ms, limit.cents, limit.currency, source),
        )
        self._version.bump()

    def forget(self) -> None:
        self._cache.clear()
