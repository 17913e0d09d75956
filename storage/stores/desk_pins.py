"""Desk PINs, PINs on their way, and what PINs approved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.desk_pin import TRIES_MAX, DeskPin, PinChange
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class DeskPinStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def find(self, person_id: int) -> DeskPin | None:
        row = self._conn.execute(
            "SELECT person_id, pepper_id, digest, wrong, set_at, locked_at FROM desk_pins"
            " WHERE person_id = ?",
            (person_id,),
        ).fetchone()
        if row is None:
            return None
        return DeskPin(
            person_id=row[0],
            pepper_id=row[1],
            digest=row[2],
            wrong=row[3],
            set_at=from_ms(row[4]),
            locked_at=from_ms(row[5]),
        )

    def put(self, person_id: int, pepper_id: str, digest: str) -> None:
        self._conn.execute(
            "INSERT INTO desk_pins (person_id, pepper_id, digest, set_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (person_id) DO UPDATE SET pepper_id = excluded.pepper_id,"
            " digest = excluded.digest, wrong = 0, set_at = excluded.set_at, locked_at = NULL",
            (person_id, pepper_id, digest, self._time.ms),
        )

    def count_attempt(self, person_id: int) -> DeskPin | None:
        counted = self._conn.execute(
            "UPDATE desk_pins SET wrong = wrong + 1,"
            " locked_at = CASE WHEN wrong + 1 >= ? THEN CAST(? AS BIGINT) END"
            " WHERE person_id = ? AND locked_at IS NULL",
            (TRIES_MAX, self._time.ms, person_id),
        ).rowcount
        return self.find(person_id) if counted else None

    def clear_attempts(self, person_id: int, pepper_id: str, digest: str) -> None:
        self._conn.execute(
            "UPDATE desk_pins SET wrong = 0, locked_at = NULL, pepper_id = ?, digest = ?"
            " WHERE person_id = ?",
            (pepper_id, digest, person_id),
        )

    def forget(self, person_id: int) -> None:
        self._conn.execute("DELETE FROM desk_pins WHERE person_id = ?", (person_id,))
        self._conn.execute("DELETE FROM desk_pin_changes WHERE person_id = ?", (person_id,))

    # On their way --------------------------------------------------------------------------

    def begin_change(self, operation: str, person_id: int) -> None:
        self._conn.execute("DELETE FROM desk_pin_changes WHERE person_id = ?", (person_id,))
        self._conn.execute(
            "INSERT INTO desk_pin_changes (operation, person_id, proved_at) VALUES (?, ?, ?)",
            (operation, person_id, self._time.ms),
        )

    def change(self, operation: str) -> PinChange | None:
        row = self._conn.execute(
            "SELECT operation, person_id, proved_at, pepper_id, digest FROM desk_pin_changes"
            " WHERE operation = ?",
            (operation,),
        ).fetchone()
        if row is None:
            return None
        return PinChange(
            operation=row[0],
            person_id=row[1],
            proved_at=from_ms(row[2]),
            pepper_id=row[3],
            digest=row[4],
        )

    def note_first(self, operation: str, pepper_id: str | None, digest: str | None) -> None:
        self._conn.execute(
            "UPDATE desk_pin_changes SET pepper_id = ?, digest = ? WHERE operation = ?",
            (pepper_id, digest, operation),
        )

    def end_change(self, operation: str) -> None:
        self._conn.execute("DELETE FROM desk_pin_changes WHERE operation = ?", (operation,))

    def delete_before(self, moment: datetime, limit: int) -> int:
        changes = self._conn.execute(
            "DELETE FROM desk_pin_changes WHERE operation IN"
            " (SELECT operation FROM desk_pin_changes WHERE proved_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount
        asked = self._conn.execute(
            "DELETE FROM pin_approvals WHERE approved_at IS NULL AND operation IN"
            " (SELECT operation FROM pin_approvals WHERE approved_at IS NULL AND asked_at < ?"
            "  LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount
        return max(changes, asked)

    # What they approved --------------------------------------------------------------------

    def ask(self, binding: Binding) -> None:
        self._conn.execute(
            "INSERT INTO pin_approvals (operation, purpose, partner, person_id, amount_cents,"
            " currency, destination, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*_columns(binding), self._time.ms),
        )

    def approve(self, binding: Binding) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO pin_approvals (operation, purpose, partner, person_id, amount_cents,"
            " currency, destination, asked_at, approved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (operation, purpose) DO UPDATE SET approved_at = excluded.approved_at"
            " WHERE pin_approvals.approved_at IS NULL AND pin_approvals.partner = excluded.partner"
            " AND pin_approvals.person_id = excluded.person_id"
            " AND pin_approvals.amount_cents = excluded.amount_cents"
            " AND pin_approvals.currency = excluded.currency"
            " AND pin_approvals.destination = excluded.destination",
            (*_columns(binding), self._time.ms, self._time.ms),
        )
        return cursor.rowcount == 1

    def asked(self, operation: str, purpose: Purpose) -> Binding | None:
        row = self._conn.execute(
            "SELECT operation, purpose, partner, person_id, amount_cents, currency, destination"
            " FROM pin_approvals WHERE operation = ? AND purpose = ?",
            (operation, purpose),
        ).fetchone()
        return None if row is None else _binding(row)

    def approved(self, operation: str, purpose: Purpose) -> Binding | None:
        row = self._conn.execute(
            "SELECT operation, purpose, partner, person_id, amount_cents, currency, destination"
            " FROM pin_approvals WHERE operation = ? AND purpose = ? AND approved_at IS NOT NULL",
            (operation, purpose),
        ).fetchone()
        return None if row is None else _binding(row)

    def partner_of(self, operation: str) -> str | None:
        row = self._conn.execute(
            "SELECT partner FROM pin_approvals WHERE operation = ? LIMIT 1", (operation,)
        ).fetchone()
        partner: str | None = None if row is None else row[0]
        return partner


def _columns(binding: Binding) -> tuple[str | int, ...]:
    return (
        binding.operation,
        binding.purpose,
        binding.partner,
        binding.person_id,
        binding.amount.cents,
        binding.amount.currency,
        binding.destination,
    )


def _binding(row: tuple[Any, ...]) -> Binding:
    return Binding(
        purpose=Purpose(row[1]),
        operation=row[0],
        partner=row[2],
        person_id=row[3],
        amount=Money(row[4], row[5]),
        destination=row[6],
    )
