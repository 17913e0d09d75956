"""Invariants of the books, checked from outside: each violation is described in words."""

from __future__ import annotations

from collections.abc import Iterator

from storage.invariants import (
    admins,
    audit,
    batches,
    incoming,
    ledger,
    operations,
    partner_events,
    payouts,
    purchases,
)
from storage.sql import Connection

_CHECKS = (
    ledger.ledger,
    operations.operations,
    incoming.topups,
    incoming.payments,
    purchases.purchases,
    purchases.purchase_legs,
    purchases.codes,
    payouts.payouts,
    payouts.payout_legs,
    payouts.payout_receipts,
    payouts.payout_attention,
    payouts.payout_codes,
    batches.batches,
    batches.batch_rows,
    batches.batch_approvals,
    batches.batch_repeats,
    operations.attention,
    partner_events.partner_events,
    partner_events.partner_feeds,
    partner_events.public_balances,
    admins.adjustments,
    admins.openings,
    admins.proposals,
    audit.audit_heads,
)


def invariant_violations(conn: Connection) -> Iterator[str]:
    """Yields nothing when every invariant holds. Reads whole tables."""
    for _, violation in violations_by_invariant(conn):
        yield violation


def violations_by_invariant(conn: Connection) -> Iterator[tuple[str, str]]:
    """The same violations, each with the name of its invariant."""
    for check in _CHECKS:
        for violation in check(conn):
            yield check.__name__.replace("_", " "), violation
