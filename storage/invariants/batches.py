"""Files of payouts: approved as one digest, and each row a payout of its own or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def batches(conn: Connection) -> Iterator[str]:
    """A batch has run exactly if its float was held, and its state fits its rows."""
    for reference, state, open_rows, unsent in conn.execute(
        "SELECT w.reference, w.state, (SELECT count(*) FROM batch_payouts AS r"
        "  WHERE r.batch = w.reference"
        "  AND r.standing IN ('ready', 'sending', 'accepted', 'unknown')),"
        " (SELECT count(*) FROM batch_payouts AS r WHERE r.batch = w.reference"
        "  AND r.standing = 'ready')"
        " FROM wallet_transactions AS w WHERE w.type = 'payout_batch'"
    ):
        if (state == "RUNNING") != (open_rows > 0) and state != "STOPPED":
            yield f"batch {reference} is {state} with {open_rows} rows open"
        if state == "STOPPED" and unsent:
            yield f"batch {reference} is stopped, and {unsent} of its rows would be sent"
    for reference, state in conn.execute(
        "SELECT w.reference, w.state FROM wallet_transactions AS w"
        " JOIN payout_batches AS b ON b.reference = w.reference"
        " WHERE (b.authorised_at IS NOT NULL) <> (w.state IN ('RUNNING', 'DONE', 'STOPPED'))"
    ):
        yield f"batch {reference} is {state}, and its float says otherwise"


def batch_rows(conn: Connection) -> Iterator[str]:
    """Every row of a batch that ran is one payout, of its amount and to its phone, and no payout
    is of a batch without being one of its rows."""
    for reference, rows, stored, amount, total in conn.execute(
        "SELECT w.reference, b.row_count, count(r.number), w.amount_cents,"
        " coalesce(sum(r.amount_cents), 0) FROM wallet_transactions AS w"
        " JOIN payout_batches AS b ON b.reference = w.reference"
        " LEFT JOIN payout_batch_rows AS r ON r.batch = w.reference WHERE w.state <> 'CANCELLED'"
        " GROUP BY w.reference, b.row_count, w.amount_cents"
    ):
        if (rows, amount) != (stored, total):
            yield f"batch {reference} has {stored} of {rows} rows, {total} of {amount} cents"
    for batch, number in conn.execute(
        "SELECT r.batch, r.number FROM payout_batch_rows AS r"
        " JOIN payout_batches AS b ON b.reference = r.batch"
        " WHERE (b.authorised_at IS NOT NULL) <> (r.payout IS NOT NULL)"
    ):
        yield f"row {number} of batch {batch} is a payout, and should not be, or is none"
    for reference in conn.execute(
        "SELECT w.reference FROM wallet_transactions AS w"
        " LEFT JOIN payout_batch_rows AS r ON r.payout = w.reference"
        " WHERE w.channel = 'batch' AND (r.batch IS NULL OR r.batch <> w.address"
        "  OR r.phone <> w.phone OR r.amount_cents <> w.amount_cents)"
    ):
        yield f"payout {reference[0]} is not what its batch says"


def batch_approvals(conn: Connection) -> Iterator[str]:
    """What ran was approved by another person as the digest that was read, and by one code of its
    maker that is bound to it."""
    for (reference,) in conn.execute(
        "SELECT b.reference FROM payout_batches AS b"
        " JOIN wallet_transactions AS w ON w.reference = b.reference"
        " LEFT JOIN approvals AS a ON a.purchase = b.reference"
        " WHERE b.authorised_at IS NOT NULL AND (b.approved_digest IS NULL"
        "  OR b.approved_digest <> b.digest OR a.decision IS NULL OR a.decision <> 'approved'"
        "  OR a.decided_by = w.person_id)"
    ):
        yield f"batch {reference} ran without a second person's yes to its rows"
    for (reference,) in conn.execute(
        "SELECT b.reference FROM payout_batches AS b"
        " JOIN wallet_transactions AS w ON w.reference = b.reference"
        " WHERE b.authorised_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM codes AS c"
        "  WHERE c.operation = b.reference AND c.status = 'used'"
        "  AND c.purpose = 'payout_batch' AND c.partner = w.partner"
        "  AND c.person_id = w.person_id AND c.destination = b.digest"
        "  AND c.amount_cents = w.amount_cents + b.fee_cents)"
        " AND b.authorised_at >= (SELECT min(created_at) + 600000 FROM codes)"
    ):
        yield f"batch {reference} ran without its code"


def batch_repeats(conn: Connection) -> Iterator[str]:
    """No row was begun while a payout like it stood that was begun after the file was read, and no
    payout, but a system's that means another, while a row like it stood that was begun after it was
    quoted: nobody was asked about those."""
    for batch, reference in conn.execute(
        "SELECT r.batch, w.reference FROM payout_batch_rows AS r CROSS JOIN payouts AS row_payout"
        " CROSS JOIN wallet_transactions AS file CROSS JOIN wallet_transactions AS w"
        " CROSS JOIN payouts AS p"
        " WHERE row_payout.reference = r.payout AND file.reference = r.batch"
        " AND w.type = 'disbursement' AND w.partner = file.partner AND w.phone = r.phone"
        " AND w.amount_cents = r.amount_cents AND w.channel <> 'batch'"
        " AND p.reference = w.reference AND w.seq > file.seq"
        " AND w.state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN', 'PAID')"
        " AND p.authorised_at < row_payout.authorised_at"
    ):
        yield f"batch {batch} pays what {reference} had begun to pay since it was read"
    for batch, reference in conn.execute(
        "SELECT r.batch, w.reference FROM payout_batch_rows AS r CROSS JOIN payouts AS row_payout"
        " CROSS JOIN wallet_transactions AS row_w CROSS JOIN wallet_transactions AS w"
        " CROSS JOIN payouts AS p"
        " WHERE row_payout.reference = r.payout AND row_w.reference = r.payout"
        " AND w.type = 'disbursement' AND w.partner = row_w.partner AND w.phone = r.phone"
        " AND w.amount_cents = r.amount_cents AND w.channel NOT IN ('api', 'batch')"
        " AND p.reference = w.reference"
        " AND row_w.state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED', 'UNKNOWN', 'PAID')"
        " AND p.quoted_at < row_payout.authorised_at AND row_payout.authorised_at < p.authorised_at"
    ):
        yield f"{reference} pays what batch {batch} had begun to pay since it was quoted"
