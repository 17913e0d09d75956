"""Operations of every kind: their states, and who looks after them."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def operations(conn: Connection) -> Iterator[str]:
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
        " AND NOT (channel = 'batch' AND standing = 'ready')"  # rows are taken up by turns
    ):
        yield f"operation {reference} is {state}, and no worker is to look at it"


def attention(conn: Connection) -> Iterator[str]:
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
