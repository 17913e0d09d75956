"""What must be the same after something that may change nothing."""

from __future__ import annotations

from services.ports import Tx
from storage.raw import connection


def fingerprint(tx: Tx) -> tuple[object, ...]:
    """Values that a repeated event, or a request without a right, must not change."""
    conn = connection(tx)
    states = conn.execute("SELECT state FROM wallet_transactions ORDER BY seq").fetchall()
    row: tuple[object, ...] = conn.execute(
        "SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM wallet_transactions),"
        " (SELECT count(*) FROM evidence), (SELECT count(*) FROM audit_log),"
        " (SELECT sum(turn) FROM sessions), (SELECT sum(attempts) FROM otp_validations),"
        " (SELECT count(*) FROM outbox),"
        " (SELECT count(*) FROM partner_events), (SELECT count(*) FROM api_answers),"
        " (SELECT count(*) FROM webhook_endpoints), (SELECT count(*) FROM webhook_deliveries),"
        " (SELECT sum(attempts) FROM webhook_deliveries),"
        " (SELECT count(*) FROM api_keys)"
    ).fetchone()
    return (*row, *states)
