"""Payouts: their legs, their codes, and who looks after them."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def payouts(conn: Connection) -> Iterator[str]:
    """Every leg of a payout is what was quoted, between the right accounts."""
    for reference, code in conn.execute(
        "SELECT t.operation, t.code FROM transfers AS t"
        " WHERE t.code IN ('payout', 'payout_fee', 'payout_moved', 'charge_owed', 'payout_owed')"
        " AND NOT EXISTS (SELECT 1 FROM disbursements AS p WHERE p.reference = t.operation"
        "  AND t.debit_partner = p.partner AND t.credit_partner = p.partner"
        "  AND t.currency = p.currency"
        "  AND CASE t.code"
        "   WHEN 'payout' THEN t.debit_kind = 'float' AND t.credit_kind = 'payout'"
        "    AND t.amount_cents = p.amount_cents"
        "   WHEN 'payout_fee' THEN t.debit_kind = 'float' AND t.credit_kind = 'payout_fee'"
        "    AND t.amount_cents = p.fee_cents"
        "   WHEN 'payout_moved' THEN t.debit_kind = 'payout' AND t.credit_kind = 'b2c_utility'"
        "    AND t.amount_cents = p.amount_cents"
        "   WHEN 'charge_owed' THEN t.debit_kind = 'payout_fee'"
        "    AND t.credit_kind = 'charges_owed' AND t.amount_cents = p.fee_cents"
        "   ELSE t.debit_kind = 'receivable' AND (t.credit_kind = 'b2c_utility'"
        "     AND t.amount_cents = p.amount_cents"
        "    OR t.credit_kind = 'charges_owed' AND t.amount_cents = p.fee_cents) END)"
    ):
        yield f"a {code} leg of {reference} is not what was quoted"


def payout_legs(conn: Connection) -> Iterator[str]:
    """Each payout has exactly the legs that its state requires."""
    for reference, state, legs, wanted in conn.execute(
        # Each phase has its own three digits: holds, posts, voids; then what moves at M-PESA, and
        # what is owed. A charge counts ten where the payout itself counts one.
        "SELECT reference, state, legs, wanted FROM (SELECT reference, state, legs, CASE"
        "  WHEN state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN') THEN held"
        "  WHEN state = 'PAID' THEN held + held * 1000 + moved"
        "  WHEN state = 'RETURNED' THEN held + held * 1000000"
        # A row of a batch that was stopped; any other was cancelled before its float was held.
        "  WHEN state = 'CANCELLED' AND authorised_at IS NOT NULL THEN held + held * 1000000"
        "  WHEN state = 'PAID_AFTER_RETURN' THEN held + held * 1000000 + owed"
        "  ELSE 0 END AS wanted FROM ("
        "  SELECT p.reference, p.state, p.authorised_at,"
        "   1 + CASE WHEN p.fee_cents = 0 THEN 0 ELSE 10 END AS held,"
        "   1000000000 + CASE WHEN p.fee_cents = 0 THEN 0 ELSE 10000000000 END AS moved,"
        "   1000000000000 + CASE WHEN p.fee_cents = 0 THEN 0 ELSE 10000000000000 END AS owed,"
        "   coalesce(sum(CASE t.code"
        "    WHEN 'payout' THEN 1 WHEN 'payout_fee' THEN 10"
        "    WHEN 'payout_moved' THEN 1000000000 WHEN 'charge_owed' THEN 10000000000"
        "    WHEN 'payout_owed' THEN CASE t.credit_kind WHEN 'b2c_utility' THEN 1000000000000"
        "     ELSE 10000000000000 END"
        "    ELSE 100000000000000 END * CASE t.phase WHEN 'post' THEN 1000"
        "    WHEN 'void' THEN 1000000 ELSE 1 END) FILTER (WHERE t.id IS NOT NULL), 0) AS legs"
        "  FROM disbursements AS p LEFT JOIN transfers AS t ON t.operation = p.reference"
        "  GROUP BY p.seq, p.reference, p.state, p.authorised_at, p.fee_cents) AS counted)"
        " AS compared"
        " WHERE legs <> wanted"
    ):
        yield f"payout {reference} is {state} with legs {legs} instead of {wanted}"
    for reference, state in conn.execute(
        "SELECT p.reference, p.state FROM wallet_transactions AS p"
        " WHERE p.type = 'disbursement' AND p.state IN ('PAID', 'RETURNED', 'PAID_AFTER_RETURN')"
        " AND NOT EXISTS (SELECT 1 FROM evidence AS e WHERE e.operation = p.reference"
        " AND e.kind = lower(p.state))"
    ):
        yield f"payout {reference} is {state} without evidence"


def payout_receipts(conn: Connection) -> Iterator[str]:
    """A payout has a receipt only where M-PESA said that it paid, and gave it."""
    for reference, receipt in conn.execute(
        "SELECT p.reference, p.receipt FROM disbursements AS p WHERE p.receipt IS NOT NULL"
        " AND (p.state NOT IN ('PAID', 'PAID_AFTER_RETURN') OR NOT EXISTS ("
        "  SELECT 1 FROM evidence AS e WHERE e.operation = p.reference AND e.kind = lower(p.state)"
        "  AND e.said = 'receipt ' || p.receipt))"
    ):
        yield f"payout {reference} has the receipt {receipt}, which nobody gave"


def payout_attention(conn: Connection) -> Iterator[str]:
    """Every open payout is due for a worker, or old and on the admins' list; one that is unknown is
    on that list, and so is one that was paid after its return until it is settled."""
    for reference, state in conn.execute(
        "SELECT w.reference, w.state FROM wallet_transactions AS w"
        " JOIN payouts AS p ON p.reference = w.reference WHERE w.type = 'disbursement'"
        " AND (w.due_at IS NULL) = (w.state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN'))"
        " AND NOT (w.channel = 'batch' AND w.state = 'AUTHORISED')"  # rows are taken up by turns
        " AND NOT (w.state = 'UNKNOWN' AND EXISTS (SELECT 1 FROM review_items AS r"
        "  WHERE r.operation = w.reference AND r.why = 'unknown' AND r.closed_at IS NULL))"
    ):
        yield f"payout {reference} is {state} and is, or is not, looked after"
    for reference, state in conn.execute(
        "SELECT p.reference, p.state FROM wallet_transactions AS p"
        " WHERE p.type = 'disbursement' AND (p.state = 'UNKNOWN') <> EXISTS ("
        " SELECT 1 FROM review_items AS r WHERE r.operation = p.reference"
        " AND r.why = 'unknown' AND r.closed_at IS NULL)"
    ):
        yield f"payout {reference} is {state}, and the admins' list says otherwise"
    for (reference,) in conn.execute(
        "SELECT p.reference FROM wallet_transactions AS p WHERE p.type = 'disbursement'"
        " AND p.state = 'PAID_AFTER_RETURN' AND NOT EXISTS (SELECT 1 FROM review_items AS r"
        "  WHERE r.operation = p.reference AND r.why = 'paid_after_return')"
    ):
        yield f"payout {reference} is owed, and no admin was asked to look at it"


def payout_codes(conn: Connection) -> Iterator[str]:
    """Each payout that a person began was approved by exactly one code bound to it."""
    for (reference,) in conn.execute(
        "SELECT p.reference FROM disbursements AS p WHERE p.authorised_at IS NOT NULL"
        " AND p.person_id IS NOT NULL AND NOT EXISTS ("
        " SELECT 1 FROM codes AS c WHERE c.operation = p.reference AND c.status = 'used')"
        " AND p.authorised_at >= (SELECT min(created_at) + 600000 FROM codes)"
    ):
        yield f"payout {reference} was authorised without a code"
    for otp, reference in conn.execute(
        "SELECT c.id, p.reference FROM codes AS c"
        " JOIN disbursements AS p ON p.reference = c.operation"
        " WHERE c.status = 'used' AND (c.purpose <> 'disbursement' OR c.partner <> p.partner"
        "  OR c.person_id <> p.person_id OR c.currency <> p.currency"
        "  OR c.destination <> p.recipient OR c.amount_cents <> p.amount_cents + p.fee_cents)"
    ):
        yield f"code {otp} approved something else than payout {reference}"
