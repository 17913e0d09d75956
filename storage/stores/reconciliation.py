"""Bank statement lines, unmatched items on either side, and closed days."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from services.domain.bank_line import BankLine
from services.domain.float_purchase import Purchase
from services.domain.money import Money
from services.domain.payment import RecordedPayment
from services.domain.reconciliation import Finding, FindingKind, ReconciliationDay
from services.domain.statement_repeats import StoredLine
from services.domain.topup import TopUp
from storage.sql import Connection
from storage.stores.float_purchases import purchase_from_row
from storage.stores.payments import payment_from_row
from storage.stores.topups import topup_from_row
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class ReconciliationStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    # Lines ---------------------------------------------------------------------------------------

    def matched(self, key: str) -> str | None:
        row = self._conn.execute(
            "SELECT matched FROM statement_lines WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else row[0]

    def add_line(self, key: str, line: BankLine, source: str) -> None:
        self._conn.execute(
            "INSERT INTO statement_lines (key, day, direction, amount_cents, currency, words,"
            " source, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (
                key,
                line.day.isoformat(),
                "credit" if line.is_credit else "debit",
                line.amount.cents,
                line.amount.currency,
                json.dumps(
                    {"references": line.references, "words": line.words}, ensure_ascii=False
                ),
                source,
                self._time.ms,
            ),
        )

    def similar_lines(self, line: BankLine) -> list[StoredLine]:
        """Stored lines with the same day, direction and amount, in the order first seen."""
        rows = self._conn.execute(
            "SELECT key, day, direction, amount_cents, currency, words, matched IS NOT NULL"
            " FROM statement_lines"
            " WHERE day = ? AND direction = ? AND amount_cents = ? AND currency = ?"
            " ORDER BY seen_at, key",
            (
                line.day.isoformat(),
                "credit" if line.is_credit else "debit",
                line.amount.cents,
                line.amount.currency,
            ),
        )
        return [StoredLine(row[0], _line(row[:6]), bool(row[6])) for row in rows]

    def lines_naming(self, first: date, last: date, texts: Collection[str]) -> list[BankLine]:
        """Lines of these days with any of ``texts`` in one of their texts, also as part of a
        word."""
        rows = self._conn.execute(
            "SELECT key, day, direction, amount_cents, currency, words FROM statement_lines"
            " WHERE day BETWEEN ? AND ? ORDER BY day, key",
            (first.isoformat(), last.isoformat()),
        )
        found = (row for row in rows if any(text in row[5].upper() for text in texts))
        return [line for row in found if (line := _line(row)).says_any(texts)]

    def lines_between(
        self, first: date, last: date, amount: Money
    ) -> list[tuple[str, BankLine, bool]]:
        """(key, line, matched) for lines of that amount on these days."""
        rows = self._conn.execute(
            "SELECT key, day, direction, amount_cents, currency, words, matched IS NOT NULL"
            " FROM statement_lines WHERE day BETWEEN ? AND ? AND amount_cents = ?"
            " AND currency = ? ORDER BY day, key",
            (first.isoformat(), last.isoformat(), amount.cents, amount.currency),
        )
        return [(row[0], _line(row[:6]), bool(row[6])) for row in rows]

    def has_line(self, reference: str) -> bool:
        """Whether a line was matched with this payment, top-up or purchase."""
        row = self._conn.execute(
            "SELECT 1 FROM statement_lines WHERE matched = ?", (reference,)
        ).fetchone()
        return row is not None

    def has_lines_after(self, day: date) -> bool:
        """Whether any line of a later day has been read."""
        row = self._conn.execute(
            "SELECT 1 FROM statement_lines WHERE day > ? LIMIT 1", (day.isoformat(),)
        ).fetchone()
        return row is not None

    def match(self, key: str, reference: str) -> bool:
        return (
            self._conn.execute(
                "UPDATE statement_lines SET matched = ? WHERE key = ? AND matched IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM statement_lines AS other WHERE other.matched = ?)",
                (reference, key, reference),
            ).rowcount
            == 1
        )

    def unmatched(self, day: date) -> list[tuple[str, BankLine]]:
        rows = self._conn.execute(
            "SELECT key, day, direction, amount_cents, currency, words FROM statement_lines"
            " WHERE day = ? AND matched IS NULL ORDER BY key",
            (day.isoformat(),),
        )
        return [(row[0], _line(row)) for row in rows]

    def matched_payments(self, day: date) -> list[RecordedPayment]:
        rows = self._conn.execute(
            "SELECT p.reference, p.receipt, p.amount_cents, p.currency, p.paid_at,"
            " p.account_reference, p.payer, p.source, p.state, p.received_at, p.why, p.partner,"
            " p.operation, p.inferred, p.typed, p.bank_reference FROM statement_lines AS l"
            " JOIN external_payments AS p ON p.reference = l.matched WHERE l.day = ?"
            " ORDER BY p.receipt",
            (day.isoformat(),),
        )
        return [payment_from_row(row) for row in rows]

    # In our books only ---------------------------------------------------------------------------

    def payments_without_line(self, start: datetime, end: datetime) -> list[RecordedPayment]:
        rows = self._conn.execute(
            "SELECT p.reference, p.receipt, p.amount_cents, p.currency, p.paid_at,"
            " p.account_reference, p.payer, p.source, p.state, p.received_at, p.why, p.partner,"
            " p.operation, p.inferred, p.typed, p.bank_reference FROM external_payments AS p"
            " WHERE p.paid_at >= ? AND p.paid_at < ?"
            " AND NOT EXISTS (SELECT 1 FROM statement_lines AS l"
            "  WHERE l.matched IN (p.reference, p.operation))"
            " ORDER BY p.paid_at, p.receipt",
            (to_ms(start), to_ms(end)),
        )
        return [payment_from_row(row) for row in rows]

    def topups_without_line(self, start: datetime, end: datetime) -> list[TopUp]:
        rows = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, phone, state, reason, created_at, sent_at, settled_at, bank_id, receipt,"
            " attempt, due_at, slow, way"
            " FROM topups WHERE state IN ('PAID', 'PAID_LATE') AND receipt IS NULL"
            " AND settled_at >= ? AND settled_at < ? AND NOT EXISTS ("
            "  SELECT 1 FROM statement_lines AS l WHERE l.matched = topups.reference)"
            " ORDER BY seq",
            (to_ms(start), to_ms(end)),
        )
        return [topup_from_row(row) for row in rows]

    def purchases_without_line(self, start: datetime, end: datetime) -> list[Purchase]:
        rows = self._conn.execute(
            "SELECT reference, partner, person_id, channel, address, language, amount_cents,"
            " currency, transfer_fee_cents, processing_fee_cents, transfer_fee_version,"
            " processing_fee_version, phone, short_code, state, reason, created_at, quoted_at,"
            " authorised_at, submitted_at, settled_at, bank_id, attempt, due_at"
            " FROM purchases WHERE state = 'SUCCEEDED' AND authorised_at >= ?"
            " AND submitted_at >= ? AND submitted_at < ? AND NOT EXISTS ("
            "  SELECT 1 FROM statement_lines AS l WHERE l.matched = purchases.reference)"
            " ORDER BY seq",
            (to_ms(start) - 86_400_000, to_ms(start), to_ms(end)),
        )
        return [purchase_from_row(row) for row in rows]

    # Findings ------------------------------------------------------------------------------------

    def findings(self, day: date) -> dict[str, Finding]:
        rows = self._conn.execute(
            "SELECT f.id, f.day, f.kind, f.about, f.amount_cents, f.currency, f.said, f.partner,"
            " f.found_at, EXISTS (SELECT 1 FROM review_items AS r WHERE r.operation = f.id"
            "  AND r.closed_at IS NULL), EXISTS (SELECT 1 FROM proposals AS p WHERE p.about = f.id"
            "  AND p.kind = 'dismiss' AND p.status = 'done'), f.key"
            " FROM findings AS f WHERE f.day = ? ORDER BY f.found_at, f.id",
            (day.isoformat(),),
        )
        return {row[11]: _found(row) for row in rows}

    def finding(self, reference: str) -> Finding | None:
        row = self._conn.execute(
            "SELECT f.id, f.day, f.kind, f.about, f.amount_cents, f.currency, f.said, f.partner,"
            " f.found_at, EXISTS (SELECT 1 FROM review_items AS r WHERE r.operation = f.id"
            "  AND r.closed_at IS NULL), EXISTS (SELECT 1 FROM proposals AS p WHERE p.about = f.id"
            "  AND p.kind = 'dismiss' AND p.status = 'done') FROM findings AS f WHERE f.id = ?",
            (reference,),
        ).fetchone()
        return None if row is None else _found(row)

    def add_finding(self, found: Finding, key: str) -> bool:
        return (
            self._conn.execute(
                "INSERT INTO findings (id, key, day, kind, about, partner, amount_cents, currency,"
                " said, found_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (
                    found.id,
                    key,
                    found.day.isoformat(),
                    found.kind,
                    found.about,
                    found.partner,
                    found.amount.cents,
                    found.amount.currency,
                    found.said,
                    self._time.ms,
                ),
            ).rowcount
            == 1
        )

    # Days ----------------------------------------------------------------------------------------

    def day(self, day: date) -> ReconciliationDay | None:
        row = self._conn.execute(
            "SELECT day, source, lines, matched, credits_cents, debits_cents, ran_at, closed_at"
            " FROM reconciliations WHERE day = ?",
            (day.isoformat(),),
        ).fetchone()
        return None if row is None else self._day(row)

    def newest(self, limit: int, before: date | None = None) -> list[ReconciliationDay]:
        """Reconciled days, newest first, or those before that one."""
        rows = self._conn.execute(
            "SELECT day, source, lines, matched, credits_cents, debits_cents, ran_at, closed_at"
            " FROM reconciliations WHERE day < ? ORDER BY day DESC LIMIT ?",
            ((before or date.max).isoformat(), limit),
        ).fetchall()
        return [self._day(row) for row in rows]

    def count_days(self, down_to: date | None = None) -> int:
        """The number of reconciled days, or of those down to that one."""
        row = self._conn.execute(
            "SELECT count(*) FROM reconciliations WHERE day >= ?",
            ((down_to or date.min).isoformat(),),
        ).fetchone()
        return int(row[0])

    def count_open_days(self, before: date, limit: int) -> int:
        """The number of days before that one that are not closed, counted up to ``limit``."""
        row = self._conn.execute(
            "SELECT count(*) FROM (SELECT 1 FROM reconciliations"
            "  WHERE closed_at IS NULL AND day < ? LIMIT ?) AS waiting",
            (before.isoformat(), limit),
        ).fetchone()
        return int(row[0])

    def oldest_day(self) -> date | None:
        row = self._conn.execute("SELECT min(day) FROM reconciliations").fetchone()
        return None if row[0] is None else date.fromisoformat(row[0])

    def is_dismissed(self, key: str, line: BankLine) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM findings AS f JOIN proposals AS p ON p.about = f.id"
            " WHERE f.day = ? AND f.key = f.day || ':' || f.kind || ':' || ?"
            " AND p.kind = 'dismiss' AND p.status = 'done' LIMIT 1",
            (line.day.isoformat(), key),
        ).fetchone()
        return row is not None

    def save_day(self, day: date, source: str, *, has_ended: bool) -> ReconciliationDay:
        is_open = not has_ended or any(found.is_open for found in self.findings(day).values())
        lines, matched, credits, debits = self._conn.execute(
            "SELECT count(*), count(matched),"
            " coalesce(sum(amount_cents) FILTER (WHERE direction = 'credit'), 0),"
            " coalesce(sum(amount_cents) FILTER (WHERE direction = 'debit'), 0)"
            " FROM statement_lines WHERE day = ?",
            (day.isoformat(),),
        ).fetchone()
        self._conn.execute(
            "INSERT INTO reconciliations (day, source, lines, matched, credits_cents,"
            " debits_cents, ran_at, closed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (day) DO UPDATE SET source = excluded.source, lines = excluded.lines,"
            " matched = excluded.matched, credits_cents = excluded.credits_cents,"
            " debits_cents = excluded.debits_cents, ran_at = excluded.ran_at,"
            " closed_at = CASE WHEN excluded.closed_at IS NULL THEN NULL"
            "  ELSE coalesce(reconciliations.closed_at, excluded.closed_at) END",
            (
                day.isoformat(),
                source,
                lines,
                matched,
                credits,
                debits,
                self._time.ms,
                None if is_open else self._time.ms,
            ),
        )
        saved = self.day(day)
        assert saved is not None
        return saved

    def reopen_day(self, day: date) -> None:
        self._conn.execute(
            "UPDATE reconciliations SET closed_at = NULL WHERE day = ?", (day.isoformat(),)
        )

    def _day(self, row: tuple[Any, ...]) -> ReconciliationDay:
        day = date.fromisoformat(row[0])
        return ReconciliationDay(
            day=day,
            source=row[1],
            lines=row[2],
            matched=row[3],
            credits=Money(row[4]),
            debits=Money(row[5]),
            ran_at=from_ms(row[6]),
            closed_at=from_ms(row[7]),
            findings=[found for found in self.findings(day).values() if found.is_open],
        )


def _line(row: tuple[Any, ...]) -> BankLine:
    _, day, direction, cents, currency, words = row
    texts, of_day, amount = json.loads(words), date.fromisoformat(day), Money(cents, currency)
    is_credit = direction == "credit"
    if isinstance(texts, list):  # from before a line's fields were stored separately
        return BankLine.of(of_day, amount, texts, is_credit=is_credit)
    return BankLine(of_day, is_credit, amount, tuple(texts["words"]), tuple(texts["references"]))


def _found(row: tuple[Any, ...]) -> Finding:
    return Finding(
        id=row[0],
        day=date.fromisoformat(row[1]),
        kind=FindingKind(row[2]),
        about=row[3],
        amount=Money(row[4], row[5]),
        said=row[6],
        partner=row[7],
        found_at=from_ms(row[8]),
        is_open=bool(row[9]),
        is_dismissed=bool(row[10]),
    )
