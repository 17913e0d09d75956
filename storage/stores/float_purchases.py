"""Float purchases: rows of ``wallet_transactions``, each with its ``float_purchases`` row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.fees import Quote
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.money import Money
from services.domain.phone import Phone
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

RECENT_ROWS = 40  # purchases considered for a person's usual amounts

_GET = (
    "SELECT reference, partner, person_id, channel, address, language, amount_cents, currency,"
    " transfer_fee_cents, processing_fee_cents, transfer_fee_version, processing_fee_version,"
    " phone, short_code, state, reason, created_at, quoted_at, authorised_at, submitted_at,"
    " settled_at, bank_id, attempt, due_at FROM purchases WHERE reference = ?"
)


class PurchaseStore:
    """Caches purchases that one function reads repeatedly; ``forget`` clears the cache between
    functions."""

    def __init__(
        self, conn: Connection, time: TransactionTime, changes: OperationChanges, locks: Locks
    ) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes
        self._locks = locks
        self._read: dict[str, Purchase] = {}

    def forget(self) -> None:
        self._read.clear()

    def add(self, purchase: Purchase, key: str) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
            " language, type, state, standing, amount_cents, currency, phone, idempotency_key,"
            " created_at, attempt, listed) VALUES (?, ?, ?, ?, ?, ?, 'b2c_float_purchase', ?,"
            " (SELECT standing FROM operation_states WHERE kind = 'b2c_float_purchase'"
            "  AND state = ?), ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (reference) DO NOTHING",
            (
                purchase.reference,
                purchase.partner,
                purchase.person_id,
                purchase.channel,
                purchase.address,
                purchase.language,
                purchase.state,
                purchase.state,
                purchase.amount.cents,
                purchase.amount.currency,
                purchase.phone.msisdn,
                key,
                to_ms(purchase.created_at),
            ),
        )
        if cursor.rowcount == 0:
            return False
        self._changes.added(purchase.reference)
        quote = purchase.quote
        self._conn.execute(
            "INSERT INTO float_purchases (reference, short_code, transfer_fee_cents,"
            " processing_fee_cents, transfer_fee_version, processing_fee_version, quoted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                purchase.reference,
                purchase.short_code,
                quote.transfer_fee.cents,
                quote.processing_fee.cents,
                quote.transfer_version,
                quote.processing_version,
                to_ms(purchase.quoted_at),
            ),
        )
        return True

    def get(self, reference: str) -> Purchase | None:
        if (known := self._read.get(reference)) is not None:
            return known
        row = self._conn.execute(_GET, (reference,)).fetchone()
        if row is not None and self._locks.take(LockKind.PARTNER, row[1]):
            row = self._conn.execute(_GET, (reference,)).fetchone()
        if row is None:
            return None
        return self._read.setdefault(reference, purchase_from_row(row))

    def quoted(self, channel: str, address: str) -> Purchase | None:
        """The open quote of this address, if any."""
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'b2c_float_purchase'"
            " AND channel = ? AND address = ? AND standing = 'quoted'",
            (channel, address),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def awaiting(
        self, person_id: int, channel: str, address: str, amount: Money
    ) -> Purchase | None:
        """The person's newest purchase of this amount that needs, or needed, a second person's
        approval."""
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE channel = ? AND address = ?"
            " AND type = 'b2c_float_purchase' AND state = 'AWAITING_APPROVAL' AND person_id = ?"
            " AND amount_cents = ? AND currency = ? ORDER BY seq DESC LIMIT 1",
            (channel, address, person_id, amount.cents, amount.currency),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def without_code(self, person_id: int) -> list[Purchase]:
        """The person's purchases for which no code has been drawn yet."""
        rows = self._conn.execute(
            "SELECT reference FROM ("
            " SELECT reference, seq FROM wallet_transactions WHERE type = 'b2c_float_purchase'"
            " AND standing = 'quoted' AND person_id = ?"
            " UNION ALL SELECT reference, seq FROM wallet_transactions"
            " WHERE type = 'b2c_float_purchase' AND state = 'AWAITING_APPROVAL'"
            " AND person_id = ?) AS open ORDER BY seq",
            (person_id, person_id),
        ).fetchall()
        found = (self.get(reference) for (reference,) in rows)
        return [purchase for purchase in found if purchase is not None]

    def save(self, purchase: Purchase) -> None:
        """Write the mutable fields; amount and quote may change only while it is quoted."""
        self._changes.touch(purchase.reference)
        quote = purchase.quote
        self._conn.execute(
            "UPDATE float_purchases SET short_code = ?, transfer_fee_cents = ?,"
            " processing_fee_cents = ?, transfer_fee_version = ?, processing_fee_version = ?,"
            " quoted_at = ?, authorised_at = ?, submitted_at = ?, bank_id = ? WHERE reference = ?",
            (
                purchase.short_code,
                quote.transfer_fee.cents,
                quote.processing_fee.cents,
                quote.transfer_version,
                quote.processing_version,
                to_ms(purchase.quoted_at),
                to_ms(purchase.authorised_at),
                to_ms(purchase.submitted_at),
                purchase.bank_id,
                purchase.reference,
            ),
        )
        self._conn.execute(
            "UPDATE wallet_transactions SET state = ?, standing ="
            " (SELECT standing FROM operation_states WHERE kind = 'b2c_float_purchase'"
            "  AND state = ?), reason = ?, amount_cents = ?, phone = ?,"
            " settled_at = ?, due_at = ?,"
            " leased_by = CASE WHEN ? = 'SUBMITTING' THEN leased_by END,"
            " listed = CASE WHEN ? IN ('OTP_SENT', 'AWAITING_APPROVAL', 'AUTHORISED', 'REFUSED')"
            "  THEN 1 ELSE listed END"
            " WHERE reference = ?",
            (
                purchase.state,
                purchase.state,
                purchase.reason,
                purchase.amount.cents,
                purchase.phone.msisdn,
                to_ms(purchase.settled_at),
                to_ms(purchase.due_at),
                purchase.state,
                purchase.state,
                purchase.reference,
            ),
        )
        self._read[purchase.reference] = purchase

    def bought_since(self, moment: datetime, partner: str | None = None) -> Money:
        """The sum authorised since then, without fees and without purchases the bank refused; of
        one partner, or of all."""
        row = self._conn.execute(
            "SELECT coalesce(sum(w.amount_cents), 0) FROM float_purchases AS f"
            " JOIN wallet_transactions AS w ON w.reference = f.reference"
            " WHERE f.authorised_at BETWEEN ? AND ? AND w.partner = coalesce(?, w.partner)"
            " AND w.state IN ('AUTHORISED', 'SUBMITTING', 'UNKNOWN', 'SUCCEEDED')",
            (to_ms(moment), self._time.ms, partner),
        ).fetchone()
        return Money(row[0])

    def unknown(self, partner: str, amount: Money) -> Purchase | None:
        """The newest purchase of this amount whose outcome is unknown."""
        row = self._conn.execute(
            # Search by due date: few rows are due, but the partner's history may be long.
            "SELECT reference FROM wallet_transactions WHERE type = 'b2c_float_purchase'"
            " AND due_at IS NOT NULL AND state = 'UNKNOWN' AND partner || '' = ?"
            " AND amount_cents = ? AND currency = ? ORDER BY seq DESC LIMIT 1",
            (partner, amount.cents, amount.currency),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def stale_quotes(self, before: datetime, limit: int) -> list[Purchase]:
        """Quotes from before this that nobody confirmed."""
        rows = self._conn.execute(
            "SELECT p.reference, p.partner, p.person_id, p.channel, p.address, p.language,"
            " p.amount_cents, p.currency, p.transfer_fee_cents, p.processing_fee_cents,"
            " p.transfer_fee_version, p.processing_fee_version, p.phone, p.short_code, p.state,"
            " p.reason, p.created_at, p.quoted_at, p.authorised_at, p.submitted_at, p.settled_at,"
            " p.bank_id, p.attempt, p.due_at FROM wallet_transactions AS w JOIN purchases AS p"
            " ON p.reference = w.reference WHERE w.type = 'b2c_float_purchase'"
            " AND w.standing = 'quoted' AND p.quoted_at < ?"
            " ORDER BY w.seq LIMIT ?",
            (to_ms(before), limit),
        )
        return [purchase_from_row(row) for row in rows]

    def newest(self) -> Purchase | None:
        """Over all partners; reads the whole table: for tests and the simulator."""
        row = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, transfer_fee_cents, processing_fee_cents, transfer_fee_version,"
            " processing_fee_version, phone, short_code, state, reason, created_at, quoted_at,"
            " authorised_at, submitted_at, settled_at, bank_id, attempt, due_at"
            " FROM purchases ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return None if row is None else purchase_from_row(row)

    def every(self) -> list[Purchase]:
        """Over all partners, whole table: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, transfer_fee_cents, processing_fee_cents, transfer_fee_version,"
            " processing_fee_version, phone, short_code, state, reason, created_at, quoted_at,"
            " authorised_at, submitted_at, settled_at, bank_id, attempt, due_at FROM purchases"
            " ORDER BY seq"
        )
        return [purchase_from_row(row) for row in rows]

    def bought(self) -> dict[str, Money]:
        """Amounts of successful purchases over all partners: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT reference, amount_cents, currency FROM purchases WHERE state = 'SUCCEEDED'"
        )
        return {reference: Money(cents, currency) for reference, cents, currency in rows}

    def recent_amounts(self, person_id: int, limit: int) -> list[Money]:
        rows = self._conn.execute(
            "SELECT amount_cents, currency FROM wallet_transactions WHERE person_id = ?"
            " AND type = 'b2c_float_purchase' AND standing = 'succeeded'"
            " ORDER BY seq DESC LIMIT ?",
            (person_id, RECENT_ROWS),
        )
        return list(dict.fromkeys(Money(cents, currency) for cents, currency in rows))[:limit]


def purchase_from_row(row: tuple[Any, ...]) -> Purchase:
    currency = row[7]
    return Purchase(
        reference=row[0],
        partner=row[1],
        person_id=row[2],
        channel=row[3],
        address=row[4],
        language=row[5],
        quote=Quote(
            Money(row[6], currency),
            Money(row[8], currency),
            Money(row[9], currency),
            row[10],
            row[11],
        ),
        phone=Phone(row[12]),
        short_code=row[13],
        state=PurchaseState(row[14]),
        reason=row[15],
        created_at=from_ms(row[16]),
        quoted_at=from_ms(row[17]),
        authorised_at=from_ms(row[18]),
        submitted_at=from_ms(row[19]),
        settled_at=from_ms(row[20]),
        bank_id=row[21],
        attempt=row[22],
        due_at=from_ms(row[23]),
    )
