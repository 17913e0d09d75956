"""What partners' systems are told: each version once, in order, and what they see adds up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from services.domain.partner_event import EVENTS_LEFT_OUT, TEST
from storage.sql import Connection
from storage.stores.public_batches import PublicBatchStore
from storage.stores.public_operations import PublicOperationStore, read_followed


def partner_events(conn: Connection) -> Iterator[str]:
    """Every version since versions are counted has its event, and the newest tells how the
    operation stands."""
    for operation, version, events in conn.execute(
        "SELECT w.reference, w.version, count(e.n) FROM wallet_transactions AS w"
        " JOIN partner_events AS e ON e.operation = w.reference"
        " GROUP BY w.reference, w.version"
        " HAVING max(e.version) <> w.version"
        " OR count(e.n) <> max(e.version) - min(e.version) + 1"
    ):
        yield f"{operation} has version {version}, and its {events} events do not lead up to it"
    for (operation,) in conn.execute(
        "SELECT w.reference FROM wallet_transactions AS w WHERE w.changed_at IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM partner_events AS e WHERE e.operation = w.reference)"
        " AND w.changed_at >= (SELECT min(created_at) FROM partner_events)"
    ):
        yield f"{operation} has changed, and no event tells of it"
    operations, batches = PublicOperationStore(conn), PublicBatchStore(conn)
    for reference, told, data in conn.execute(
        "SELECT e.operation, e.type, e.data FROM partner_events AS e"
        " JOIN wallet_transactions AS w ON w.reference = e.operation AND w.version = e.version"
    ).fetchall():
        seen = read_followed(operations, batches, reference)
        if seen is None or seen.event_type != told:
            yield f"{reference} does not stand as its newest event {told} tells"
        elif _lasting(seen.event_document()) != _lasting(json.loads(data)):
            yield f"{reference} is not what its newest event tells"


def _lasting(document: dict[str, Any]) -> dict[str, Any]:
    """Without how the rows of a batch stand, each of which has events of its own."""
    return {name: value for name, value in document.items() if name != "counts"}


def partner_feeds(conn: Connection) -> Iterator[str]:
    """A feed has no gap: what was added is there until it is old, in the order of the commits."""
    for partner, n in conn.execute(
        "SELECT e.partner, e.n FROM partner_events AS e"
        " JOIN partner_event_heads AS h ON h.partner = e.partner WHERE e.n < h.n AND NOT EXISTS ("
        "  SELECT 1 FROM partner_events AS next WHERE next.partner = e.partner"
        "  AND next.n = e.n + 1)"
        " AND coalesce((SELECT min(later.n) FROM partner_events AS later"
        "  WHERE later.partner = e.partner AND later.n > e.n), h.n) < e.n + ?",
        (EVENTS_LEFT_OUT,),
    ):
        yield f"the feed of {partner} has a gap after event {n}"
    for partner, n in conn.execute(
        "SELECT later.partner, later.n FROM partner_events AS later"
        " JOIN partner_events AS earlier ON earlier.operation = later.operation"
        " WHERE earlier.version < later.version AND earlier.n > later.n"
    ):
        yield f"event {n} of {partner} stands before the version that it follows"
    for partner, n in conn.execute(
        "SELECT partner, n FROM partner_events WHERE in_feed = 0 AND type <> ?", (TEST,)
    ):
        yield f"event {n} of {partner} is in no feed"


def public_balances(conn: Connection) -> Iterator[str]:
    """Whatever moves a wallet belongs to an operation that its partner's systems see, so that their
    history adds up to the balance."""
    for transfer, operation in conn.execute(
        "SELECT t.id, t.operation FROM transfers AS t"
        " JOIN wallet_transactions AS w ON w.reference = t.operation"
        " WHERE t.phase IN ('single', 'post')"
        " AND (t.credit_kind = 'wallet' AND t.credit_partner <> w.partner"
        "  OR t.debit_kind = 'wallet' AND t.debit_partner <> w.partner"
        "  OR (t.credit_kind = 'wallet' OR t.debit_kind = 'wallet')"
        "   AND NOT (w.listed = 1 OR w.type = 'adjustment'))"
    ):
        yield f"transfer {transfer} moves a wallet whose owner does not see {operation}"
