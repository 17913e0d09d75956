"""Recipients that partners have saved under a name."""

from __future__ import annotations

from typing import Any

from services.domain.phone import Phone
from services.domain.recipient import Recipient, name_key
from storage.sql import Connection
from storage.time.milliseconds import from_ms
from storage.time.transaction_time import TransactionTime


class RecipientStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def of_name(self, partner: str, name: str) -> Recipient | None:
        row = self._conn.execute(
            "SELECT partner, name, phone, saved_by, saved_at FROM recipients"
            " WHERE partner = ? AND name_key = ?",
            (partner, name_key(name)),
        ).fetchone()
        return None if row is None else _recipient(row)

    def of_phone(self, partner: str, phone: Phone) -> Recipient | None:
        row = self._conn.execute(
            "SELECT partner, name, phone, saved_by, saved_at FROM recipients"
            " WHERE partner = ? AND phone = ?",
            (partner, phone.msisdn),
        ).fetchone()
        return None if row is None else _recipient(row)

    def save(self, partner: str, name: str, phone: Phone, person_id: int) -> None:
        self._conn.execute(
            "DELETE FROM recipients WHERE partner = ? AND (phone = ? OR name_key = ?)",
            (partner, phone.msisdn, name_key(name)),
        )
        self._conn.execute(
            "INSERT INTO recipients (partner, name_key, name, phone, saved_by, saved_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                partner,
                name_key(name),
                " ".join(name.split()),
                phone.msisdn,
                person_id,
                self._time.ms,
            ),
        )

    def remove(self, partner: str, name: str) -> bool:
        cursor = self._conn.execute(
            "DELETE FROM recipients WHERE partner = ? AND name_key = ?", (partner, name_key(name))
        )
        return cursor.rowcount == 1

    def count(self, partner: str) -> int:
        row = self._conn.execute(
            "SELECT count(*) FROM recipients WHERE partner = ?", (partner,)
        ).fetchone()
        return int(row[0])

    def first(self, partner: str, limit: int) -> list[Recipient]:
        rows = self._conn.execute(
            "SELECT partner, name, phone, saved_by, saved_at FROM recipients"
            " WHERE partner = ? ORDER BY name_key LIMIT ?",
            (partner, limit),
        )
        return [_recipient(row) for row in rows]


def _recipient(row: tuple[Any, ...]) -> Recipient:
    return Recipient(row[0], row[1], Phone(row[2]), row[3], from_ms(row[4]))
