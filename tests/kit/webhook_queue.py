"""Endpoints and events in a store, for tests of what is sent to partners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services.domain.lease import Lease
from services.domain.webhook import Delivery, WebhookEndpoint
from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore

LEASE = Lease("ours", timedelta(seconds=60))
URL = "https://hooks.duka.co.ke/in"


def add_endpoint(
    tx: StoreTx, id_: str, partner: str = "DEMO", types: tuple[str, ...] | None = None
) -> None:
    assert tx.webhooks.add(
        WebhookEndpoint(id_, partner, URL, types, None, "sealed", "person:1", tx.now)
    )


def add_event(
    tx: StoreTx, operation: str | None, version: int = 1, type_: str = "topup.paid"
) -> int:
    """As the transaction that changes an operation does; returns the event's place."""
    (n,) = tx.conn.execute(
        "INSERT INTO partner_event_heads (partner, n) VALUES ('DEMO', 1)"
        " ON CONFLICT (partner) DO UPDATE SET n = partner_event_heads.n + 1 RETURNING n"
    ).fetchone()
    tx.conn.execute(
        "INSERT INTO partner_events (partner, n, type, operation, version, data, in_feed,"
        " created_at) VALUES ('DEMO', ?, ?, ?, ?, '{}', 1, ?)",
        (n, type_, operation, version, tx.now_ms),
    )
    tx.webhooks.queue("DEMO", n, type_, operation)
    return int(n)


class WebhookQueue:
    """The queue of one store, as a worker of ``lease`` uses it."""

    def __init__(self, store: PlainStore) -> None:
        store.undo()
        store.person()
        self.store = store

    def endpoint(self, id_: str = "we_1", types: tuple[str, ...] | None = None) -> str:
        self.store.do(lambda tx: add_endpoint(tx, id_, types=types))
        return id_

    def event(
        self, operation: str | None = None, version: int = 1, type_: str = "topup.paid"
    ) -> int:
        return self.store.do(lambda tx: add_event(tx, operation, version, type_))

    def claim(
        self, endpoint: str = "we_1", most: int = 9, lease: Lease = LEASE, *, tests: bool = False
    ) -> list[Delivery]:
        return self.store.do(
            lambda tx: tx.webhook_deliveries.claim(endpoint, lease, most, only_tests=tests)
        )

    def claimed(self, endpoint: str = "we_1") -> list[int]:
        return places(self.claim(endpoint))

    def taken(self, delivery: Delivery) -> bool:
        return self.store.do(lambda tx: tx.webhook_deliveries.taken(delivery, 200))

    def fails(self, delivery: Delivery, again_in: timedelta) -> bool:
        at = self.store.now + again_in
        return self.store.do(
            lambda tx: tx.webhook_deliveries.try_again(delivery, at, 500, "HTTP 500")
        )

    def gives_up(self, delivery: Delivery) -> bool:
        return self.store.do(lambda tx: tx.webhook_deliveries.give_up(delivery, 500, "HTTP 500"))

    def next_due_s(self, endpoint: str = "we_1") -> float | None:
        """Seconds until the first delivery is due; ``None``: nothing is queued."""
        waiting = self.store.do(lambda tx: tx.webhook_deliveries.waiting())
        found = [one.due_at for one in waiting if one.endpoint == endpoint]
        return (found[0] - self.store.now).total_seconds() if found else None


def places(deliveries: Sequence[Delivery]) -> list[int]:
    return [delivery.event.n for delivery in deliveries]
