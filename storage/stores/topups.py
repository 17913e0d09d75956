"""Top-ups: rows of ``wallet_transactions``, each with its ``ncb_stk_push_logs`` row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.money import Money
from services.domain.payment import AFTER_PROMPT, BEFORE_PROMPT, SOME_TIME_OF_A_DAY
from services.domain.phone import Phone
from services.domain.topup import NOT_SENT_FOR, CreditedTopUp, PaymentMethod, TopUp, TopUpState
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.stores.evidence import EVIDENCE_TEXT_MAX
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

RECENT_ROWS = 40  # paid top-ups looked at for a person's usual amounts and numbers

_GET = (
    "SELECT reference, partner, person_id, channel, address, language, amount_cents, currency,"
    " phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt, attempt, due_at,"
    " slow, way FROM topups WHERE reference = ?"
)


class TopUpStore:
    def __init__(
        self, conn: Connection, time: TransactionTime, changes: OperationChanges, locks: Locks
    ) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes
        self._locks = locks

    def add(self, topup: TopUp, key: str) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
            " language, type, way, state, standing, amount_cents, currency, phone,"
            " idempotency_key, created_at, attempt, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 'topup', ?, ?,"
            " (SELECT standing FROM operation_states WHERE kind = 'topup' AND state = ?),"
            " ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (reference) DO NOTHING",
            (
                topup.reference,
                topup.partner,
                topup.person_id,
                topup.channel,
                topup.address,
                topup.language,
                topup.way,
                topup.state,
                topup.state,
                topup.amount.cents,
                topup.amount.currency,
                topup.phone.msisdn,
                key,
                to_ms(topup.created_at),
                topup.attempt,
                to_ms(topup.due_at),
            ),
        )
        if cursor.rowcount == 0:
            return False
        self._changes.added(topup.reference)
        self._conn.execute(
            "INSERT INTO ncb_stk_push_logs (reference, account_reference, status)"
            " VALUES (?, ?, 'created')",
            (topup.reference, topup.account_reference),
        )
        return True

    def get(self, reference: str) -> TopUp | None:
        row = self._conn.execute(_GET, (reference,)).fetchone()
        if row is not None and self._locks.take(LockKind.PARTNER, row[1]):
            row = self._conn.execute(_GET, (reference,)).fetchone()
        return None if row is None else topup_from_row(row)

    def find_open(self, partner: str, phone: Phone, amount: Money, since: datetime) -> TopUp | None:
        # coalesce keeps SQLite from reading all that the partner has begun since then.
        row = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt,"
            " attempt, due_at, slow, way"
            " FROM topups WHERE partner = ? AND phone = ? AND amount_cents = ?"
            " AND currency = ? AND state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN')"
            " AND way = 'prompt' AND coalesce(created_at, 0) > ?"
            " ORDER BY seq DESC LIMIT 1",
            (partner, phone.msisdn, amount.cents, amount.currency, to_ms(since)),
        ).fetchone()
        return None if row is None else topup_from_row(row)

    def nth_prompt(self, n: int, phone: Phone, since: datetime, *, own: bool) -> datetime | None:
        row = self._conn.execute(
            "SELECT w.created_at FROM wallet_transactions AS w"
            " LEFT JOIN people AS p ON p.id = w.person_id"
            " WHERE w.type = 'topup' AND w.way = 'prompt' AND w.phone = ?"
            " AND w.state NOT IN ('OTP_SENT', 'OTP_EXPIRED', 'OTP_LOCKED', 'CANCELLED')"
            " AND w.created_at > ? AND w.created_at <= ?"
            " AND CASE WHEN p.phone = w.phone OR w.person_id IS NULL AND EXISTS (SELECT 1"
            "   FROM people AS own WHERE own.partner = w.partner AND own.phone = w.phone)"
            "  THEN 1 ELSE 0 END = ?"
            " ORDER BY w.created_at DESC LIMIT 1 OFFSET ?",
            (phone.msisdn, to_ms(since), self._time.ms, int(own), n - 1),
        ).fetchone()
        if row is None:
            return None
        created_at: int = row[0]
        return from_ms(created_at)

    def save(self, topup: TopUp) -> None:
        self._changes.touch(topup.reference)
        self._conn.execute(
            "UPDATE wallet_transactions SET state = ?, standing ="
            " (SELECT standing FROM operation_states WHERE kind = 'topup' AND state = ?),"
            " reason = ?, settled_at = ?, receipt = ?,"
            " due_at = ?, leased_by = CASE WHEN ? = 'SENDING' THEN leased_by END, slow = ?"
            " WHERE reference = ?",
            (
                topup.state,
                topup.state,
                topup.reason,
                to_ms(topup.settled_at),
                topup.receipt,
                to_ms(topup.due_at),
                topup.state,
                int(topup.slow),
                topup.reference,
            ),
        )
        self._conn.execute(
            "UPDATE ncb_stk_push_logs SET bank_id = ?, sent_at = ? WHERE reference = ?",
            (topup.bank_id, to_ms(topup.sent_at), topup.reference),
        )

    def begin(self, topup: TopUp) -> None:
        self.save(topup)
        self._conn.execute(
            "UPDATE wallet_transactions SET created_at = ?, public_created_at ="
            " coalesce(public_created_at, created_at) WHERE reference = ?",
            (to_ms(topup.created_at), topup.reference),
        )

    def put_off(self, reference: str, due_at: datetime | None) -> None:
        self._changes.touch(reference)
        # A separate statement: writing the state as well would rewrite most indexes.
        self._conn.execute(
            "UPDATE wallet_transactions SET due_at = ?, leased_by = NULL WHERE reference = ?",
            (to_ms(due_at), reference),
        )

    def without_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> list[TopUp]:
        """Top-ups begun or prompted in that time, of any partner, from one phone or any; newest
        first."""
        rows = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt,"
            " attempt, due_at, slow, way"
            " FROM topups WHERE reference IN (SELECT reference FROM wallet_transactions"
            "  WHERE type = 'topup' AND receipt IS NULL AND amount_cents = ? AND currency = ?"
            "  AND phone = coalesce(?, phone) AND created_at BETWEEN ? AND ?)"
            " AND coalesce(sent_at, created_at) BETWEEN ? AND ? ORDER BY seq DESC",
            (
                amount.cents,
                amount.currency,
                None if phone is None else phone.msisdn,
                to_ms(since - NOT_SENT_FOR),
                to_ms(until),
                to_ms(since),
                to_ms(until),
            ),
        )
        return [topup_from_row(row) for row in rows]

    def with_inferred_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> list[TopUp]:
        """The same for top-ups whose receipt was matched by payer and time only."""
        rows = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt,"
            " attempt, due_at, slow, way"
            " FROM topups WHERE reference IN (SELECT operation FROM external_payments"
            "  WHERE inferred = 1 AND operation IS NOT NULL AND amount_cents = ? AND currency = ?"
            "  AND paid_at BETWEEN ? AND ?)"
            " AND phone = coalesce(?, phone) AND coalesce(sent_at, created_at) BETWEEN ? AND ?"
            " ORDER BY seq DESC",
            (
                amount.cents,
                amount.currency,
                to_ms(since - BEFORE_PROMPT),
                to_ms(until + AFTER_PROMPT + SOME_TIME_OF_A_DAY),
                None if phone is None else phone.msisdn,
                to_ms(since),
                to_ms(until),
            ),
        )
        return [topup_from_row(row) for row in rows]

    def of_bank_id(self, bank_id: str) -> list[TopUp]:
        rows = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt,"
            " attempt, due_at, slow, way"
            " FROM topups WHERE reference IN (SELECT reference FROM ncb_stk_push_logs"
            "  WHERE bank_id = ? UNION SELECT reference FROM ncb_stk_push_logs WHERE shared_id = ?)"
            " ORDER BY seq",
            (bank_id, bank_id),
        )
        return [topup_from_row(row) for row in rows]

    def share_id(self, reference: str, bank_id: str) -> None:
        self._conn.execute(
            "UPDATE ncb_stk_push_logs SET shared_id = ? WHERE reference = ?", (bank_id, reference)
        )

    def log_push(self, reference: str, status: str, description: str) -> None:
        asked = int(status == "asked")
        self._conn.execute(
            "UPDATE ncb_stk_push_logs SET description = ?,"
            " status = CASE WHEN ? = 1 THEN status ELSE ? END,"
            " answered_at = CASE WHEN ? = 1 THEN answered_at ELSE ? END,"
            " last_asked_at = CASE WHEN ? = 1 THEN ? ELSE last_asked_at END,"
            " polls = polls + ? WHERE reference = ?",
            (
                description[:EVIDENCE_TEXT_MAX],
                asked,
                status,
                asked,
                self._time.ms,
                asked,
                self._time.ms,
                asked,
                reference,
            ),
        )

    def newest(self) -> TopUp | None:
        """Over all partners; reads the whole table: for tests and the simulator."""
        row = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt,"
            " attempt, due_at, slow, way FROM topups ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return None if row is None else topup_from_row(row)

    def every(self) -> list[TopUp]:
        """Over all partners, whole table: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt,"
            " attempt, due_at, slow, way FROM topups ORDER BY seq"
        )
        return [topup_from_row(row) for row in rows]

    def credited(self) -> list[CreditedTopUp]:
        """Over all partners, whole table: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT reference, receipt, amount_cents, currency FROM topups"
            " WHERE state IN ('PAID', 'PAID_LATE') ORDER BY seq"
        )
        return [CreditedTopUp(row[0], row[1], Money(row[2], row[3])) for row in rows]

    def prompted(self) -> list[str]:
        """References over all partners, whole table: for tests and the simulator."""
        rows = self._conn.execute(
            "SELECT reference FROM topups WHERE sent_at IS NOT NULL ORDER BY seq"
        )
        return [reference for (reference,) in rows]

    def begun_since(self, moment: datetime, partner: str) -> Money:
        row = self._conn.execute(
            "SELECT coalesce(sum(amount_cents), 0) FROM wallet_transactions WHERE partner = ?"
            " AND listed = 1 AND type = 'topup' AND state NOT IN ('NOT_PAID', 'REJECTED',"
            "  'OTP_SENT', 'OTP_EXPIRED', 'OTP_LOCKED', 'CANCELLED')"
            " AND created_at BETWEEN ? AND ?",
            (partner, to_ms(moment), self._time.ms),
        ).fetchone()
        return Money(row[0])

    def recent_amounts(self, person_id: int, limit: int) -> list[Money]:
        rows = self._conn.execute(
            "SELECT amount_cents, currency FROM wallet_transactions WHERE person_id = ?"
            " AND type = 'topup' AND standing = 'succeeded' ORDER BY seq DESC LIMIT ?",
            (person_id, RECENT_ROWS),
        )
        return list(dict.fromkeys(Money(cents, currency) for cents, currency in rows))[:limit]

    def recent_phones(self, person_id: int, limit: int) -> list[Phone]:
        rows = self._conn.execute(
            "SELECT phone FROM wallet_transactions AS w WHERE person_id = ?"
            " AND type = 'topup' AND standing = 'succeeded'"
            " AND NOT EXISTS (SELECT 1 FROM forgotten_phones AS f"
            "  WHERE f.person_id = w.person_id AND f.phone = w.phone AND f.at >= w.created_at)"
            " ORDER BY seq DESC LIMIT ?",
            (person_id, RECENT_ROWS),
        )
        return list(dict.fromkeys(Phone(msisdn) for (msisdn,) in rows))[:limit]


def topup_from_row(row: tuple[Any, ...]) -> TopUp:
    return TopUp(
        reference=row[0],
        partner=row[1],
        person_id=row[2],
        channel=row[3],
        address=row[4],
        language=row[5],
        amount=Money(row[6], row[7]),
        phone=Phone(row[8]),
        state=TopUpState(row[9]),
        reason=row[10],
        created_at=from_ms(row[11]),
        sent_at=from_ms(row[12]),
        settled_at=from_ms(row[13]),
        bank_id=row[14],
        receipt=row[15],
        attempt=row[16],
        due_at=from_ms(row[17]),
        slow=bool(row[18]),
        way=PaymentMethod(row[19]),
    )
