"""One-time codes: rows of ``otp_validations``, and locks after too many wrong codes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.audit import by_account
from services.domain.money import Money
from services.domain.otp import (
    CHECKS_MAX,
    LIFE,
    Binding,
    ChannelAddress,
    CodeHolder,
    CodeIssue,
    Otp,
    OtpStatus,
    Purpose,
)
from services.domain.phone import Phone
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class OtpStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(self, otp: Otp) -> None:
        binding = otp.binding
        self._conn.execute(
            "INSERT INTO otp_validations (id, purpose, operation, partner, person_id,"
            " amount_cents, currency, destination, phone, pepper_id, digest, status, attempts,"
            " sent, created_at, expires_at, channel, address)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                *(otp.account or (None, None)),
            ),
        )

    def newest(self, operation: str) -> Otp | None:
        row = self._conn.execute(
            "SELECT id, purpose, operation, partner, person_id, amount_cents, currency,"
            " destination, phone, pepper_id, digest, status, attempts, sent, created_at,"
            " expires_at, channel, address, verified_at"
            " FROM codes WHERE operation = ? ORDER BY sent DESC LIMIT 1",
            (operation,),
        ).fetchone()
        return None if row is None else _otp(row)

    def of_phone(self, phone: Phone, limit: int) -> list[Otp]:
        """The newest codes sent to the phone, newest first."""
        rows = self._conn.execute(
            "SELECT id, purpose, operation, partner, person_id, amount_cents, currency,"
            " destination, phone, pepper_id, digest, status, attempts, sent, created_at,"
            " expires_at, channel, address, verified_at"
            " FROM codes WHERE phone = ? ORDER BY created_at DESC, sent DESC, id DESC LIMIT ?",
            (phone.msisdn, limit),
        )
        return [_otp(row) for row in rows]

    def of_operation(self, operation: str) -> list[Otp]:
        """All codes of the operation, newest first: at most three."""
        rows = self._conn.execute(
            "SELECT id, purpose, operation, partner, person_id, amount_cents, currency,"
            " destination, phone, pepper_id, digest, status, attempts, sent, created_at,"
            " expires_at, channel, address, verified_at FROM codes WHERE operation = ?"
            " ORDER BY sent DESC",
            (operation,),
        )
        return [_otp(row) for row in rows]

    def of_id(self, otp_id: str) -> Otp | None:
        row = self._conn.execute(
            "SELECT id, purpose, operation, partner, person_id, amount_cents, currency,"
            " destination, phone, pepper_id, digest, status, attempts, sent, created_at,"
            " expires_at, channel, address, verified_at FROM codes WHERE id = ?",
            (otp_id,),
        ).fetchone()
        return None if row is None else _otp(row)

    def count_attempt(self, operation: str) -> Otp | None:
        """Count one more attempt on the pending code; ``None`` when there is none."""
        counted = self._conn.execute(
            "UPDATE otp_validations SET attempts = attempts + 1 WHERE operation = ?"
            " AND status = 'pending' AND attempts < ? AND expires_at > ?",
            (operation, CHECKS_MAX, self._time.ms),
        ).rowcount
        return self.newest(operation) if counted else None

    def verify(self, otp_id: str) -> None:
        self._conn.execute(
            "UPDATE otp_validations SET verified_at = ? WHERE id = ? AND status = 'pending'"
            " AND verified_at IS NULL",
            (self._time.ms, otp_id),
        )

    def expired_of(self, partner: str, limit: int) -> list[Otp]:
        rows = self._conn.execute(
            "SELECT id, purpose, operation, partner, person_id, amount_cents, currency,"
            " destination, phone, pepper_id, digest, status, attempts, sent, created_at,"
            " expires_at, channel, address, verified_at FROM codes"
            " WHERE status = 'pending' AND expires_at <= ? AND partner = ?"
            " AND purpose NOT IN ('link_phone', 'prove_mail')"
            " ORDER BY expires_at, id LIMIT ?",
            (self._time.ms, partner, limit),
        )
        return [_otp(row) for row in rows]

    def end(self, otp_id: str, status: OtpStatus) -> None:
        """Move a pending code to a final status; a trigger wipes the messages that would carry
        it."""
        self._conn.execute(
            "UPDATE otp_validations SET status = ?, ended_at = ? WHERE id = ?"
            " AND status = 'pending'",
            (status, self._time.ms, otp_id),
        )

    def pending_of(self, partner: str) -> list[Otp]:
        """The partner's pending codes: a handful, since codes per hour are limited."""
        rows = self._conn.execute(
            "SELECT id, purpose, operation, partner, person_id, amount_cents, currency,"
            " destination, phone, pepper_id, digest, status, attempts, sent, created_at,"
            " expires_at, channel, address, verified_at FROM codes WHERE partner = ?"
            " AND status = 'pending'"
            " AND expires_at > ? AND created_at > ? ORDER BY created_at, id",
            (partner, self._time.ms, self._time.ms - 3_600_000),
        )
        return [_otp(row) for row in rows]

    def expired(self, limit: int) -> list[Otp]:
        rows = self._conn.execute(
            "SELECT id, purpose, operation, partner, person_id, amount_cents, currency,"
            " destination, phone, pepper_id, digest, status, attempts, sent, created_at,"
            " expires_at, channel, address, verified_at FROM codes"
            " WHERE status = 'pending' AND expires_at <= ?"
            " ORDER BY expires_at, id LIMIT ?",
            (self._time.ms, limit),
        )
        return [_otp(row) for row in rows]

    # Codes drawn while the clock was ahead count no longer than they should: each window ends at
    # the current time.

    def issued_in(self, partner: str, purpose: Purpose, since: datetime) -> list[CodeIssue]:
        rows = self._conn.execute(
            "SELECT created_at, person_id, channel, address FROM otp_validations"
            " WHERE partner = ? AND purpose = ? AND created_at > ? AND created_at <= ?"
            " ORDER BY created_at DESC",
            (partner, purpose, to_ms(since), self._time.ms),
        )
        return [
            CodeIssue(from_ms(at), person_id, None if channel is None else (channel, address))
            for at, person_id, channel, address in rows
        ]

    def issued_to_phone(self, phone: Phone, purpose: Purpose, since: datetime) -> list[datetime]:
        rows = self._conn.execute(
            "SELECT created_at FROM otp_validations WHERE phone = ? AND purpose = ?"
            " AND created_at > ? AND created_at <= ? ORDER BY created_at DESC",
            (phone.msisdn, purpose, to_ms(since), self._time.ms),
        )
        return [from_ms(at) for (at,) in rows]

    def issued_to(self, destination: str, purpose: Purpose, since: datetime) -> list[datetime]:
        rows = self._conn.execute(
            "SELECT created_at FROM otp_validations WHERE destination = ? AND purpose = ?"
            " AND created_at > ? AND created_at <= ? ORDER BY created_at DESC",
            (destination, purpose, to_ms(since), self._time.ms),
        )
        return [from_ms(at) for (at,) in rows]

    def issued_for_account(
        self, account: ChannelAddress, purpose: Purpose, since: datetime
    ) -> list[datetime]:
        rows = self._conn.execute(
            "SELECT created_at FROM otp_validations WHERE channel = ? AND address = ?"
            " AND purpose = ? AND created_at > ? AND created_at <= ? ORDER BY created_at DESC",
            (*account, purpose, to_ms(since), self._time.ms),
        )
        return [from_ms(at) for (at,) in rows]

    def failed_attempts(self, who: CodeHolder, since: datetime) -> int:
        """Failed attempts on codes alive after ``since`` and drawn after the last unlock."""
        row = self._conn.execute(
            "SELECT max(unlocked_at) FROM otp_locks WHERE who = ? AND unlocked_at <= ?",
            (_name(who), self._time.ms),
        ).fetchone()
        # Codes drawn more than one lifetime earlier had already ended.
        drawn_after = max(to_ms(since - LIFE), row[0] or 0)
        if isinstance(who, Phone):
            row = self._conn.execute(
                "SELECT coalesce(sum(attempts - CASE WHEN status = 'used'"
                "  OR verified_at IS NOT NULL THEN 1 ELSE 0 END), 0)"
                " FROM otp_validations WHERE phone = ?"
                " AND purpose NOT IN ('link_phone', 'prove_mail')"
                " AND created_at > ? AND coalesce(ended_at, expires_at) > ?",
                (who.msisdn, drawn_after, to_ms(since)),
            ).fetchone()
        else:
            row = self._conn.execute(
                "SELECT coalesce(sum(attempts - CASE WHEN status = 'used'"
                "  OR verified_at IS NOT NULL THEN 1 ELSE 0 END), 0)"
                " FROM otp_validations WHERE channel = ? AND address = ?"
                " AND created_at > ? AND coalesce(ended_at, expires_at) > ?",
                (*who, drawn_after, to_ms(since)),
            ).fetchone()
        return int(row[0])

    def lock(self, who: CodeHolder) -> None:
        self._conn.execute(
            "INSERT INTO otp_locks (who, locked_at) VALUES (?, ?)"
            " ON CONFLICT (who, locked_at) DO NOTHING",
            (_name(who), self._time.ms),
        )

    def locked_since(self, who: CodeHolder) -> datetime | None:
        row = self._conn.execute(
            "SELECT locked_at FROM otp_locks WHERE who = ? AND unlocked_at IS NULL"
            " ORDER BY locked_at LIMIT 1",
            (_name(who),),
        ).fetchone()
        if row is None:
            return None
        locked_at: int = row[0]
        return from_ms(locked_at)

    def unlock(self, who: CodeHolder, by: str) -> bool:
        return (
            self._conn.execute(
                "UPDATE otp_locks SET unlocked_at = ?, unlocked_by = ?"
                " WHERE who = ? AND unlocked_at IS NULL",
                (self._time.ms, by, _name(who)),
            ).rowcount
            > 0
        )

    def accounts_of(self, phone: Phone) -> list[ChannelAddress]:
        """Accounts of people with this registered number, and accounts joining with it."""
        rows = self._conn.execute(
            "SELECT a.channel, a.address FROM addresses AS a JOIN people AS p ON p.id = a.person_id"
            " WHERE p.phone = ? UNION SELECT channel, address FROM invites"
            " WHERE phone = ? AND channel IS NOT NULL ORDER BY 1, 2",
            (phone.msisdn, phone.msisdn),
        )
        return [(channel, address) for channel, address in rows]

    def next_expiry(self) -> datetime | None:
        row = self._conn.execute(
            "SELECT min(expires_at) FROM otp_validations WHERE status = 'pending'"
        ).fetchone()
        expires_at: int | None = row[0]
        return from_ms(expires_at)

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete ended codes drawn before this; returns how many."""
        return self._conn.execute(
            "DELETE FROM otp_validations WHERE id IN (SELECT id FROM otp_validations"
            " WHERE status <> 'pending' AND created_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


def _name(who: CodeHolder) -> str:
    """The holder as locks store it."""
    return who.msisdn if isinstance(who, Phone) else by_account(*who)


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
        account=None if row[16] is None else (row[16], row[17]),
        verified_at=from_ms(row[18]),
    )
