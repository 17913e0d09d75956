"""What two admins agree on, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def adjustments(conn: Connection) -> Iterator[str]:
    """Each adjustment has one booking, of its amount and direction, approved by two admins."""
    for (reference,) in conn.execute(
        "SELECT w.reference FROM wallet_transactions AS w WHERE w.type = 'adjustment'"
        " AND w.listed = 1 AND NOT EXISTS (SELECT 1 FROM proposals AS p"
        "  WHERE p.id = w.idempotency_key AND p.about = w.reference"
        "  AND p.kind = 'adjust' AND p.status = 'done'"
        "  AND p.outcome IN ('credit', 'debit') AND p.decided_by <> p.proposed_by"
        "  AND p.partner = w.partner AND p.amount_cents = w.amount_cents"
        "  AND p.currency = w.currency)"
    ):
        yield f"adjustment {reference} is not what two admins agreed on"
    for reference, booked in conn.execute(
        "SELECT reference, booked FROM (SELECT w.reference, (SELECT count(*) FROM transfers AS t"
        "  WHERE t.operation = w.reference) AS booked FROM wallet_transactions AS w"
        "  WHERE w.type = 'adjustment') AS w WHERE booked <> 1"
    ):
        yield f"adjustment {reference} has {booked} bookings"
    for (transfer,) in conn.execute(
        "SELECT t.id FROM transfers AS t"
        " LEFT JOIN wallet_transactions AS w ON w.reference = t.operation"
        "  AND w.type = 'adjustment'"
        " LEFT JOIN proposals AS p ON p.id = w.idempotency_key"
        " WHERE t.code = 'adjustment' AND (w.reference IS NULL OR p.id IS NULL"
        "  OR t.phase <> 'single' OR t.amount_cents <> w.amount_cents OR t.currency <> w.currency"
        "  OR t.debit_partner <> w.partner OR t.credit_partner <> w.partner"
        "  OR t.debit_kind <> CASE p.outcome WHEN 'credit' THEN 'adjustment' ELSE 'wallet' END"
        "  OR t.credit_kind <> CASE p.outcome WHEN 'credit' THEN 'wallet' ELSE 'adjustment' END)"
        " UNION ALL SELECT t.id FROM wallet_transactions AS w"
        " JOIN transfers AS t ON t.operation = w.reference"
        " WHERE w.type = 'adjustment' AND w.listed = 1 AND t.code <> 'adjustment'"
    ):
        yield f"transfer {transfer} is not the booking of an adjustment"


def openings(conn: Connection) -> Iterator[str]:
    """An adjustment that nobody proposed is the opening balance of a simulated partner's wallet."""
    for (reference,) in conn.execute(
        "SELECT w.reference FROM wallet_transactions AS w WHERE w.type = 'adjustment'"
        " AND w.listed = 0 AND NOT EXISTS (SELECT 1 FROM transfers AS t"
        "  WHERE t.operation = w.reference AND t.code = 'opening' AND t.phase = 'single'"
        "  AND t.amount_cents = w.amount_cents AND t.currency = w.currency"
        "  AND t.debit_partner = w.partner AND t.debit_kind = 'collection'"
        "  AND t.credit_partner = w.partner AND t.credit_kind = 'wallet'"
        "  AND w.idempotency_key = 'opening:' || w.partner)"
    ):
        yield f"adjustment {reference} was proposed by nobody, and is no opening balance"


def proposals(conn: Connection) -> Iterator[str]:
    """Approved proposals took effect, those effects were approved, and open ones are still due."""
    for (proposal,) in conn.execute(
        "SELECT p.id FROM proposals AS p WHERE p.kind = 'adjust'"
        " AND (p.status = 'done') <> EXISTS (SELECT 1 FROM wallet_transactions AS w"
        "  WHERE w.idempotency_key = p.id AND w.reference = p.about AND w.type = 'adjustment')"
    ):
        yield f"proposal {proposal} was approved and not booked, or booked and not approved"
    for (proposal,) in conn.execute(
        "SELECT p.id FROM proposals AS p WHERE p.kind = 'assign' AND p.status = 'done'"
        " AND NOT EXISTS (SELECT 1 FROM external_payments AS e WHERE e.reference = p.about"
        "  AND e.partner = p.partner AND e.operation = coalesce(p.topup, p.about))"
    ):
        yield f"proposal {proposal} said whose a payment is, and it is somebody else's"
    for (proposal,) in conn.execute(
        "SELECT p.id FROM proposals AS p WHERE p.kind = 'resolve' AND p.status = 'done'"
        " AND (p.decided_by = p.proposed_by OR NOT EXISTS (SELECT 1 FROM evidence AS e"
        "  WHERE e.operation = p.about AND e.source = 'admins' AND e.kind IN ("
        "   CASE p.outcome WHEN 'paid' THEN 'paid' ELSE 'not_paid' END,"
        "   CASE p.outcome WHEN 'paid' THEN 'succeeded' ELSE 'failed' END,"
        "   CASE p.outcome WHEN 'paid' THEN 'paid' ELSE 'rejected' END,"
        "   CASE p.outcome WHEN 'paid' THEN 'paid' ELSE 'returned' END)))"
    ):
        yield f"proposal {proposal} was approved, and nothing came of it"
    for operation, brought in conn.execute(
        "SELECT e.operation, count(*) FROM evidence AS e WHERE e.source = 'admins'"
        " GROUP BY e.operation HAVING count(*) <> (SELECT count(*) FROM proposals AS p"
        "  WHERE p.about = e.operation AND p.kind <> 'adjust' AND p.status = 'done')"
    ):
        yield f"admins brought evidence for {operation} {brought} times, approved or not"
    for (proposal,) in conn.execute(
        "SELECT p.id FROM proposals AS p LEFT JOIN wallet_transactions AS w"
        " ON w.reference = p.about WHERE p.kind = 'resolve' AND p.status = 'open'"
        " AND (w.state IS NULL OR w.state NOT IN ('UNKNOWN', 'SEND_UNKNOWN'))"
    ):
        yield f"proposal {proposal} waits for what is known already"
    for (proposal,) in conn.execute(
        "SELECT p.id FROM proposals AS p WHERE p.kind IN ('assign', 'dismiss')"
        " AND p.status = 'open' AND NOT EXISTS (SELECT 1 FROM review_items AS r"
        "  WHERE r.operation = p.about AND r.closed_at IS NULL)"
    ):
        yield f"proposal {proposal} waits for what nobody need look at"
    for (transfer,) in conn.execute(
        "SELECT t.id FROM transfers AS t WHERE t.code = 'assigned' AND NOT EXISTS ("
        " SELECT 1 FROM proposals AS p WHERE p.about = t.operation AND p.kind = 'assign'"
        " AND p.status = 'done' AND p.decided_by <> p.proposed_by AND p.partner = t.credit_partner"
        " AND p.amount_cents = t.amount_cents)"
    ):
        yield f"transfer {transfer} gives away what two admins have not agreed on"
