"""Invariants of the books, checked from outside: each violation is described in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator


def invariant_violations(conn: sqlite3.Connection) -> Iterator[str]:
    """Yields nothing when every invariant holds. Reads whole tables."""
    for _, violation in violations_by_invariant(conn):
        yield violation


def violations_by_invariant(conn: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """The same violations, each with the name of its invariant."""
    for check in (
        _ledger,
        _operations,
        _topups,
        _payments,
        _purchases,
        _purchase_legs,
        _codes,
        _attention,
        _adjustments,
        _proposals,
        _audit_heads,
    ):
        for violation in check(conn):
            yield check.__name__.strip("_").replace("_", " "), violation


def _ledger(conn: sqlite3.Connection) -> Iterator[str]:
    """Debits equal credits, and every balance is the sum of its transfers."""
    for partner, kind, currency in conn.execute(
        "SELECT a.partner, a.kind, a.currency FROM accounts AS a"
        " WHERE (a.debits_posted, a.debits_pending) <> ("
        "  SELECT coalesce(sum(t.amount_cents) FILTER (WHERE t.phase IN ('single', 'post')), 0),"
        "   coalesce(sum(CASE t.phase WHEN 'pending' THEN t.amount_cents WHEN 'single' THEN 0"
        "    ELSE -t.amount_cents END), 0) FROM transfers AS t"
        "  WHERE t.debit_partner = a.partner AND t.debit_kind = a.kind"
        "   AND t.currency = a.currency)"
        " OR (a.credits_posted, a.credits_pending) <> ("
        "  SELECT coalesce(sum(t.amount_cents) FILTER (WHERE t.phase IN ('single', 'post')), 0),"
        "   coalesce(sum(CASE t.phase WHEN 'pending' THEN t.amount_cents WHEN 'single' THEN 0"
        "    ELSE -t.amount_cents END), 0) FROM transfers AS t"
        "  WHERE t.credit_partner = a.partner AND t.credit_kind = a.kind"
        "   AND t.currency = a.currency)"
    ):
        yield f"account {partner}/{kind}/{currency} is not the sum of its transfers"
    for currency, debits, credits in conn.execute(
        "SELECT currency, sum(debits_posted), sum(credits_posted) FROM accounts"
        " GROUP BY currency HAVING sum(debits_posted) <> sum(credits_posted)"
        " OR sum(debits_pending) <> sum(credits_pending)"
    ):
        yield f"debits and credits of {currency} differ: {debits} and {credits}"
    for partner, kind in conn.execute(
        "SELECT partner, kind FROM accounts WHERE no_overdraft = 1"
        " AND CASE normal_side WHEN 'credit' THEN credits_posted - debits_posted"
        " - debits_pending ELSE debits_posted - credits_posted - credits_pending END < 0"
    ):
        yield f"account {partner}/{kind} is overdrawn"
    for (transfer,) in conn.execute(
        "SELECT t.id FROM transfers AS t"
        " LEFT JOIN accounts AS d ON d.partner = t.debit_partner AND d.kind = t.debit_kind"
        "  AND d.currency = t.currency"
        " LEFT JOIN accounts AS c ON c.partner = t.credit_partner AND c.kind = t.credit_kind"
        "  AND c.currency = t.currency"
        " WHERE d.partner IS NULL OR c.partner IS NULL"
    ):
        yield f"transfer {transfer} names an account that is not there"
    for (transfer,) in conn.execute(
        "SELECT t.id FROM transfers AS t LEFT JOIN transfers AS held"
        " ON held.id = t.pending_id AND held.phase = 'pending'"
        " AND held.operation = t.operation AND held.amount_cents = t.amount_cents"
        " AND held.currency = t.currency AND held.debit_partner = t.debit_partner"
        " AND held.debit_kind = t.debit_kind AND held.credit_partner = t.credit_partner"
        " AND held.credit_kind = t.credit_kind"
        " WHERE t.phase IN ('post', 'void') AND held.id IS NULL"
    ):
        yield f"transfer {transfer} does not match what it resolves"


def _operations(conn: sqlite3.Connection) -> Iterator[str]:
    """Whatever its kind, an operation has a reference of that kind and the standing of its state.
    What is to be sent, or is being sent, is due for a worker."""
    for reference, kind, state in conn.execute(
        "SELECT w.reference, w.type, w.state FROM wallet_transactions AS w"
        " LEFT JOIN operation_kinds AS k ON k.kind = w.type"
        " LEFT JOIN operation_states AS s ON s.kind = w.type AND s.state = w.state"
        " WHERE k.kind IS NULL OR substr(w.reference, 1, length(k.prefix) + 1) <> k.prefix || '-'"
        "  OR s.state IS NULL OR s.standing <> w.standing"
    ):
        yield f"operation {reference} is no {kind}, or {state} is no state of it"
    for reference, state in conn.execute(
        "SELECT reference, state FROM wallet_transactions"
        " WHERE standing IN ('ready', 'sending') AND due_at IS NULL"
    ):
        yield f"operation {reference} is {state}, and no worker is to look at it"


def _topups(conn: sqlite3.Connection) -> Iterator[str]:
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


def _payments(conn: sqlite3.Connection) -> Iterator[str]:
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
        " WHERE w.receipt IS NOT NULL AND p.receipt IS NULL"
    ):
        yield f"operation {reference} has the receipt {receipt}, of which nobody told"
    for (reference,) in conn.execute(
        "SELECT p.reference FROM external_payments AS p WHERE (p.state = 'SUSPENDED') <> EXISTS ("
        " SELECT 1 FROM review_items AS r WHERE r.operation = p.reference AND r.why = p.why"
        " AND r.closed_at IS NULL)"
    ):
        yield f"payment {reference} is in suspense, and the admins' list says otherwise"


def _purchases(conn: sqlite3.Connection) -> Iterator[str]:
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


def _purchase_legs(conn: sqlite3.Connection) -> Iterator[str]:
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


def _codes(conn: sqlite3.Connection) -> Iterator[str]:
    """Each purchase was approved by exactly one code bound to it, and no sent or ended code remains
    in a message."""
    # Only as far back as no code can have been deleted.
    for (reference,) in conn.execute(
        "SELECT p.reference FROM purchases AS p WHERE p.authorised_at IS NOT NULL AND NOT EXISTS ("
        " SELECT 1 FROM codes AS c WHERE c.operation = p.reference AND c.status = 'used')"
        " AND p.authorised_at >= (SELECT min(created_at) + 600000 FROM codes)"
    ):
        yield f"purchase {reference} was authorised without a code"
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


def _attention(conn: sqlite3.Connection) -> Iterator[str]:
    """Every open operation is due for a worker or on the admins' list, and the bank was called
    once."""
    for reference, state in conn.execute(
        "SELECT reference, state FROM wallet_transactions WHERE type = 'b2c_float_purchase'"
        " AND (due_at IS NULL) = (state IN ('AUTHORISED', 'SUBMITTING', 'UNKNOWN'))"
    ):
        yield f"purchase {reference} is {state} and is, or is not, looked after"
    for reference, state in conn.execute(
        "SELECT p.reference, p.state FROM wallet_transactions AS p"
        " WHERE p.type = 'b2c_float_purchase' AND (p.state = 'UNKNOWN') <> EXISTS ("
        " SELECT 1 FROM review_items AS r WHERE r.operation = p.reference"
        " AND r.why = 'unknown' AND r.closed_at IS NULL)"
    ):
        yield f"purchase {reference} is {state}, and the admins' list says otherwise"
    for operation, calls in conn.execute(
        "SELECT operation, count(*) FROM provider_calls"
        " WHERE call NOT IN ('token', 'query', 'status') AND outcome <> 'not_sent'"
        " GROUP BY operation HAVING count(*) > 1"
    ):
        yield f"{calls} money calls were made for {operation}"


def _adjustments(conn: sqlite3.Connection) -> Iterator[str]:
    """Each adjustment has one booking, of its amount and direction, approved by two admins."""
    for (reference,) in conn.execute(
        "SELECT w.reference FROM wallet_transactions AS w WHERE w.type = 'adjustment'"
        " AND NOT EXISTS (SELECT 1 FROM proposals AS p WHERE p.id = w.idempotency_key"
        "  AND p.about = w.reference AND p.kind = 'adjust' AND p.status = 'done'"
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
        " WHERE w.type = 'adjustment' AND t.code <> 'adjustment'"
    ):
        yield f"transfer {transfer} is not the booking of an adjustment"


def _proposals(conn: sqlite3.Connection) -> Iterator[str]:
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
        "   CASE p.outcome WHEN 'paid' THEN 'paid' ELSE 'rejected' END)))"
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


def _audit_heads(conn: sqlite3.Connection) -> Iterator[str]:
    """The head of each audit chain is its last row."""
    for (partner,) in conn.execute(
        "SELECT last.partner FROM (SELECT partner, max(n) AS n FROM audit_log GROUP BY partner)"
        " AS last JOIN audit_log AS a ON a.partner = last.partner AND a.n = last.n"
        " LEFT JOIN audit_heads AS h ON h.partner = a.partner AND h.n = a.n AND h.hash = a.hash"
        " WHERE h.partner IS NULL UNION ALL SELECT h.partner FROM audit_heads AS h WHERE NOT EXISTS"
        " (SELECT 1 FROM audit_log AS a WHERE a.partner = h.partner)"
    ):
        yield f"the head of the audit chain of {partner} is not its last row"
