"""Partners' endpoints, and which events are queued for them."""

from __future__ import annotations

from typing import Any

from services.domain.webhook import (
    TEST_TRIES_MAX,
    TRIES_MAX,
    WebhookEndpoint,
)
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class WebhookStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time
        self._has_queued = False

    # Endpoints ------------------------------------------------------------------------------

    def add(self, endpoint: WebhookEndpoint) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO webhook_endpoints (id, partner, url, types, description, secret,"
            " created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            (
                endpoint.id,
                endpoint.partner,
                endpoint.url,
                None if endpoint.types is None else " ".join(endpoint.types),
                endpoint.description,
                endpoint.secret,
                endpoint.created_by,
                to_ms(endpoint.created_at),
            ),
        )
        return cursor.rowcount == 1

    def get(self, endpoint: str) -> WebhookEndpoint | None:
        row = self._conn.execute(
            "SELECT id, partner, url, types, description, secret, created_by, created_at,"
            " disabled_at, disabled_why, last_success_at, last_error"
            " FROM webhook_endpoints WHERE id = ?",
            (endpoint,),
        ).fetchone()
        return None if row is None else _endpoint(row)

    def of(self, partner: str) -> list[WebhookEndpoint]:
        rows = self._conn.execute(
            "SELECT id, partner, url, types, description, secret, created_by, created_at,"
            " disabled_at, disabled_why, last_success_at, last_error"
            " FROM webhook_endpoints WHERE partner = ? ORDER BY created_at DESC, id",
            (partner,),
        )
        return [_endpoint(row) for row in rows]

    def remove(self, endpoint: str) -> None:
        # Wait for whoever is adding an event: a change of money must not fail because the endpoint
        # that it was queued for goes in the same moment.
        self._conn.execute(
            "INSERT INTO partner_event_heads (partner, n)"
            " SELECT partner, 0 FROM webhook_endpoints WHERE id = ?"
            " ON CONFLICT (partner) DO UPDATE SET n = partner_event_heads.n",
            (endpoint,),
        )
        self._conn.execute("DELETE FROM webhook_endpoints WHERE id = ?", (endpoint,))

    def switch_off(self, endpoint: str, why: str) -> bool:
        cursor = self._conn.execute(
            "UPDATE webhook_endpoints SET disabled_at = ?, disabled_why = ?"
            " WHERE id = ? AND disabled_at IS NULL",
            (self._time.ms, why, endpoint),
        )
        return cursor.rowcount == 1

    def switch_on(self, endpoint: str) -> bool:
        cursor = self._conn.execute(
            "UPDATE webhook_endpoints SET disabled_at = NULL, disabled_why = NULL,"
            " last_error = NULL WHERE id = ? AND disabled_at IS NOT NULL",
            (endpoint,),
        )
        if cursor.rowcount == 0:
            return False
        # Most were given up while it was off.
        self._conn.execute(
            "UPDATE webhook_deliveries SET state = 'given_up', leased_by = NULL"
            " WHERE endpoint = ? AND state = 'queued' AND tries_max > ?",
            (endpoint, TEST_TRIES_MAX),
        )
        return True

    def secrets(self) -> dict[str, str]:
        return dict(self._conn.execute("SELECT id, secret FROM webhook_endpoints ORDER BY id"))

    def reseal(self, endpoint: str, sealed: str) -> None:
        self._conn.execute(
            "UPDATE webhook_endpoints SET secret = ? WHERE id = ?", (sealed, endpoint)
        )

    # Queueing -------------------------------------------------------------------------------

    def queue(self, partner: str, n: int, type_: str, operation: str | None) -> int:
        wanted = self._wanted_by(partner, type_)
        for endpoint in wanted:
            self._conn.execute(
                "INSERT INTO webhook_deliveries (endpoint, partner, n, operation, state,"
                " tries_max, due_at, created_at) VALUES (?, ?, ?, ?, 'queued', ?, ?, ?)"
                " ON CONFLICT (endpoint, partner, n) DO NOTHING",
                (endpoint, partner, n, operation, TRIES_MAX, self._time.ms, self._time.ms),
            )
        self._has_queued = self._has_queued or bool(wanted)
        return len(wanted)

    def _wanted_by(self, partner: str, type_: str) -> list[str]:
        rows = self._conn.execute(
            "SELECT id, types FROM webhook_endpoints WHERE partner = ? AND disabled_at IS NULL"
            " ORDER BY created_at, id",
            (partner,),
        )
        return [endpoint for endpoint, types in rows if types is None or type_ in types.split()]

    def queue_test(self, endpoint: str, n: int) -> None:
        self._conn.execute(
            "INSERT INTO webhook_deliveries (endpoint, partner, n, state, tries_max, due_at,"
            " created_at) SELECT id, partner, ?, 'queued', ?, ?, ? FROM webhook_endpoints"
            " WHERE id = ?",
            (n, TEST_TRIES_MAX, self._time.ms, self._time.ms, endpoint),
        )
        self._has_queued = True

    def queue_again(self, partner: str, n: int) -> int:
        event = self._conn.execute(
            "SELECT type, operation FROM partner_events"
            " WHERE partner = ? AND n = ? AND in_feed = 1",
            (partner, n),
        ).fetchone()
        wanted = [] if event is None else self._wanted_by(partner, event[0])
        for endpoint in wanted:
            # One that is being sent keeps its lease, and is tried again if that fails.
            self._conn.execute(
                "INSERT INTO webhook_deliveries (endpoint, partner, n, operation, state,"
                " tries_max, due_at, created_at) VALUES (?, ?, ?, ?, 'queued', ?, ?, ?)"
                " ON CONFLICT (endpoint, partner, n) DO UPDATE SET state = 'queued',"
                " tries_max = webhook_deliveries.attempts + excluded.tries_max,"
                " due_at = excluded.due_at WHERE webhook_deliveries.leased_by IS NULL",
                (endpoint, partner, n, event[1], TRIES_MAX, self._time.ms, self._time.ms),
            )
        self._has_queued = self._has_queued or bool(wanted)
        return len(wanted)

    def take_queued(self) -> bool:
        has_queued, self._has_queued = self._has_queued, False
        return has_queued


def _endpoint(row: tuple[Any, ...]) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row[0],
        partner=row[1],
        url=row[2],
        types=None if row[3] is None else tuple(row[3].split()),
        description=row[4],
        secret=row[5],
        created_by=row[6],
        created_at=from_ms(row[7]),
        disabled_at=from_ms(row[8]),
        disabled_why=row[9],
        last_success_at=from_ms(row[10]),
        last_error=row[11],
    )
