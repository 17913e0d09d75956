"""Payouts: rows of ``wallet_transactions``, each with its ``payouts`` row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.domain.fees import Quote
from services.domain.money import Money
from services.domain.payout import Payout, PayoutState
from services.domain.phone import Phone
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

RECENT_ROWS = 60  # payouts considered for whom and what a partner usually pays

_GET = (
    "SELECT reference, partner, person_id, channel, address, language, amount_cents, currency,"
    " fee_cents, tariff_version, code_phone, recipient, short_code, remarks, client_reference,"
    " state, reason, created_at, quoted_at, authorised_at, ready_since, submitted_at, settled_at,"
    " conversation_id, claimed_paid_at, receipt, recipient_name, attempt, due_at"
    " FROM disbursements WHERE reference = ?"
)


class PayoutStore:
    """Unlike purchases, payouts are read from the database each time: two writers may work on one
    (a worker, and a Result that overtakes its answer)."""

    def __init__(
        self, conn: Connection, time: TransactionTime, changes: OperationChanges, locks: Locks
    ) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes
        self._locks = locks

    def add(self, payout: Payout, key: str) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
            " language, type, state, standing, amount_cents, currency, phone, idempotency_key,"
            " created_at, attempt, listed) VALUES (?, ?, ?, ?, ?, ?, 'disbursement', ?,"
            " (SELECT standing FROM operation_states WHERE kind = 'disbursement'"
            "  AND state = ?), ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (reference) DO NOTHING",
            (
                payout.reference,
                payout.partner,
                payout.person_id,
                payout.channel,
                payout.address,
                payout.language,
                payout.state,
                payout.state,
                payout.amount.cents,
                payout.amount.currency,
                payout.recipient.msisdn,
                key,
                to_ms(payout.created_at),
            ),
        )
        if cursor.rowcount == 0:
            return False
        self._changes.added(payout.reference)
        self._conn.execute(
            "INSERT INTO payouts (reference, code_phone, short_code, fee_cents, tariff_version,"
            " remarks, client_reference, quoted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                payout.reference,
                None if payout.phone is None else payout.phone.msisdn,
                payout.short_code,
                payout.quote.fees.cents,
                payout.quote.transfer_version,
                payout.remarks,
                payout.client_reference,
                to_ms(payout.quoted_at),
            ),
        )
        return True

    def get(self, reference: str) -> Payout | None:
        row = self._conn.execute(_GET, (reference,)).fetchone()
        if row is not None and self._locks.take(LockKind.PARTNER, row[1]):
            row = self._conn.execute(_GET, (reference,)).fetchone()
        return None if row is None else _payout(row)

    def of_conversation(self, conversation_id: str) -> Payout | None:
        rows = self._conn.execute(
            "SELECT reference FROM payouts WHERE conversation_id = ? LIMIT 2", (conversation_id,)
        ).fetchall()
        return self.get(rows[0][0]) if len(rows) == 1 else None

    def save(self, payout: Payout) -> None:
        self._changes.touch(payout.reference)
        self._conn.execute(
            "UPDATE payouts SET code_phone = ?, short_code = ?, fee_cents = ?, tariff_version = ?,"
            " remarks = ?, client_reference = ?, quoted_at = ?, authorised_at = ?,"
            " ready_since = ?, submitted_at = ?, conversation_id = ?, claimed_paid_at = ?,"
            " recipient_name = ? WHERE reference = ?",
            (
                None if payout.phone is None else payout.phone.msisdn,
                payout.short_code,
                payout.quote.fees.cents,
                payout.quote.transfer_version,
                payout.remarks,
                payout.client_reference,
                to_ms(payout.quoted_at),
                to_ms(payout.authorised_at),
                to_ms(payout.ready_since),
                to_ms(payout.submitted_at),
                payout.conversation_id,
                to_ms(payout.claimed_paid_at),
                payout.recipient_name,
                payout.reference,
            ),
        )
        self._conn.execute(
            "UPDATE wallet_transactions SET state = ?, standing ="
            " (SELECT standing FROM operation_states WHERE kind = 'disbursement'"
            "  AND state = ?), reason = ?, amount_cents = ?, phone = ?, receipt = ?,"
            " settled_at = ?, due_at = ?,"
            " leased_by = CASE WHEN ? = 'SUBMITTING' THEN leased_by END,"
            " listed = CASE WHEN ? IN ('OTP_SENT', 'AWAITING_APPROVAL', 'AUTHORISED', 'REFUSED')"
            "  THEN 1 ELSE listed END"
            " WHERE reference = ?",
            (
                payout.state,
                payout.state,
                payout.reason,
                payout.amount.cents,
                payout.recipient.msisdn,
                payout.receipt,
                to_ms(payout.settled_at),
                to_ms(payout.due_at),
                payout.state,
                payout.state,
                payout.reference,
            ),
        )

    def quoted(self, channel: str, address: str) -> Payout | None:
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'disbursement'"
            " AND channel = ? AND address = ? AND standing = 'quoted'",
            (channel, address),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def awaiting(
        self, person_id: int, channel: str, address: str, amount: Money, recipient: Phone
    ) -> Payout | None:
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE channel = ? AND address = ?"
            " AND type = 'disbursement' AND state = 'AWAITING_APPROVAL' AND person_id = ?"
            " AND amount_cents = ? AND currency = ? AND phone = ? ORDER BY seq DESC LIMIT 1",
            (channel, address, person_id, amount.cents, amount.currency, recipient.msisdn),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def without_code(self, person_id: int) -> list[Payout]:
        rows = self._conn.execute(
            "SELECT reference FROM ("
            " SELECT reference, seq FROM wallet_transactions WHERE type = 'disbursement'"
            " AND standing = 'quoted' AND person_id = ?"
            " UNION ALL SELECT reference, seq FROM wallet_transactions"
            " WHERE type || '' = 'disbursement' AND state = 'AWAITING_APPROVAL'"
            " AND person_id = ?) AS open ORDER BY seq",
            (person_id, person_id),
        ).fetchall()
        return self._all(rows)

    def stale_quotes(self, before: datetime, limit: int) -> list[Payout]:
        rows = self._conn.execute(
            "SELECT w.reference FROM wallet_transactions AS w"
            " JOIN payouts AS p ON p.reference = w.reference WHERE w.type = 'disbursement'"
            " AND w.standing = 'quoted' AND p.quoted_at < ?"
            " ORDER BY w.seq LIMIT ?",
            (to_ms(before), limit),
        ).fetchall()
        return self._all(rows)

    def similar(
        self, partner: str, recipient: Phone, amount: Money, since: datetime, but: str = ""
    ) -> Payout | None:
        row = self._conn.execute(
            "SELECT w.reference FROM wallet_transactions AS w"
            " JOIN payouts AS p ON p.reference = w.reference"
            " WHERE w.type = 'disbursement' AND w.partner = ? AND w.phone = ?"
            " AND w.amount_cents = ? AND w.currency = ? AND w.reference <> ?"
            " AND NOT (w.channel = 'batch' AND w.address = ?)"
            " AND (w.state IN ('AWAITING_APPROVAL', 'OTP_SENT', 'AUTHORISED', 'SUBMITTING',"
            "   'ACCEPTED', 'UNKNOWN')"
            "  OR w.state IN ('PAID', 'PAID_AFTER_RETURN') AND w.settled_at >= ?)"
            " ORDER BY w.seq DESC LIMIT 1",
            (
                partner,
                recipient.msisdn,
                amount.cents,
                amount.currency,
                but,
                but,
                to_ms(since),
            ),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def has_row_since(self, payout: Payout) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM wallet_transactions AS w"
            " JOIN payouts AS p ON p.reference = w.reference"
            " JOIN wallet_transactions AS own ON own.reference = ?"
            " WHERE w.type = 'disbursement' AND w.partner = own.partner AND w.phone = ?"
            " AND w.amount_cents = ? AND w.currency = ? AND w.channel = 'batch'"
            " AND w.state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN', 'PAID',"
            "  'PAID_AFTER_RETURN')"
            " AND (p.authorised_at > ? OR p.authorised_at = ? AND w.seq > own.seq) LIMIT 1",
            (
                payout.reference,
                payout.recipient.msisdn,
                payout.amount.cents,
                payout.amount.currency,
                to_ms(payout.quoted_at),
                to_ms(payout.quoted_at),
            ),
        ).fetchone()
        return row is not None

    def paid_since(
        self, partner: str, moment: datetime, recipient: Phone | None = None, key: str | None = None
    ) -> Money:
        phone = None if recipient is None else recipient.msisdn
        row = self._conn.execute(
            "SELECT coalesce(sum(w.amount_cents), 0) FROM payouts AS p"
            " JOIN wallet_transactions AS w ON w.reference = p.reference"
            " WHERE p.authorised_at BETWEEN ? AND ? AND w.partner || '' = ?"
            " AND w.phone = coalesce(?, w.phone)"
            " AND (CAST(? AS TEXT) IS NULL OR w.channel = 'api' AND w.address = ?)"
            " AND w.state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN', 'PAID',"
            "  'PAID_AFTER_RETURN')",
            (to_ms(moment), self._time.ms, partner, phone, key, key),
        ).fetchone()
        return Money(row[0])

    def first_paid_at(self, partner: str, recipient: Phone) -> datetime | None:
        row = self._conn.execute(
            "SELECT min(p.authorised_at) FROM wallet_transactions AS w"
            " JOIN payouts AS p ON p.reference = w.reference"
            " WHERE w.type = 'disbursement' AND w.partner = ? AND w.phone = ?"
            " AND w.state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN', 'PAID',"
            "  'PAID_AFTER_RETURN')",
            (partner, recipient.msisdn),
        ).fetchone()
        at: int | None = row[0]
        return from_ms(at)

    def last_paid(self, partner: str, recipient: Phone) -> Payout | None:
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'disbursement'"
            " AND partner = ? AND phone = ? AND state IN ('PAID', 'PAID_AFTER_RETURN')"
            " ORDER BY seq DESC LIMIT 1",
            (partner, recipient.msisdn),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def recent_recipients(self, partner: str, limit: int) -> list[Phone]:
        rows = self._conn.execute(
            "SELECT phone FROM (SELECT phone, seq, state FROM wallet_transactions"
            " WHERE type = 'disbursement' AND partner = ? AND listed = 1"
            " ORDER BY seq DESC LIMIT ?) AS newest WHERE state IN ('PAID', 'PAID_AFTER_RETURN')"
            " ORDER BY seq DESC",
            (partner, RECENT_ROWS),
        )
        return list(dict.fromkeys(Phone(phone) for (phone,) in rows))[:limit]

    def recent_amounts(self, partner: str, recipient: Phone, limit: int) -> list[Money]:
        rows = self._conn.execute(
            "SELECT amount_cents, currency FROM wallet_transactions WHERE type = 'disbursement'"
            " AND partner = ? AND phone = ? AND state IN ('PAID', 'PAID_AFTER_RETURN')"
            " ORDER BY seq DESC LIMIT ?",
            (partner, recipient.msisdn, RECENT_ROWS),
        )
        return list(dict.fromkeys(Money(cents, currency) for cents, currency in rows))[:limit]

    def of_receipt(self, receipt: str) -> Payout | None:
        row = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE receipt = ? AND type = 'disbursement'",
            (receipt,),
        ).fetchone()
        return None if row is None else self.get(row[0])

    def without_receipt(self, amount: Money, since: datetime, until: datetime) -> list[Payout]:
        rows = self._conn.execute(
            "SELECT w.reference FROM payouts AS p"
            " JOIN wallet_transactions AS w ON w.reference = p.reference"
            " WHERE p.submitted_at BETWEEN ? AND ?"
            " AND w.amount_cents = ? AND w.currency = ? AND w.receipt IS NULL ORDER BY w.seq",
            (to_ms(since), to_ms(until), amount.cents, amount.currency),
        ).fetchall()
        return self._all(rows)

    def settled_between(self, since: datetime, until: datetime) -> list[Payout]:
        rows = self._conn.execute(
            "SELECT reference FROM wallet_transactions WHERE type = 'disbursement'"
            " AND standing = 'succeeded' AND settled_at >= ? AND settled_at < ? ORDER BY seq",
            (to_ms(since), to_ms(until)),
        ).fetchall()
        return self._all(rows)

    def has_receipt(self, receipt: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM wallet_transactions WHERE receipt = ?"
            " UNION ALL SELECT 1 FROM external_payments WHERE receipt = ?",
            (receipt, receipt),
        ).fetchone()
        return row is not None

    def thaw(self, partner: str | None = None) -> int:
        now = self._time.ms
        self._conn.execute(
            "UPDATE payouts SET ready_since = ? WHERE reference IN"
            " (SELECT reference FROM wallet_transactions WHERE type = 'disbursement'"
            "  AND standing = 'ready' AND due_at IS NOT NULL"
            "  AND partner || '' = coalesce(?, partner))",
            (now, partner),
        )
        return self._conn.execute(
            "UPDATE wallet_transactions SET due_at = ? WHERE type = 'disbursement'"
            " AND standing = 'ready' AND due_at IS NOT NULL"
            " AND partner || '' = coalesce(?, partner)",
            (now, partner),
        ).rowcount

    def query_all(self) -> int:
        return self._conn.execute(
            "UPDATE wallet_transactions SET due_at = ? WHERE type = 'disbursement'"
            " AND standing IN ('accepted', 'unknown') AND due_at IS NOT NULL",
            (self._time.ms,),
        ).rowcount

    def held_back(self, partner: str) -> int:
        row = self._conn.execute(
            "SELECT count(*) FROM wallet_transactions WHERE type = 'disbursement'"
            " AND standing = 'ready' AND due_at IS NOT NULL AND partner || '' = ?",
            (partner,),
        ).fetchone()
        return int(row[0])

    def on_their_way(self) -> Money:
        row = self._conn.execute(
            "SELECT coalesce(sum(amount_cents), 0) FROM pending_operations"
            " WHERE type || '' = 'disbursement' AND state <> 'AUTHORISED'"
        ).fetchone()
        return Money(row[0])

    def submitted_since(self, moment: datetime) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM payouts WHERE submitted_at >= ? LIMIT 1", (to_ms(moment),)
        ).fetchone()
        return row is not None

    def every(self) -> list[Payout]:
        rows = self._conn.execute("SELECT reference FROM disbursements ORDER BY seq").fetchall()
        return self._all(rows)

    def _all(self, rows: Iterable[tuple[Any, ...]]) -> list[Payout]:
        found = (self.get(reference) for (reference,) in rows)
        return [payout for payout in found if payout is not None]


def _payout(row: tuple[Any, ...]) -> Payout:
    currency = row[7]
    return Payout(
        reference=row[0],
        partner=row[1],
        person_id=row[2],
        channel=row[3],
        address=row[4],
        language=row[5],
        quote=Quote(
            Money(row[6], currency), Money(row[8], currency), Money(0, currency), row[9], 0
        ),
        phone=None if row[10] is None else Phone(row[10]),
        recipient=Phone(row[11]),
        short_code=row[12],
        remarks=row[13],
        client_reference=row[14],
        state=PayoutState(row[15]),
        reason=row[16],
        created_at=from_ms(row[17]),
        quoted_at=from_ms(row[18]),
        authorised_at=from_ms(row[19]),
        ready_since=from_ms(row[20]),
        submitted_at=from_ms(row[21]),
        settled_at=from_ms(row[22]),
        conversation_id=row[23],
        claimed_paid_at=from_ms(row[24]),
        receipt=row[25],
        recipient_name=row[26],
        attempt=row[27],
        due_at=from_ms(row[28]),
    )
