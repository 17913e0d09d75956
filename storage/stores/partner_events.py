"""What partners' own systems are told: one feed per partner, numbered in the order of commits."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any

from services.domain.partner_event import PartnerEvent
from storage.stores.webhooks import WebhookStore
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class PartnerEventStore:
    def __init__(
        self, conn: sqlite3.Connection, time: TransactionTime, webhooks: WebhookStore
    ) -> None:
        self._conn = conn
        self._time = time
        self._webhooks = webhooks
        self._cause: tuple[str | None, str | None] = (None, None)
        self._caused_in = -1

    def caused_by(self, request_id: str, idempotency_key: str | None) -> None:
        self._cause, self._caused_in = (request_id, idempotency_key), self._time.function

    def add(self, partner: str, type_: str, data: dict[str, Any]) -> PartnerEvent:
        event = self._add(partner, type_, json.dumps(data, separators=(",", ":")), in_feed=1)
        self._webhooks.queue(partner, event.n, type_, None)
        return event

    def add_test(self, partner: str, type_: str) -> PartnerEvent:
        return self._add(partner, type_, "{}", in_feed=0)

    def _add(self, partner: str, type_: str, data: str, *, in_feed: int) -> PartnerEvent:
        (n,) = self._conn.execute(
            "INSERT INTO partner_event_heads (partner, n) VALUES (?, 1)"
            " ON CONFLICT (partner) DO UPDATE SET n = partner_event_heads.n + 1 RETURNING n",
            (partner,),
        ).fetchone()
        cause = self._cause if self._caused_in == self._time.function else (None, None)
        self._conn.execute(
            "INSERT INTO partner_events (partner, n, type, data, request_id, idempotency_key,"
            " in_feed, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (partner, n, type_, data, *cause, in_feed, self._time.ms),
        )
        return PartnerEvent(partner, n, type_, None, None, data, *cause, self._time.now)

    def get(self, partner: str, n: int) -> PartnerEvent | None:
        row = self._conn.execute(
            "SELECT partner, n, type, operation, version, data, request_id, idempotency_key,"
            " created_at FROM partner_events WHERE partner = ? AND n = ?",
            (partner, n),
        ).fetchone()
        return None if row is None else _event(row)

    def page(self, partner: str, after: int, limit: int) -> list[PartnerEvent]:
        rows = self._conn.execute(
            "SELECT partner, n, type, operation, version, data, request_id, idempotency_key,"
            " created_at FROM partner_events WHERE partner = ? AND n > ? AND in_feed = 1"
            " ORDER BY n LIMIT ?",
            (partner, after, limit),
        )
        return [_event(row) for row in rows]

    def delete_before(self, moment: datetime, limit: int) -> int:
        return self._conn.execute(
            "DELETE FROM partner_events WHERE (partner, n) IN"
            " (SELECT e.partner, e.n FROM partner_events AS e WHERE e.created_at < ?"
            "  AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS d WHERE d.partner = e.partner"
            "   AND d.n = e.n AND d.state = 'queued') LIMIT ?)",
            (to_ms(moment), limit),
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
