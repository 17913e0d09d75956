"""Float purchases, their legs and the codes that approve them."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def purchases(conn: Connection) -> Iterator[str]:
    """Every leg of a purchase matches its quote."""
    # For each leg: its code, its amount and the account it goes to.
    for reference, code in conn.execute(
        "SELECT t.operation, t.code FROM transfers AS t"
        " WHERE t.code IN ('float', 'transfer_fee', 'processing_fee', 'float_moved')"
        " AND NOT EXISTS (SELECT 1 FROM purchases AS p WHERE p.reference = t.operation"
        "  AND t.debit_partner = p.partner AND t.credit_partner = p.partner"
        "  AND t.currency = p.currency"
        "  AND t.amount_cents = CASE t.code WHEN 'transfer_fee' THEN p.transfer_fee_cents"
        "   WHEN 'processing_fee' THEN p.processing_fee_cents ELSE p.amount_cents END"
        "  AND t.debit_kind = CASE t.code WHEN 'float_moved' THEN 'b2c_utility' ELSE 'wallet' END"
        "  AND t.credit_kind = CASE t.code WHEN 'float_moved' THEN 'collection' ELSE t.code END)"
    ):
        yield f"a {code} leg of {reference} is not what was quoted"


def purchase_legs(conn: Connection) -> Iterator[str]:
    """Each leg of a purchase has one hold, resolved as the state requires, and nothing else."""
    # The sums count each leg in three decimal digits, the float leg in the lowest three.
    for reference, state, holds, posts, voids, moves in conn.execute(
        "WITH legs AS (SELECT operation, phase, CASE code WHEN 'float' THEN 1"
        "  WHEN 'transfer_fee' THEN 1000 WHEN 'processing_fee' THEN 1000000"
        "  WHEN 'float_moved' THEN 1000000000 ELSE 1000000000000 END AS leg FROM transfers)"
        " SELECT reference, state, holds, posts, voids, moves FROM ("
        "  SELECT p.reference, p.state, p.transfer_fee_cents, p.processing_fee_cents,"
        "   coalesce(sum(t.leg) FILTER (WHERE t.phase = 'pending'), 0) AS holds,"
        "   coalesce(sum(t.leg) FILTER (WHERE t.phase = 'post'), 0) AS posts,"
        "   coalesce(sum(t.leg) FILTER (WHERE t.phase = 'void'), 0) AS voids,"
        "   coalesce(sum(t.leg) FILTER (WHERE t.phase = 'single'), 0) AS moves"
        "  FROM purchases AS p LEFT JOIN legs AS t ON t.operation = p.reference"
        "  GROUP BY p.seq, p.reference, p.state, p.transfer_fee_cents, p.processing_fee_cents) AS p"
        " WHERE holds <> CASE WHEN state NOT IN"
        "   ('AUTHORISED', 'SUBMITTING', 'UNKNOWN', 'SUCCEEDED', 'FAILED') THEN 0"
        "  ELSE 1 + CASE WHEN transfer_fee_cents = 0 THEN 0 ELSE 1000 END"
        "   + CASE WHEN processing_fee_cents = 0 THEN 0 ELSE 1000000 END END"
        " OR posts <> CASE WHEN state = 'SUCCEEDED' THEN holds ELSE 0 END"
        " OR voids <> CASE WHEN state = 'FAILED' THEN holds ELSE 0 END"
        " OR moves <> CASE WHEN state = 'SUCCEEDED' THEN 1000000000 ELSE 0 END"
    ):
        yield (
            f"purchase {reference} is {state} with {_legs(holds)} held, {_legs(posts)} posted,"
            f" {_legs(voids)} voided and {_legs(moves)} moved"
        )
    for reference, state in conn.execute(
        "SELECT p.reference, p.state FROM wallet_transactions AS p"
        " WHERE p.type = 'b2c_float_purchase' AND p.state IN ('SUCCEEDED', 'FAILED')"
        " AND NOT EXISTS (SELECT 1 FROM evidence AS e WHERE e.operation = p.reference"
        " AND e.kind = lower(p.state))"
    ):
        yield f"purchase {reference} is {state} without evidence"


def _legs(counts: int) -> str:
    """The legs in words, as in ``float, transfer fee``; a repeated leg is preceded by its count."""
    named = []
    for leg in ("float", "transfer fee", "processing fee", "float moved", "of something else"):
        counts, times = divmod(counts, 1_000)
        if times:
            named.append(leg if times == 1 else f"{times} {leg}")
    return ", ".join(named) or "nothing"


def codes(conn: Connection) -> Iterator[str]:
    """Each purchase was approved by exactly one code or desk PIN bound to it, and no sent or ended
    code remains in a message."""
    # Only as far back as no code can have been deleted. What a PIN approved is kept for good.
    for (reference,) in conn.execute(
        "SELECT p.reference FROM purchases AS p WHERE p.authorised_at IS NOT NULL AND NOT EXISTS ("
        " SELECT 1 FROM codes AS c WHERE c.operation = p.reference AND c.status = 'used')"
        " AND NOT EXISTS (SELECT 1 FROM pin_approvals AS a WHERE a.operation = p.reference"
        "  AND a.purpose = 'float_purchase' AND a.approved_at IS NOT NULL)"
        " AND p.authorised_at >= (SELECT min(created_at) + 600000 FROM codes)"
    ):
        yield f"purchase {reference} was authorised without a code"
    for (reference,) in conn.execute(
        "SELECT a.operation FROM pin_approvals AS a"
        " JOIN purchases AS p ON p.reference = a.operation"
        " WHERE a.purpose = 'float_purchase' AND (a.partner <> p.partner"
        "  OR a.person_id <> p.person_id OR a.currency <> p.currency"
        "  OR a.destination <> p.short_code OR a.amount_cents <>"
        "   p.amount_cents + p.transfer_fee_cents + p.processing_fee_cents"
        "  OR EXISTS (SELECT 1 FROM codes AS c WHERE c.operation = p.reference"
        "   AND c.status = 'used'))"
    ):
        yield f"a PIN approved something else than purchase {reference}, or a code did too"
    for (reference,) in conn.execute(
        "SELECT a.operation FROM pin_approvals AS a WHERE a.purpose = 'approval'"
        " AND a.approved_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM approvals AS d"
        "  WHERE d.purchase = a.operation AND d.partner = a.partner"
        "  AND d.decided_by = a.person_id AND d.decision = 'approved')"
    ):
        yield f"a PIN approved purchase {reference} for somebody who did not decide on it"
    for otp, reference in conn.execute(
        "SELECT c.id, p.reference FROM codes AS c JOIN purchases AS p ON p.reference = c.operation"
        " WHERE c.status = 'used' AND (c.purpose <> 'float_purchase' OR c.partner <> p.partner"
        "  OR c.person_id <> p.person_id OR c.currency <> p.currency"
        "  OR c.destination <> p.short_code OR c.amount_cents <>"
        "   p.amount_cents + p.transfer_fee_cents + p.processing_fee_cents)"
    ):
        yield f"code {otp} approved something else than purchase {reference}"
    for operation, used in conn.execute(
        "SELECT operation, count(*) FROM codes WHERE status = 'used'"
        " GROUP BY operation HAVING count(*) > 1"
    ):
        yield f"{used} codes passed for {operation}"
    for (row,) in conn.execute(
        "SELECT o.id FROM outbox AS o LEFT JOIN codes AS c ON c.id = o.otp"
        " WHERE o.otp IS NOT NULL AND o.text <> '' AND (o.state <> 'queued'"
        " OR c.status <> 'pending' OR c.id IS NULL AND NOT EXISTS ("
        "  SELECT 1 FROM api_keys AS k WHERE k.id = o.otp))"  # a new API key also waits sealed
    ):
        yield f"message {row} still holds a code that was sent or has ended"
