"""Accounts and transfers, whatever they were booked for."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def ledger(conn: Connection) -> Iterator[str]:
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
