"""Deliveries of partners' events: what is due, who sends it, and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from services.domain.lease import Lease
from services.domain.partner_event import PartnerEvent
from services.domain.webhook import TEST_TRIES_MAX, Delivery, WaitingEndpoint
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

_ANY = 1 << 31  # more tries than any delivery has


# Where others write too, rows that they hold are left out.
DUE = (
    "SELECT partner, n, operation, attempts FROM webhook_deliveries"
    " WHERE endpoint = ? AND state = 'queued' AND due_at <= ? AND tries_max <= ?"
    " ORDER BY due_at, partner, n LIMIT ?"
)


class WebhookDeliveryStore:
    """Deliveries of one endpoint and operation are in order of ``n``: those behind one that is
    leased or waits for its next try get its due time, so that they are not looked at before."""

    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def waiting(self) -> list[WaitingEndpoint]:
        """Steps from endpoint to endpoint through the index, however much is queued for each."""
        rows = self._conn.execute(
            "WITH RECURSIVE waiting (endpoint) AS ("
            " SELECT min(endpoint) FROM webhook_deliveries WHERE state = 'queued'"
            " UNION ALL"
            " SELECT (SELECT min(d.endpoint) FROM webhook_deliveries AS d"
            "  WHERE d.state = 'queued' AND d.endpoint > waiting.endpoint)"
            " FROM waiting WHERE waiting.endpoint IS NOT NULL)"
            " SELECT e.id, e.disabled_at, (SELECT min(d.due_at) FROM webhook_deliveries AS d"
            "  WHERE d.state = 'queued' AND d.endpoint = e.id)"
            " FROM waiting JOIN webhook_endpoints AS e ON e.id = waiting.endpoint"
            " ORDER BY e.id"
        )
        return [
            WaitingEndpoint(endpoint, disabled_at is None, from_ms(due_at))
            for endpoint, disabled_at, due_at in rows
        ]

    def next_due(self, endpoint: str) -> datetime | None:
        row = self._conn.execute(
            "SELECT min(due_at) FROM webhook_deliveries WHERE endpoint = ? AND state = 'queued'",
            (endpoint,),
        ).fetchone()
        due: int | None = row[0]
        return from_ms(due)

    def claim(
        self, endpoint: str, lease: Lease, most: int, *, only_tests: bool = False
    ) -> list[Delivery]:
        tries_max = TEST_TRIES_MAX if only_tests else _ANY
        due = self._conn.execute(DUE, (endpoint, self._time.ms, tries_max, most)).fetchall()
        ends_at = to_ms(self._time.now + lease.lasts)
        claimed = []
        for partner, n, operation, attempts in due:
            if self._take(endpoint, partner, n, attempts, ends_at, lease.owner):
                self._move_later_ones(endpoint, operation, n, ends_at)
                claimed.append(self._delivery(endpoint, partner, n))
            elif operation is not None:
                self._put_behind_earlier_one(endpoint, operation, n)
        return claimed

    def _take(
        self, endpoint: str, partner: str, n: int, attempts: int, ends_at: int, owner: str
    ) -> bool:
        """False when another writer was faster, or an earlier one of its operation waits."""
        cursor = self._conn.execute(
            "UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = ?, leased_by = ?"
            " WHERE endpoint = ? AND partner = ? AND n = ? AND state = 'queued' AND attempts = ?"
            " AND due_at <= ? AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS earlier"
            "  WHERE earlier.endpoint = webhook_deliveries.endpoint"
            "  AND earlier.operation = webhook_deliveries.operation"
            "  AND earlier.n < webhook_deliveries.n AND earlier.state = 'queued')",
            (ends_at, owner, endpoint, partner, n, attempts, self._time.ms),
        )
        return cursor.rowcount == 1

    def _move_later_ones(self, endpoint: str, operation: str | None, n: int, due_at: int) -> None:
        """Those of the same operation become due when the one before them does."""
        if operation is not None:
            self._conn.execute(
                "UPDATE webhook_deliveries SET due_at = ? WHERE endpoint = ? AND operation = ?"
                " AND n > ? AND state = 'queued' AND leased_by IS NULL",
                (due_at, endpoint, operation, n),
            )

    def _put_behind_earlier_one(self, endpoint: str, operation: str, n: int) -> None:
        row = self._conn.execute(
            "SELECT max(due_at) FROM webhook_deliveries WHERE endpoint = ? AND operation = ?"
            " AND n < ? AND state = 'queued'",
            (endpoint, operation, n),
        ).fetchone()
        if row[0] is not None:
            self._conn.execute(
                "UPDATE webhook_deliveries SET due_at = ? WHERE endpoint = ? AND operation = ?"
                " AND n = ? AND state = 'queued' AND leased_by IS NULL",
                (row[0], endpoint, operation, n),
            )

    def _delivery(self, endpoint: str, partner: str, n: int) -> Delivery:
        row = self._conn.execute(
            "SELECT e.url, e.secret, d.attempts, d.tries_max, v.type, v.operation, v.version,"
            " v.data, v.request_id, v.idempotency_key, v.created_at"
            " FROM webhook_deliveries AS d"
            " JOIN webhook_endpoints AS e ON e.id = d.endpoint"
            " JOIN partner_events AS v ON v.partner = d.partner AND v.n = d.n"
            " WHERE d.endpoint = ? AND d.partner = ? AND d.n = ?",
            (endpoint, partner, n),
        ).fetchone()
        return Delivery(
            endpoint=endpoint,
            url=row[0],
            secret=row[1],
            attempt=row[2],
            tries_left=row[3] - row[2],
            event=PartnerEvent(
                partner=partner,
                n=n,
                type=row[4],
                operation=row[5],
                version=row[6],
                data=row[7],
                request_id=row[8],
                idempotency_key=row[9],
                created_at=from_ms(row[10]),
            ),
        )

    def taken(self, delivery: Delivery, status: int) -> bool:
        event = delivery.event
        cursor = self._conn.execute(
            "UPDATE webhook_deliveries SET state = 'taken', leased_by = NULL, status = ?,"
            " error = NULL WHERE endpoint = ? AND partner = ? AND n = ? AND attempts = ?",
            (status, delivery.endpoint, event.partner, event.n, delivery.attempt),
        )
        if cursor.rowcount == 0:
            return False
        self._move_later_ones(delivery.endpoint, event.operation, event.n, self._time.ms)
        self._conn.execute(
            "UPDATE webhook_endpoints SET last_success_at = ?, last_error = NULL WHERE id = ?",
            (self._time.ms, delivery.endpoint),
        )
        return True

    def try_again(self, delivery: Delivery, at: datetime, status: int | None, why: str) -> bool:
        event, due_at = delivery.event, to_ms(at)
        cursor = self._conn.execute(
            "UPDATE webhook_deliveries SET due_at = ?, leased_by = NULL, status = ?, error = ?"
            " WHERE endpoint = ? AND partner = ? AND n = ? AND attempts = ?"
            " AND state = 'queued' AND leased_by IS NOT NULL",
            (due_at, status, why, delivery.endpoint, event.partner, event.n, delivery.attempt),
        )
        if cursor.rowcount == 0:
            return False
        self._move_later_ones(delivery.endpoint, event.operation, event.n, due_at)
        self._note_error(delivery.endpoint, why)
        return True

    def give_up(self, delivery: Delivery, status: int | None, why: str) -> bool:
        event = delivery.event
        cursor = self._conn.execute(
            "UPDATE webhook_deliveries SET state = 'given_up', leased_by = NULL, status = ?,"
            " error = ? WHERE endpoint = ? AND partner = ? AND n = ? AND attempts = ?"
            " AND state = 'queued' AND leased_by IS NOT NULL",
            (status, why, delivery.endpoint, event.partner, event.n, delivery.attempt),
        )
        if cursor.rowcount == 0:
            return False
        self._move_later_ones(delivery.endpoint, event.operation, event.n, self._time.ms)
        self._note_error(delivery.endpoint, why)
        return True

    def _note_error(self, endpoint: str, why: str) -> None:
        self._conn.execute(
            "UPDATE webhook_endpoints SET last_error = ? WHERE id = ?", (why, endpoint)
        )

    def give_up_switched_off(self, endpoint: str, limit: int) -> int:
        return self._conn.execute(
            "UPDATE webhook_deliveries SET state = 'given_up', leased_by = NULL"
            " WHERE endpoint = ? AND state = 'queued' AND tries_max > ? AND n IN"
            " (SELECT d.n FROM webhook_deliveries AS d WHERE d.endpoint = ?"
            "  AND d.state = 'queued' AND d.tries_max > ? LIMIT ?)"
            " AND EXISTS (SELECT 1 FROM webhook_endpoints AS e"
            "  WHERE e.id = webhook_deliveries.endpoint AND e.disabled_at IS NOT NULL)",
            (endpoint, TEST_TRIES_MAX, endpoint, TEST_TRIES_MAX, limit),
        ).rowcount

    def end_leases_of_others(self, owner: str) -> int:
        return self._conn.execute(
            "UPDATE webhook_deliveries SET due_at = ?, leased_by = NULL"
            " WHERE state = 'queued' AND leased_by <> ?",
            (self._time.ms, owner),
        ).rowcount

    def end_leases_of(self, owners: Collection[str]) -> int:
        return sum(self._end_leases_of(owner) for owner in owners)

    def _end_leases_of(self, owner: str) -> int:
        return self._conn.execute(
            "UPDATE webhook_deliveries SET due_at = ?, leased_by = NULL"
            " WHERE state = 'queued' AND leased_by = ?",
            (self._time.ms, owner),
        ).rowcount
