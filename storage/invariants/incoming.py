"""Money that comes in: top-ups, and payments as the bank tells of them."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def topups(conn: Connection) -> Iterator[str]:
    """A paid top-up has exactly one credit, of its amount, backed by success evidence; no other
    top-up has any."""
    for (transfer,) in conn.execute(
        "SELECT t.id FROM transfers AS t WHERE t.code = 'topup' AND NOT EXISTS ("
        " SELECT 1 FROM topups AS w WHERE w.reference = t.operation"
        " AND w.state IN ('PAID', 'PAID_LATE') AND w.partner = t.credit_partner"
        " AND w.amount_cents = t.amount_cents AND w.currency = t.currency"
        " AND t.phase = 'single' AND t.debit_kind = 'collection'"
        " AND t.credit_kind = 'wallet' AND t.debit_partner = t.credit_partner)"
    ):
        yield f"transfer {transfer} credits what is not a paid top-up of that amount"
    for reference, state, booked in conn.execute(
        "SELECT reference, state, booked FROM (SELECT w.reference, w.state, (SELECT count(*)"
        "  FROM transfers AS t WHERE t.operation = w.reference AND t.code = 'topup') AS booked"
        " FROM topups AS w) AS w"
        " WHERE booked <> CASE WHEN state IN ('PAID', 'PAID_LATE') THEN 1 ELSE 0 END"
    ):
        yield f"top-up {reference} is {state} with {booked} credits"
    for (reference,) in conn.execute(
        "SELECT w.reference FROM topups AS w"
        " WHERE w.state IN ('PAID', 'PAID_LATE') AND NOT EXISTS ("
        "   SELECT 1 FROM evidence AS e WHERE e.operation = w.reference AND e.kind = 'paid')"
    ):
        yield f"top-up {reference} was credited without success evidence"


def payments(conn: Connection) -> Iterator[str]:
    """Every payment is booked once, as its state says, and its receipt pays for one operation."""
    for reference, state, credits, holds, assigns, releases in conn.execute(
        "SELECT p.reference, p.state, count(t.id) FILTER (WHERE t.code = 'payment'),"
        " count(t.id) FILTER (WHERE t.code = 'suspense'),"
        " count(t.id) FILTER (WHERE t.code = 'assigned'),"
        " count(t.id) FILTER (WHERE t.code = 'released')"
        " FROM external_payments AS p LEFT JOIN transfers AS t ON t.operation = p.reference"
        " GROUP BY p.receipt, p.reference, p.state, p.why HAVING"
        " count(t.id) FILTER (WHERE t.code = 'payment') <> CASE WHEN p.operation = p.reference"
        "  AND p.why IS NULL THEN 1 ELSE 0 END"
        " OR count(t.id) FILTER (WHERE t.code = 'suspense') <>"
        "  CASE WHEN p.why IS NULL THEN 0 ELSE 1 END"
        " OR count(t.id) FILTER (WHERE t.code = 'assigned') <> CASE WHEN p.operation = p.reference"
        "  AND p.why IS NOT NULL THEN 1 ELSE 0 END"
        " OR count(t.id) FILTER (WHERE t.code = 'released') <> CASE WHEN p.why IS NOT NULL"
        "  AND p.operation <> p.reference THEN 1 ELSE 0 END"
    ):
        yield (
            f"payment {reference} is {state} with {credits} credits, {holds} bookings in suspense,"
            f" {assigns} assignments and {releases} releases"
        )
    for (transfer,) in conn.execute(
        "SELECT t.id FROM transfers AS t"
        " LEFT JOIN external_payments AS p ON p.reference = t.operation"
        " WHERE t.code IN ('payment', 'suspense', 'assigned', 'released')"
        " AND (p.receipt IS NULL OR t.phase <> 'single' OR t.amount_cents <> p.amount_cents"
        "  OR t.currency <> p.currency"
        "  OR t.debit_partner <> CASE t.code WHEN 'payment' THEN p.partner ELSE 'HOUSE' END"
        "  OR t.credit_partner <> CASE WHEN t.code IN ('payment', 'assigned') THEN p.partner"
        "   ELSE 'HOUSE' END"
        "  OR t.debit_kind <> CASE WHEN t.code IN ('payment', 'suspense') THEN 'collection'"
        "   ELSE 'suspense' END"
        "  OR t.credit_kind <> CASE t.code WHEN 'suspense' THEN 'suspense'"
        "   WHEN 'released' THEN 'collection' ELSE 'wallet' END)"
    ):
        yield f"transfer {transfer} is not the booking of a payment"
    for reference, receipt in conn.execute(
        "SELECT p.reference, p.receipt FROM external_payments AS p"
        " LEFT JOIN wallet_transactions AS w ON w.reference = p.operation"
        " WHERE p.operation IS NOT NULL AND (w.reference IS NULL OR w.receipt <> p.receipt"
        "  OR w.receipt IS NULL OR w.partner <> p.partner OR w.amount_cents <> p.amount_cents"
        "  OR w.currency <> p.currency"
        "  OR w.type = 'topup' AND w.state NOT IN ('PAID', 'PAID_LATE'))"
    ):
        yield f"payment {reference} ({receipt}) is not what it is said to have paid"
    for reference, receipt in conn.execute(
        "SELECT w.reference, w.receipt FROM wallet_transactions AS w"
        " LEFT JOIN external_payments AS p ON p.receipt = w.receipt AND p.operation = w.reference"
        " WHERE w.receipt IS NOT NULL AND p.receipt IS NULL AND w.type <> 'disbursement'"
    ):
        yield f"operation {reference} has the receipt {receipt}, of which nobody told"
    for (reference,) in conn.execute(
        "SELECT p.reference FROM external_payments AS p WHERE (p.state = 'SUSPENDED') <> EXISTS ("
        " SELECT 1 FROM review_items AS r WHERE r.operation = p.reference AND r.why = p.why"
        " AND r.closed_at IS NULL)"
    ):
        yield f"payment {reference} is in suspense, and the admins' list says otherwise"
