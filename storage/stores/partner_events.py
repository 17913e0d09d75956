"""Events of partners' operations, each added by the transaction that changed the operation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.domain.partner_event import PartnerEvent
from services.domain.public_batch import Followed
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.stores.webhooks import WebhookStore
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class PartnerEventStore:
    def __init__(
        self,
        conn: Connection,
        time: TransactionTime,
        changes: OperationChanges,
        webhooks: WebhookStore,
    ) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes
        self._webhooks = webhooks
        self._cause: tuple[str | None, str | None] = (None, None)
        self._changed: frozenset[str] = frozenset()

    def forget(self) -> None:
        """Begin anew: nothing is touched, and no call is the cause."""
        self._changes.forget()
        self._cause = (None, None)
        self._changed = frozenset()

    def caused_by(self, request_id: str, idempotency_key: str | None) -> None:
        self._cause = (request_id, idempotency_key)

    def record_changes(self) -> frozenset[str]:
        """Give each operation that can be seen to have changed its next version, with an event.

        Returns the references of all that this transaction has changed. Call at its end.
        """
        changed = [(then, now) for then, now in self._changes.take() if now.has_events]
        for before, now in changed:
            version = 1 if before is None else before.version + 1
            now = replace(now, version=version, updated_at=from_ms(self._time.ms))
            self._conn.execute(
                "UPDATE wallet_transactions SET version = ?, changed_at = ?,"
                " public_created_at = coalesce(public_created_at, created_at) WHERE reference = ?",
                (version, self._time.ms, now.reference),
            )
            self._add(now.partner, now.event_type, now.event_document(), now)
        self._changed |= {now.reference for _, now in changed}
        return self._changed

    def settle(self) -> None:
        self.record_changes()

    def add(self, partner: str, type_: str, data: dict[str, Any]) -> PartnerEvent:
        return self._add(partner, type_, data)

    def add_test(self, partner: str, type_: str) -> PartnerEvent:
        return self._add(partner, type_, {}, in_feed=False)

    def _add(
        self,
        partner: str,
        type_: str,
        data: dict[str, Any],
        of: Followed | None = None,
        *,
        in_feed: bool = True,
    ) -> PartnerEvent:
        # This partner's row is held to the end of the transaction: events are numbered in the order
        # of the commits.
        (n,) = self._conn.execute(
            "INSERT INTO partner_event_heads (partner, n) VALUES (?, 1)"
            " ON CONFLICT (partner) DO UPDATE SET n = partner_event_heads.n + 1 RETURNING n",
            (partner,),
        ).fetchone()
        request_id, idempotency_key = self._cause
        event = PartnerEvent(
            partner=partner,
            n=n,
            type=type_,
            operation=None if of is None else of.reference,
            version=None if of is None else of.version,
            data=json.dumps(data, separators=(",", ":")),
            request_id=request_id,
            idempotency_key=idempotency_key,
            created_at=from_ms(self._time.ms),
        )
        self._conn.execute(
            "INSERT INTO partner_events (partner, n, type, operation, version, data, request_id,"
            " idempotency_key, in_feed, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.partner,
                event.n,
                event.type,
                event.operation,
                event.version,
                event.data,
                event.request_id,
                event.idempotency_key,
                int(in_feed),
                self._time.ms,
            ),
        )
        if in_feed:
            self._webhooks.queue(partner, n, type_, event.operation)
        return event

    def get(self, partner: str, n: int) -> PartnerEvent | None:
        row = self._conn.execute(
            "SELECT partner, n, type, operation, version, data, request_id, idempotency_key,"
            " created_at FROM partner_events WHERE partner = ? AND n = ?",
            (partner, n),
        ).fetchone()
        return None if row is None else _event(row)

    def newest_place(self, partner: str) -> int:
        row = self._conn.execute(
            "SELECT n FROM partner_event_heads WHERE partner = ?", (partner,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def page(self, partner: str, after: int, limit: int) -> Sequence[PartnerEvent]:
        rows = self._conn.execute(
            "SELECT partner, n, type, operation, version, data, request_id, idempotency_key,"
            " created_at FROM partner_events WHERE partner = ? AND n > ? AND in_feed = 1"
            " ORDER BY n LIMIT ?",
            (partner, after, limit),
        )
        return [_event(row) for row in rows]

    def delete_before(self, moment: datetime, limit: int) -> int:
        return self._conn.execute(
            "DELETE FROM partner_events WHERE (partner, n) IN (SELECT e.partner, e.n"
            " FROM partner_events AS e WHERE e.created_at < ? AND NOT EXISTS (SELECT 1"
            "  FROM partner_events AS first WHERE first.partner = e.partner AND first.n < e.n"
            "  AND first.created_at >= ?) ORDER BY e.partner, e.n LIMIT ?)",
            (to_ms(moment), to_ms(moment), limit),
        ).rowcount


def _event(row: tuple[Any, ...]) -> PartnerEvent:
    return PartnerEvent(
        partner=row[0],
        n=row[1],
        type=row[2],
        operation=row[3],
        version=row[4],
        data=row[5],
        request_id=row[6],
        idempotency_key=row[7],
        created_at=from_ms(row[8]),
    )
