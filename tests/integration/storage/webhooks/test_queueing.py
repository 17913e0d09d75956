"""What is queued for which endpoint."""

from __future__ import annotations

import pytest

from tests.kit.plain_store import PlainStore
from tests.kit.webhook_queue import WebhookQueue


@pytest.fixture
def queue(store: PlainStore) -> WebhookQueue:
    return WebhookQueue(store)


def add_test(queue: WebhookQueue, endpoint: str = "we_1") -> None:
    def add(tx):  # type: ignore[no-untyped-def]
        tx.webhooks.queue_test(endpoint, tx.partner_events.add_test("DEMO", "webhook.test").n)

    queue.store.do(add)


def test_nothing_is_queued_without_endpoints(queue: WebhookQueue) -> None:
    queue.event("TU-1")
    assert not queue.store.do(lambda tx: tx.webhooks.take_queued())
    assert queue.store.count("SELECT count(*) FROM webhook_deliveries") == 0


def test_looking_for_endpoints_reads_an_index(queue: WebhookQueue) -> None:
    plan = queue.store.conn.execute(
        "EXPLAIN QUERY PLAN"
        " SELECT id, types FROM webhook_endpoints WHERE partner = ? AND disabled_at IS NULL",
        ("DEMO",),
    ).fetchall()
    assert [row[3] for row in plan] == [
        "SEARCH webhook_endpoints USING INDEX webhook_endpoints_by_partner (partner=?)"
    ]


def test_each_endpoint_gets_the_types_that_it_wants(queue: WebhookQueue) -> None:
    queue.endpoint("we_all")
    queue.endpoint("we_float", types=("float.pending", "float.succeeded"))
    paid, bought = queue.event("TU-1"), queue.event("FL-1", type_="float.succeeded")
    assert queue.claimed("we_all") == [paid, bought]
    assert queue.claimed("we_float") == [bought]
    assert queue.store.do(lambda tx: tx.webhooks.take_queued())
    assert not queue.store.do(lambda tx: tx.webhooks.take_queued())


def test_a_test_comes_whatever_the_types_and_even_when_it_is_off(queue: WebhookQueue) -> None:
    queue.endpoint(types=("float.failed",))
    queue.event("FL-1", type_="float.failed")
    queue.store.do(lambda tx: tx.webhooks.switch_off("we_1", "gone"))
    add_test(queue)
    (delivery,) = queue.claim(tests=True)
    assert delivery.is_test
    assert delivery.tries_left == 0


def test_what_is_queued_for_one_that_is_off_is_given_up_in_pages(queue: WebhookQueue) -> None:
    queue.endpoint()
    for n in range(5):
        queue.event(f"TU-{n}")
    queue.store.do(lambda tx: tx.webhooks.switch_off("we_1", "failing"))
    add_test(queue)
    pages = [
        queue.store.do(lambda tx: tx.webhook_deliveries.give_up_switched_off("we_1", 3))
        for _ in "123"
    ]
    assert pages == [3, 2, 0]
    assert [one.is_test for one in queue.claim(tests=True)] == [True]
    queue.event("TU-9")
    assert queue.claimed() == []


def test_switched_on_again_it_gets_only_what_comes(queue: WebhookQueue) -> None:
    queue.endpoint()
    queue.event("TU-1")
    assert queue.store.do(lambda tx: tx.webhooks.switch_off("we_1", "gone"))
    assert not queue.store.do(lambda tx: tx.webhooks.switch_off("we_1", "failing"))
    assert queue.store.do(lambda tx: tx.webhooks.switch_on("we_1"))
    assert not queue.store.do(lambda tx: tx.webhooks.switch_on("we_1"))
    later = queue.event("TU-2")
    assert queue.claimed() == [later]


def test_an_event_is_sent_again_with_all_its_tries(queue: WebhookQueue) -> None:
    queue.endpoint()
    n = queue.event("TU-1")
    queue.taken(queue.claim()[0])
    queue.endpoint("we_new")
    assert queue.store.do(lambda tx: tx.webhooks.queue_again("DEMO", n)) == 2
    (delivery,) = queue.claim()
    assert (delivery.attempt, delivery.tries_left) == (2, 9)
    assert queue.claimed("we_new") == [n]


def test_sending_again_leaves_one_that_is_under_way_alone(queue: WebhookQueue) -> None:
    queue.endpoint()
    n = queue.event("TU-1")
    (delivery,) = queue.claim()
    queue.store.do(lambda tx: tx.webhooks.queue_again("DEMO", n))
    assert queue.claimed() == []
    assert queue.taken(delivery)


def test_a_test_is_no_event_to_send_again(queue: WebhookQueue) -> None:
    queue.endpoint()
    add_test(queue)
    assert queue.store.do(lambda tx: tx.webhooks.queue_again("DEMO", 1)) == 0
