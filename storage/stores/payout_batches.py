"""Files of payouts: operations with their rows, each of which becomes a payout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.domain.fees import Quote
from services.domain.money import Money
from services.domain.payout_batch import (
    ROWS_MAX,
    Batch,
    BatchCounts,
    BatchResult,
    BatchRow,
    BatchState,
)
from services.domain.payout_tariff import TARIFF_VERSION
from services.domain.phone import Phone
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

_GET = (
    "SELECT w.reference, w.partner, w.person_id, w.channel, w.address, w.language, w.amount_cents,"
    " w.currency, b.fee_cents, b.code_phone, b.name, b.row_count, b.digest, b.doubles, b.accepted,"
    " b.approved_digest, w.state, w.reason, w.created_at, b.quoted_at, b.authorised_at,"
    " w.settled_at, b.told_at FROM wallet_transactions AS w"
    " JOIN payout_batches AS b ON b.reference = w.reference WHERE w.reference = ?"
)
# A row without a payout is cancelled once its batch is over.
_RESULTS = (
    "SELECT r.number, r.phone, r.amount_cents, r.currency, r.reference, r.name, r.remarks,"
    " coalesce(s.status, CASE WHEN o.standing = 'ended' THEN 'cancelled' ELSE '' END), w.reason,"
    " r.payout, w.receipt, p.recipient_name, w.settled_at FROM payout_batch_rows AS r"
    " JOIN wallet_transactions AS o ON o.reference = r.batch"
    " LEFT JOIN wallet_transactions AS w ON w.reference = r.payout"
    " LEFT JOIN payouts AS p ON p.reference = r.payout"
    " LEFT JOIN operation_states AS s ON s.kind = w.type AND s.state = w.state"
    " WHERE r.batch = ? AND r.number > ? ORDER BY r.number LIMIT ?"
)


class PayoutBatchStore:
    def __init__(
        self, conn: Connection, time: TransactionTime, changes: OperationChanges, locks: Locks
    ) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes
        self._locks = locks

    def add(self, batch: Batch, key: str) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
            " language, type, state, standing, amount_cents, currency, phone, idempotency_key,"
            " created_at, attempt, listed) VALUES (?, ?, ?, ?, ?, ?, 'payout_batch', ?,"
            " (SELECT standing FROM operation_states WHERE kind = 'payout_batch' AND state = ?),"
            " ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (reference) DO NOTHING",
            (
                batch.reference,
                batch.partner,
                batch.person_id,
                batch.channel,
                batch.address,
                batch.language,
                batch.state,
                batch.state,
                batch.amount.cents,
                batch.amount.currency,
                batch.phone.msisdn,
                key,
                to_ms(batch.created_at),
            ),
        )
        if cursor.rowcount == 0:
            return False
        self._changes.added(batch.reference)
        self._conn.execute(
            "INSERT INTO payout_batches (reference, code_phone, name, row_count, fee_cents, digest,"
            " doubles, accepted, quoted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                batch.reference,
                batch.phone.msisdn,
                batch.name,
                batch.rows,
                batch.quote.fees.cents,
                batch.digest,
                batch.doubles,
                batch.accepted,
                to_ms(batch.quoted_at),
            ),
        )
        return True

    def add_rows(self, reference: str, rows: Iterable[BatchRow]) -> None:
        self._conn.executemany(
            "INSERT INTO payout_batch_rows (batch, number, phone, amount_cents, currency,"
            " reference, name, remarks) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    reference,
                    row.number,
                    row.phone.msisdn,
                    row.amount.cents,
                    row.amount.currency,
                    row.reference,
                    row.name,
                    row.remarks,
                )
                for row in rows
            ],
        )

    def forget_rows(self, reference: str) -> None:
        self._conn.execute("DELETE FROM payout_batch_rows WHERE batch = ?", (reference,))

    def get(self, reference: str) -> Batch | None:
        row = self._conn.execute(_GET, (reference,)).fetchone()
        if row is not None and self._locks.take(LockKind.PARTNER, row[1]):
            row = self._conn.execute(_GET, (reference,)).fetchone()
        return None if row is None else _batch(row)

    def save(self, batch: Batch) -> None:
        self._changes.touch(batch.reference)
        self._conn.execute(
            "UPDATE payout_batches SET accepted = ?, approved_digest = ?, authorised_at = ?,"
            " told_at = ? WHERE reference = ?",
            (
                batch.accepted,
                batch.approved_digest,
                to_ms(batch.authorised_at),
                to_ms(batch.told_at),
                batch.reference,
            ),
        )
        self._conn.execute(
            "UPDATE wallet_transactions SET state = ?, standing ="
            " (SELECT standing FROM operation_states WHERE kind = 'payout_batch' AND state = ?),"
            " reason = ?, settled_at = ? WHERE reference = ?",
            (batch.state, batch.state, batch.reason, to_ms(batch.settled_at), batch.reference),
        )

    def rows(self, reference: str) -> list[BatchRow]:
        rows = self._conn.execute(
            "SELECT number, phone, amount_cents, currency, reference, name, remarks"
            " FROM payout_batch_rows WHERE batch = ? ORDER BY number",
            (reference,),
        )
        return [_row(row) for row in rows]

    def largest(self, reference: str, limit: int) -> list[BatchRow]:
        rows = self._conn.execute(
            "SELECT number, phone, amount_cents, currency, reference, name, remarks"
            " FROM payout_batch_rows WHERE batch = ? ORDER BY amount_cents DESC, number LIMIT ?",
            (reference, limit),
        )
        return [_row(row) for row in rows]

    def begun(self, reference: str, number: int, payout: str) -> None:
        self._conn.execute(
            "UPDATE payout_batch_rows SET payout = ? WHERE batch = ? AND number = ?",
            (payout, reference, number),
        )

    def row_of(self, payout: str) -> BatchRow | None:
        row = self._conn.execute(
            "SELECT number, phone, amount_cents, currency, reference, name, remarks"
            " FROM payout_batch_rows WHERE payout = ?",
            (payout,),
        ).fetchone()
        return None if row is None else _row(row)

    def counts(self, reference: str) -> BatchCounts:
        rows = self._conn.execute(
            "SELECT state, standing, count(*), sum(amount_cents) FROM batch_payouts"
            " WHERE batch = ? GROUP BY state, standing",
            (reference,),
        ).fetchall()
        paid = failed = unknown = cancelled = waiting = sent = cents = 0
        for state, standing, count, amount in rows:
            match standing:
                case "succeeded":
                    paid, cents = paid + count, cents + amount
                case "unknown":
                    unknown += count
                case "ready":
                    waiting += count
                case "sending" | "accepted":
                    sent += count
                case _ if state == "CANCELLED":
                    cancelled += count
                case _:
                    failed += count
        return BatchCounts(paid, failed, unknown, cancelled, waiting, sent, Money(cents))

    def has_rows_to_go(self, reference: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM batch_payouts WHERE batch = ?"
            " AND standing IN ('ready', 'sending', 'accepted') LIMIT 1",
            (reference,),
        ).fetchone()
        return row is not None

    def repeated_since(self, reference: str) -> str | None:
        row = self._conn.execute(
            # In this order: the payouts of each row's number, not the rows of each payout.
            "SELECT w.reference FROM payout_batches AS b CROSS JOIN wallet_transactions AS own"
            " CROSS JOIN payout_batch_rows AS r CROSS JOIN wallet_transactions AS w"
            " CROSS JOIN payouts AS p WHERE b.reference = ? AND own.reference = b.reference"
            " AND r.batch = b.reference AND w.type = 'disbursement' AND w.partner = own.partner"
            " AND w.phone = r.phone AND w.amount_cents = r.amount_cents"
            " AND w.currency = r.currency AND p.reference = w.reference"
            " AND NOT (w.channel = 'batch' AND w.address = r.batch)"
            " AND (w.state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN', 'PAID')"
            "   AND (p.authorised_at > b.quoted_at OR w.seq > own.seq)"
            "  OR w.state = 'PAID_AFTER_RETURN' AND w.settled_at >= b.quoted_at) LIMIT 1",
            (reference,),
        ).fetchone()
        return None if row is None else str(row[0])

    def has_open_rows(self, reference: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM batch_payouts WHERE batch = ?"
            " AND standing IN ('ready', 'sending', 'accepted', 'unknown') LIMIT 1",
            (reference,),
        ).fetchone()
        return row is not None

    def unsent(self, reference: str) -> list[str]:
        rows = self._conn.execute(
            "SELECT reference FROM batch_payouts WHERE batch = ?"
            " AND standing = 'ready' ORDER BY seq",
            (reference,),
        )
        return [reference for (reference,) in rows]

    def running(self) -> list[tuple[str, str]]:
        rows = self._conn.execute(
            "SELECT w.partner, w.reference FROM wallet_transactions AS w"
            " JOIN payout_batches AS b ON b.reference = w.reference WHERE w.state = 'RUNNING'"
            " AND EXISTS (SELECT 1 FROM batch_payouts AS r WHERE r.batch = w.reference"
            "  AND r.standing = 'ready' AND r.due_at IS NULL)"
            " ORDER BY b.last_turn, w.seq"
        )
        return [(partner, reference) for partner, reference in rows]

    def release(self, reference: str, limit: int) -> int:
        now = self._time.ms
        rows = self._conn.execute(
            "SELECT reference FROM batch_payouts WHERE batch = ?"
            " AND standing = 'ready' AND due_at IS NULL ORDER BY seq LIMIT ?",
            (reference, limit),
        ).fetchall()
        self._conn.executemany(
            "UPDATE payouts SET ready_since = ? WHERE reference = ?",
            [(now, payout) for (payout,) in rows],
        )
        self._conn.executemany(
            "UPDATE wallet_transactions SET due_at = ? WHERE reference = ?",
            [(now, payout) for (payout,) in rows],
        )
        self._conn.execute(
            "UPDATE payout_batches SET last_turn ="
            " (SELECT max(other.last_turn) + 1 FROM payout_batches AS other)"
            " WHERE reference = ?",
            (reference,),
        )
        return len(rows)

    def results(self, reference: str, after: int = 0, limit: int = ROWS_MAX) -> list[BatchResult]:
        rows = self._conn.execute(_RESULTS, (reference, after, limit))
        return [
            BatchResult(
                row=_row(row),
                status=row[7],
                reason=row[8],
                payout=row[9],
                receipt=row[10],
                recipient_name=row[11],
                settled_at=from_ms(row[12]),
            )
            for row in rows
        ]

    def quoted(self, channel: str, address: str) -> Batch | None:
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'payout_batch'"
            " AND channel = ? AND address = ? AND standing = 'quoted'",
            (channel, address),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def stale_quotes(self, before: datetime, limit: int) -> list[Batch]:
        rows = self._conn.execute(
            "SELECT w.reference FROM wallet_transactions AS w"
            " JOIN payout_batches AS b ON b.reference = w.reference WHERE w.type = 'payout_batch'"
            " AND w.standing = 'quoted' AND b.quoted_at < ?"
            " ORDER BY w.seq LIMIT ?",
            (to_ms(before), limit),
        ).fetchall()
        return self._all(rows)

    def without_code(self, person_id: int) -> list[Batch]:
        rows = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'payout_batch'"
            " AND state IN ('QUOTED', 'AWAITING_APPROVAL') AND person_id = ? ORDER BY seq",
            (person_id,),
        ).fetchall()
        return self._all(rows)

    def of_same_rows(self, partner: str, digest: str, since: datetime) -> Batch | None:
        """The newest that paid, pays or may pay these rows."""
        row = self._conn.execute(
            "SELECT w.reference FROM payout_batches AS b"
            " JOIN wallet_transactions AS w ON w.reference = b.reference"
            " WHERE b.digest = ? AND w.partner = ? AND b.quoted_at >= ? AND w.state IN"
            " ('AWAITING_APPROVAL', 'OTP_SENT', 'RUNNING', 'DONE', 'STOPPED')"
            " ORDER BY w.seq DESC LIMIT 1",
            (digest, partner, to_ms(since)),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def page(self, partner: str, before: str | None, limit: int) -> list[Batch]:
        rows = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'payout_batch'"
            " AND partner = ? AND state <> 'QUOTED' AND (CAST(? AS TEXT) IS NULL OR seq <"
            "  (SELECT seq FROM wallet_transactions WHERE reference = ?))"
            " AND EXISTS (SELECT 1 FROM payout_batch_rows WHERE batch ="
            "  wallet_transactions.reference) ORDER BY seq DESC LIMIT ?",
            (partner, before, before, limit),
        ).fetchall()
        return self._all(rows)

    def newest(self) -> str | None:
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'payout_batch'"
            " AND standing <> 'quoted' AND EXISTS (SELECT 1 FROM payout_batch_rows AS r"
            "  WHERE r.batch = wallet_transactions.reference) ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return None if row is None else str(row[0])

    def every(self) -> list[Batch]:
        rows = self._conn.execute(
            "SELECT reference FROM payout_batches ORDER BY reference"
        ).fetchall()
        return self._all(rows)

    def _all(self, rows: Sequence[tuple[Any, ...]]) -> list[Batch]:
        found = (self.get(reference) for (reference,) in rows)
        return [batch for batch in found if batch is not None]


def _row(row: tuple[Any, ...]) -> BatchRow:
    return BatchRow(row[0], Phone(row[1]), Money(row[2], row[3]), row[4], row[5], row[6])


def _batch(row: tuple[Any, ...]) -> Batch:
    currency = row[7]
    fees = Money(row[8], currency)
    return Batch(
        reference=row[0],
        partner=row[1],
        person_id=row[2],
        channel=row[3],
        address=row[4],
        language=row[5],
        quote=Quote(Money(row[6], currency), fees, Money(0, currency), TARIFF_VERSION, 0),
        phone=Phone(row[9]),
        name=row[10],
        rows=row[11],
        digest=row[12],
        doubles=row[13],
        accepted=row[14] == 1,
        approved_digest=row[15],
        state=BatchState(row[16]),
        reason=row[17],
        created_at=from_ms(row[18]),
        quoted_at=from_ms(row[19]),
        authorised_at=from_ms(row[20]),
        settled_at=from_ms(row[21]),
        told_at=from_ms(row[22]),
    )
