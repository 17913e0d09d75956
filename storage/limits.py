"""Dated limits, cached because every amount asks for them and they seldom change."""

from __future__ import annotations

import sqlite3

from services.domain.money import Money
from storage.moment import Moment


class LimitStore:
    def __init__(self, conn: sqlite3.Connection, moment: Moment) -> None:
        self._conn = conn
        self._moment = moment
        self._cache: dict[str, list[tuple[int, Money]]] = {}

    def in_force(self, name: str) -> Money:
        if name not in self._cache:
            self._cache[name] = [
                (valid_from, Money(cents, currency))
                for valid_from, cents, currency in self._conn.execute(
                    "SELECT valid_from, amount_cents, currency FROM limits WHERE name = ?"
                    " ORDER BY valid_from DESC",
                    (name,),
                )
            ]
        for valid_from, limit in self._cache[name]:
            if valid_from <= self._moment.ms:
                return limit
        raise KeyError(name)

    def set(self, name: str, valid_from_ms: int, limit: Money, source: str) -> None:
        """Add a row; the ones before it stay for the days they were in force."""
        self._conn.execute(
            "INSERT INTO limits (name, valid_from, amount_cents, currency, source)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name, valid_from) DO UPDATE"
            " SET amount_cents = excluded.amount_cents, currency = excluded.currency,"
            " source = excluded.source",
            (name, valid_from_ms, limit.cents, limit.currency, source),
        )
        self.forget()

    def forget(self) -> None:
        self._cache.clear()
