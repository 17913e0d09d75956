"""Payments to the paybill, and the bank's notifications about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.domain.money import Money
from services.domain.payment import (
    BankNotification,
    Payer,
    Payment,
    PaymentState,
    RecordedPayment,
    StoredNotification,
    SuspenseReason,
    Verdict,
)
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class PaymentStore:
    def __init__(self, conn: Connection, time: TransactionTime, changes: OperationChanges) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes

    def get(self, receipt: str) -> RecordedPayment | None:
        row = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency, paid_at, account_reference, payer,"
            " source, state, received_at, why, partner, operation, inferred, typed, bank_reference"
            " FROM external_payments"
            " WHERE receipt = ?",
            (receipt,),
        ).fetchone()
        return None if row is None else payment_from_row(row)

    def of_reference(self, reference: str) -> RecordedPayment | None:
        row = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency, paid_at, account_reference, payer,"
            " source, state, received_at, why, partner, operation, inferred, typed, bank_reference"
            " FROM external_payments"
            " WHERE reference = ?",
            (reference,),
        ).fetchone()
        return None if row is None else payment_from_row(row)

    def of_bank(self, bank_reference: str, *, has_receipt: bool) -> RecordedPayment | None:
        row = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency, paid_at, account_reference, payer,"
            " source, state, received_at, why, partner, operation, inferred, typed, bank_reference"
            " FROM external_payments"
            " WHERE bank_reference = ?"
            " AND CASE WHEN receipt <> bank_reference THEN 1 ELSE 0 END = ?"
            " ORDER BY received_at, receipt LIMIT 1",
            (bank_reference, int(has_receipt)),
        ).fetchone()
        return None if row is None else payment_from_row(row)

    def of_other_number(
        self, payment: Payment, since: datetime, until: datetime
    ) -> list[RecordedPayment]:
        rows = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency, paid_at, account_reference, payer,"
            " source, state, received_at, why, partner, operation, inferred, typed, bank_reference"
            " FROM external_payments"
            " WHERE paid_at BETWEEN ? AND ? AND amount_cents = ? AND currency = ?"
            " AND CASE WHEN receipt <> coalesce(bank_reference, '') THEN 1 ELSE 0 END = ?"
            " ORDER BY paid_at, receipt",
            (
                to_ms(since),
                to_ms(until),
                payment.amount.cents,
                payment.amount.currency,
                int(not payment.has_receipt),
            ),
        )
        return [payment_from_row(row) for row in rows]

    def in_suspense(self, whys: Sequence[SuspenseReason], amount: Money) -> list[RecordedPayment]:
        """Payments of that amount in suspense for one of these reasons, oldest first."""
        rows = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency, paid_at, account_reference, payer,"
            " source, state, received_at, why, partner, operation, inferred, typed, bank_reference"
            " FROM external_payments"
            " WHERE state = 'SUSPENDED' AND amount_cents = ? AND currency = ?"
            " ORDER BY paid_at, receipt",
            (amount.cents, amount.currency),
        )
        return [recorded for row in rows if (recorded := payment_from_row(row)).why in whys]

    def inferred_naming(self, topup: str, amount: Money) -> list[RecordedPayment]:
        """Payments that name this top-up but were matched to another by payer and time only."""
        rows = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency, paid_at, account_reference, payer,"
            " source, state, received_at, why, partner, operation, inferred, typed, bank_reference"
            " FROM external_payments"
            " WHERE inferred = 1 AND amount_cents = ? AND currency = ? AND operation <> ?"
            " AND upper(replace(coalesce(typed, account_reference), ' ', ''))"
            " LIKE '%' || ? || '%'"
            " ORDER BY paid_at, receipt",
            (amount.cents, amount.currency, topup, topup.partition("-")[2]),
        )
        return [
            recorded for row in rows if topup in (recorded := payment_from_row(row)).payment.topups
        ]

    def proved_by_line(self, partner: str, amount: Money, since: datetime, until: datetime) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM external_payments WHERE paid_at >= ? AND paid_at <= ?"
            " AND partner = ? AND amount_cents = ? AND currency = ? AND state = 'CREDITED'"
            " AND receipt LIKE 'ST-%' LIMIT 1",
            (to_ms(since), to_ms(until), partner, amount.cents, amount.currency),
        ).fetchone()
        return row is not None

    def every(self) -> list[RecordedPayment]:
        """The whole table: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency, paid_at, account_reference, payer,"
            " source, state, received_at, why, partner, operation, inferred, typed, bank_reference"
            " FROM external_payments"
            " ORDER BY received_at, reference"
        )
        return [payment_from_row(row) for row in rows]

    def amounts(self) -> dict[str, Money]:
        """Amounts by receipt: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT receipt, amount_cents, currency FROM external_payments ORDER BY receipt"
        )
        return {receipt: Money(cents, currency) for receipt, cents, currency in rows}

    def receipts_of(self, verdict: Verdict) -> set[str]:
        """Receipts of all notifications with this verdict: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT receipt FROM payment_notices WHERE verdict = ?", (verdict.value,)
        )
        return {receipt for (receipt,) in rows}

    def collected(self) -> Money:
        """Total received in payments according to our books: for tests and the simulator."""
        row = self._conn.execute(
            "SELECT coalesce(sum(CASE WHEN credit_kind = 'collection' THEN -amount_cents"
            " ELSE amount_cents END), 0) FROM transfers"
            " WHERE code IN ('topup', 'payment', 'suspense', 'released', 'reversal')"
        ).fetchone()
        return Money(row[0])

    def add(self, recorded: RecordedPayment) -> None:
        """Raises ``sqlite3.IntegrityError`` on a duplicate receipt."""
        payment = recorded.payment
        self._conn.execute(
            "INSERT INTO external_payments (receipt, reference, amount_cents, currency, paid_at,"
            " account_reference, payer, source, received_at, state, why, partner, operation,"
            " typed, bank_reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                payment.receipt,
                recorded.reference,
                payment.amount.cents,
                payment.amount.currency,
                to_ms(payment.paid_at),
                payment.account_reference,
                payment.payer.number,
                payment.source,
                to_ms(recorded.received_at),
                recorded.state,
                recorded.why,
                recorded.partner,
                recorded.operation,
                payment.typed,
                payment.bank_reference,
            ),
        )

    def save(self, recorded: RecordedPayment) -> None:
        """Write the mutable fields: state, reason, partner, operation, and whether it was
        inferred."""
        self._conn.execute(
            "UPDATE external_payments SET state = ?, partner = ?, operation = ?, why = ?,"
            " inferred = ? WHERE receipt = ?",
            (
                recorded.state,
                recorded.partner,
                recorded.operation,
                recorded.why,
                int(recorded.inferred),
                recorded.payment.receipt,
            ),
        )

    def add_credit(self, recorded: RecordedPayment) -> None:
        """Add the operation of a payment that is credited by itself."""
        payment, at = recorded.payment, self._time.ms
        phone = payment.payer.phone
        self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, channel, address, language, type,"
            " state, standing, amount_cents, currency, phone, receipt, idempotency_key, created_at,"
            " settled_at) VALUES (?, ?, '', '', 'en', 'paybill_payment', 'CREDITED', 'succeeded',"
            " ?, ?, ?, ?, ?, ?, ?)",
            (
                recorded.reference,
                recorded.partner,
                payment.amount.cents,
                payment.amount.currency,
                "" if phone is None else phone.msisdn,
                payment.receipt,
                f"receipt:{payment.receipt}",
                at,
                at,
            ),
        )
        self._changes.added(recorded.reference)

    def add_reversal(self, reference: str, recorded: RecordedPayment) -> bool:
        """Add the operation of a payment the bank reversed; False when the reference is taken."""
        at, amount = self._time.ms, recorded.amount
        cursor = self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, channel, address, language,"
            " type, state, standing, amount_cents, currency, phone, idempotency_key,"
            " created_at, settled_at) VALUES (?, ?, '', '', 'en', 'reversal', 'POSTED',"
            " 'succeeded', ?, ?, '', ?, ?, ?)"
            " ON CONFLICT (reference) DO NOTHING",
            (
                reference,
                recorded.partner,
                amount.cents,
                amount.currency,
                f"reversal:{recorded.payment.receipt}",
                at,
                at,
            ),
        )
        if cursor.rowcount == 0:
            return False
        self._changes.added(reference)
        return True

    def reversed_by(self, reference: str) -> RecordedPayment | None:
        """The payment that a reversal took back."""
        row = self._conn.execute(
            "SELECT p.reference, p.receipt, p.amount_cents, p.currency, p.paid_at,"
            " p.account_reference, p.payer, p.source, p.state, p.received_at, p.why, p.partner,"
            " p.operation, p.inferred, p.typed, p.bank_reference FROM external_payments AS p"
            " JOIN wallet_transactions AS w ON w.idempotency_key = 'reversal:' || p.receipt"
            " WHERE w.reference = ? AND w.type = 'reversal'",
            (reference,),
        ).fetchone()
        return None if row is None else payment_from_row(row)

    # Notifications -------------------------------------------------------------------------------

    def count_duplicate(self, notification: BankNotification) -> StoredNotification | None:
        """Count another copy and return the notification as stored before; ``None`` for the first.

        The verdict "taken" is final.
        """
        row = self._conn.execute(
            "SELECT id, verdict, receipt, body, received_at, times FROM payment_notices"
            " WHERE digest = ?",
            (notification.digest,),
        ).fetchone()
        if row is None:
            return None
        self._conn.execute(
            "UPDATE payment_notices SET times = times + 1,"
            " verdict = CASE verdict WHEN 'taken' THEN verdict ELSE ? END WHERE digest = ?",
            (notification.verdict, notification.digest),
        )
        return _stored_notification(row)

    def has_accepted_notification(self, receipt: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM payment_notices WHERE receipt = ? AND verdict = 'taken'", (receipt,)
        ).fetchone()
        return row is not None

    def store_notification(self, reference: str, notification: BankNotification) -> bool:
        """False when the reference is taken: draw another."""
        return (
            self._conn.execute(
                "INSERT INTO payment_notices (id, digest, verdict, receipt, body, received_at)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (
                    reference,
                    notification.digest,
                    notification.verdict,
                    notification.receipt,
                    notification.body,
                    self._time.ms,
                ),
            ).rowcount
            == 1
        )

    def refused_since(self, moment: datetime) -> int:
        """How many notifications were stored since then but not accepted."""
        row = self._conn.execute(
            "SELECT count(*) FROM payment_notices WHERE verdict <> 'taken' AND received_at >= ?",
            (to_ms(moment),),
        ).fetchone()
        return int(row[0])

    def kept(self, reference: str) -> StoredNotification | None:
        row = self._conn.execute(
            "SELECT id, verdict, receipt, body, received_at, times FROM payment_notices"
            " WHERE id = ?",
            (reference,),
        ).fetchone()
        return None if row is None else _stored_notification(row)


def _stored_notification(row: tuple[Any, ...]) -> StoredNotification:
    return StoredNotification(row[0], Verdict(row[1]), row[2], row[3], from_ms(row[4]), row[5])


def payment_from_row(row: tuple[Any, ...]) -> RecordedPayment:
    return RecordedPayment(
        reference=row[0],
        payment=Payment(
            receipt=row[1],
            amount=Money(row[2], row[3]),
            paid_at=from_ms(row[4]),
            account_reference=row[5],
            payer=Payer(row[6]),
            source=row[7],
            typed=row[14],
            bank_reference=row[15],
        ),
        state=PaymentState(row[8]),
        received_at=from_ms(row[9]),
        why=None if row[10] is None else SuspenseReason(row[10]),
        partner=row[11],
        operation=row[12],
        inferred=bool(row[13]),
    )
