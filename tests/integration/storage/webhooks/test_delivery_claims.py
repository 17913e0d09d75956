"""A delivery belongs to one worker at a time, and only its own answer moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.domain.lease import Lease
from services.ports.webhooks import WebhookDeliveries
from tests.kit.plain_store import PlainStore
from tests.kit.webhook_queue import LEASE, WebhookQueue

THEIRS = Lease("theirs", timedelta(seconds=60))


@pytest.fixture
def queue(store: PlainStore) -> WebhookQueue:
    queue = WebhookQueue(store)
    queue.endpoint()
    return queue


def state(queue: WebhookQueue) -> tuple[object, ...]:
    row: tuple[object, ...] = queue.store.conn.execute(
        "SELECT state, attempts, status, error FROM webhook_deliveries"
    ).fetchone()
    return row


def test_it_is_claimed_again_when_the_lease_is_over(queue: WebhookQueue) -> None:
    queue.event("TU-1")
    (first,) = queue.claim()
    assert queue.claim(lease=THEIRS) == []
    queue.store.wait(seconds=60)
    (second,) = queue.claim(lease=THEIRS)
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.event.body() == second.event.body()


def test_a_late_failure_changes_no_schedule(queue: WebhookQueue) -> None:
    queue.event("TU-1")
    (first,) = queue.claim()
    queue.store.wait(seconds=60)
    (second,) = queue.claim(lease=THEIRS)
    assert not queue.fails(first, timedelta(hours=1))
    assert not queue.gives_up(first)
    assert not queue.taken(first)  # theirs is under way, and will say the same
    assert queue.taken(second)


def test_an_answer_recorded_twice_counts_once(queue: WebhookQueue) -> None:
    queue.event("TU-1")
    (delivery,) = queue.claim()
    assert queue.fails(delivery, timedelta(hours=1))
    assert not queue.fails(delivery, timedelta(hours=2))
    assert queue.next_due_s() == 3_600


def test_a_failure_is_remembered_until_a_success(queue: WebhookQueue) -> None:
    queue.event("TU-1")
    queue.fails(queue.claim()[0], timedelta(0))
    assert state(queue) == ("queued", 1, 500, "HTTP 500")
    found = queue.store.do(lambda tx: tx.webhooks.get("we_1"))
    assert found is not None
    assert (found.last_error, found.last_success_at) == ("HTTP 500", None)
    (again,) = queue.claim()
    assert again.tries_left == 8
    queue.taken(again)
    found = queue.store.do(lambda tx: tx.webhooks.get("we_1"))
    assert found is not None
    assert (found.last_error, found.last_success_at) == (None, queue.store.now)


def of_others(deliveries: WebhookDeliveries) -> int:
    return deliveries.end_leases_of_others(LEASE.owner)


def of_theirs(deliveries: WebhookDeliveries) -> int:
    return deliveries.end_leases_of(["somebody", THEIRS.owner])


@pytest.mark.parametrize("end", [of_others, of_theirs])
def test_leases_of_others_are_ended_and_not_ones_own(
    queue: WebhookQueue, end: Callable[[WebhookDeliveries], int]
) -> None:
    ours, theirs = queue.event("TU-1"), queue.event("TU-2")
    queue.claim(most=1)
    queue.claim(most=1, lease=THEIRS)
    assert queue.store.do(lambda tx: end(tx.webhook_deliveries)) == 1
    assert queue.claimed() == [theirs]
    assert ours < theirs


def test_an_endpoint_that_is_removed_takes_its_deliveries_along(queue: WebhookQueue) -> None:
    queue.event("TU-1")
    (delivery,) = queue.claim()
    queue.store.do(lambda tx: tx.webhooks.remove("we_1"))
    assert not queue.taken(delivery)
    assert queue.next_due_s() is None
