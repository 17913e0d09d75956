"""Deliveries of one operation go one after another, and others do not wait for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.kit.plain_store import PlainStore
from tests.kit.webhook_queue import WebhookQueue, places

HOUR = timedelta(hours=1)


@pytest.fixture
def queue(store: PlainStore) -> WebhookQueue:
    queue = WebhookQueue(store)
    queue.endpoint()
    return queue


def test_a_later_version_waits_for_the_earlier_one(queue: WebhookQueue) -> None:
    first, second = queue.event("TU-1", 1), queue.event("TU-1", 2)
    (delivery,) = queue.claim()
    assert delivery.event.n == first
    assert queue.claimed() == []
    queue.taken(delivery)
    assert queue.claimed() == [second]


def test_other_operations_and_events_of_none_do_not_wait(queue: WebhookQueue) -> None:
    first = queue.event("TU-1", 1)
    queue.event("TU-1", 2)
    other, low, low_again = queue.event("TU-2"), queue.event(None), queue.event(None)
    assert queue.claimed() == [first, other, low, low_again]


def test_one_that_waits_for_its_next_try_holds_back_the_later_ones(queue: WebhookQueue) -> None:
    first, second = queue.event("TU-1", 1), queue.event("TU-1", 2)
    queue.fails(queue.claim()[0], HOUR)
    third = queue.event("TU-1", 3)
    assert queue.claimed() == []
    assert queue.next_due_s() == 3_600  # nothing is looked at before
    queue.store.wait(hours=1)
    (delivery,) = queue.claim()
    assert delivery.event.n == first
    queue.taken(delivery)
    assert queue.claimed() == [second]
    assert third > second


def test_what_was_given_up_holds_back_nothing(queue: WebhookQueue) -> None:
    queue.event("TU-1", 1)
    second = queue.event("TU-1", 2)
    queue.gives_up(queue.claim()[0])
    assert queue.claimed() == [second]


def test_endpoints_do_not_wait_for_each_other(queue: WebhookQueue) -> None:
    queue.endpoint("we_2")
    first, second = queue.event("TU-1", 1), queue.event("TU-1", 2)
    queue.fails(queue.claim("we_1")[0], HOUR)
    (delivery,) = queue.claim("we_2")
    assert delivery.event.n == first
    queue.taken(delivery)
    assert queue.claimed("we_2") == [second]


def test_many_that_are_held_back_hide_nothing(queue: WebhookQueue) -> None:
    first = queue.event("TU-1", 1)
    for version in range(2, 20):
        queue.event("TU-1", version)
    other = queue.event("TU-2")
    found: list[int] = []
    for _ in range(10):
        found += places(queue.claim(most=2))
    assert found == [first, other]
