"""One-time codes: rows of ``otp_validations``, and the phones that are locked for too many."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from services.domain.money import Money
from services.domain.otp import CHECKS_MAX, Binding, Otp, OtpStatus, Purpose
from services.domain.phone import Phone
from storage.moment import Moment
from storage.times import from_ms, to_ms


class OtpStore:
    def __init__(self, conn: sqlite3.Connection, moment: Moment) -> None:
        self._conn = conn
        self._moment = moment

    def add(self, otp: Otp) -> None:
        binding = otp.binding
        self._conn.execute(
            "INSERT INTO otp_validations (id, purpose, operation, partner, person_id,"
            " amount_cents, currency, destination, phone, pepper_id, digest, status, attempts,"
            " sent, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                otp.id,
                binding.purpose,
                binding.operation,
                binding.partner,
                binding.person_id,
                binding.amount.cents,
                binding.amount.currency,
                binding.destination,
                otp.phone.msisdn,
                otp.pepper_id,
                otp.digest,
                otp.status,
                otp.attempts,
                otp.sent,
                to_ms(otp.created_at),
                to_ms(otp.expires_at),
            ),
        )

    def newest(self, operation: str) -> Otp | None:
        row = self._conn.execute(
            "SELECT * FROM codes WHERE operation = ? ORDER BY sent DESC LIMIT 1",
            (operation,),
        ).fetchone()
        return None if row is None else _otp(row)

    def of_phone(self, phone: Phone, limit: int) -> list[Otp]:
        """The newest codes that were sent to it, newest first."""
        rows = self._conn.execute(
            "SELECT * FROM codes WHERE phone = ? ORDER BY created_at DESC, sent DESC LIMIT ?",
            (phone.msisdn, limit),
        )
        return [_otp(row) for row in rows]

    def of_operation(self, operation: str) -> list[Otp]:
        """Every code of it, newest first: three at most."""
        rows = self._conn.execute(
            "SELECT * FROM codes WHERE operation = ? ORDER BY sent DESC", (operation,)
        )
        return [_otp(row) for row in rows]

    def of_id(self, otp_id: str) -> Otp | None:
        row = self._conn.execute(
            "SELECT * FROM codes WHERE id = ?",
            (otp_id,),
        ).fetchone()
        return None if row is None else _otp(row)

    def count_attempt(self, operation: str) -> Otp | None:
        """Count one more check of the live code; ``None`` when there is none to check."""
        counted = self._conn.execute(
            "UPDATE otp_validations SET attempts = attempts + 1 WHERE operation = ?"
            " AND status = 'pending' AND attempts < ? AND expires_at > ?",
            (operation, CHECKS_MAX, self._moment.ms),
        ).rowcount
        return self.newest(operation) if counted else None

    def end(self, otp_id: str, status: OtpStatus) -> None:
        """Take a live code out of ``pending``; the database wipes what was to carry it."""
        self._conn.execute(
            "UPDATE otp_validations SET status = ?, ended_at = ? WHERE id = ?"
            " AND status = 'pending'",
            (status, self._moment.ms, otp_id),
        )

    def pending_of(self, partner: str) -> list[Otp]:
        """Every live code of the partner: a handful, by the limits of codes an hour."""
        rows = self._conn.execute(
            "SELECT * FROM codes WHERE partner = ? AND status = 'pending'"
            " AND expires_at > ? AND created_at > ?",
            (partner, self._moment.ms, self._moment.ms - 3_600_000),
        )
        return [_otp(row) for row in rows]

    def expired(self, limit: int) -> list[Otp]:
        rows = self._conn.execute(
            "SELECT * FROM codes WHERE status = 'pending' AND expires_at <= ?"
            " ORDER BY expires_at LIMIT ?",
            (self._moment.ms, limit),
        )
        return [_otp(row) for row in rows]

    def nth_newest(
        self, n: int, since: datetime, *, partner: str | None = None, phone: Phone | None = None
    ) -> datetime | None:
        """When the ``n``-th newest code after ``since`` was drawn, for a partner or a phone;
        ``None`` when there were fewer."""
        if partner is not None:
            row = self._conn.execute(
                "SELECT created_at FROM otp_validations WHERE partner = ? AND created_at > ?"
                " ORDER BY created_at DESC LIMIT 1 OFFSET ?",
                (partner, to_ms(since), n - 1),
            ).fetchone()
        else:
            assert phone is not None
            row = self._conn.execute(
                "SELECT created_at FROM otp_validations WHERE phone = ? AND created_at > ?"
                " ORDER BY created_at DESC LIMIT 1 OFFSET ?",
                (phone.msisdn, to_ms(since), n - 1),
            ).fetchone()
        if row is None:
            return None
        created_at: int = row[0]
        return from_ms(created_at)

    def count_locked(self, phone: Phone, since: datetime) -> int:
        """Codes of this phone locked after ``since`` and after its last unlocking."""
        row = self._conn.execute(
            "SELECT count(*) FROM otp_validations WHERE phone = ? AND status = 'locked'"
            " AND created_at > ? - 86400000 AND ended_at > max(?, coalesce((SELECT"
            " max(unlocked_at) FROM otp_locks WHERE phone = otp_validations.phone), 0))",
            (phone.msisdn, to_ms(since), to_ms(since)),
        ).fetchone()
        return int(row[0])

    def lock(self, phone: Phone) -> None:
        self._conn.execute(
            "INSERT INTO otp_locks (phone, locked_at) VALUES (?, ?)"
            " ON CONFLICT (phone, locked_at) DO NOTHING",
            (phone.msisdn, self._moment.ms),
        )

    def locked_since(self, phone: Phone) -> datetime | None:
        row = self._conn.execute(
            "SELECT locked_at FROM otp_locks WHERE phone = ? AND unlocked_at IS NULL"
            " ORDER BY locked_at LIMIT 1",
            (phone.msisdn,),
        ).fetchone()
        if row is None:
            return None
        locked_at: int = row[0]
        return from_ms(locked_at)

    def unlock(self, phone: Phone, by: str) -> bool:
        return (
            self._conn.execute(
                "UPDATE otp_locks SET unlocked_at = ?, unlocked_by = ?"
                " WHERE phone = ? AND unlocked_at IS NULL",
                (self._moment.ms, by, phone.msisdn),
            ).rowcount
            > 0
        )

    def next_expiry(self) -> datetime | None:
        row = self._conn.execute(
            "SELECT min(expires_at) FROM otp_validations WHERE status = 'pending'"
        ).fetchone()
        expires_at: int | None = row[0]
        return from_ms(expires_at)

    def forget_before(self, moment: datetime, limit: int) -> int:
        """Delete ended codes drawn before this; returns how many went."""
        return self._conn.execute(
            "DELETE FROM otp_validations WHERE id IN (SELECT id FROM otp_validations"
            " WHERE status <> 'pending' AND created_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


def _otp(row: tuple[Any, ...]) -> Otp:
    return Otp(
        id=row[0],
        binding=Binding(
            purpose=Purpose(row[1]),
            operation=row[2],
            partner=row[3],
            person_id=row[4],
            amount=Money(row[5], row[6]),
            destination=row[7],
        ),
        phone=Phone(row[8]),
        pepper_id=row[9],
        digest=row[10],
        status=OtpStatus(row[11]),
        attempts=row[12],
        sent=row[13],
        created_at=from_ms(row[14]),
        expires_at=from_ms(row[15]),
    )
