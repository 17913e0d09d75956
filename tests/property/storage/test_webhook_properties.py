"""Whatever workers, crashes and lost answers do, a receiver sees every version, first seen in
order."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain.lease import Lease
from services.domain.webhook import Delivery
from tests.kit.plain_store import PlainStore
from tests.kit.webhook_queue import WebhookQueue

ENDPOINTS = ("we_1", "we_2")
OPERATIONS = ("TU-1", "TU-2", "FL-1")
LEASES = (Lease("one", timedelta(seconds=60)), Lease("another", timedelta(seconds=60)))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.integers(0, 2)),
        st.tuples(st.just("claim"), st.integers(0, 3)),
        # What becomes of a claim: it arrives or not, and its answer is recorded, late, or lost.
        st.tuples(st.just("arrives"), st.integers(0, 9)),
        st.tuples(st.just("answer lost"), st.integers(0, 9)),
        st.tuples(st.just("fails"), st.integers(0, 9)),
        st.tuples(st.just("restart"), st.integers(0, 1)),
        st.tuples(st.just("wait"), st.sampled_from([1, 59, 60, 400])),
    ),
    max_size=40,
)


class Receivers:
    """``seen`` are the versions of each endpoint and operation, each at its first arrival."""

    def __init__(self, queue: WebhookQueue) -> None:
        self.queue = queue
        self.seen: dict[tuple[str, str], list[int]] = {}
        self.open: list[Delivery] = []

    def arrive(self, delivery: Delivery) -> None:
        operation, version = delivery.event.operation, delivery.event.version
        assert operation is not None
        assert version is not None
        seen = self.seen.setdefault((delivery.endpoint, operation), [])
        if version not in seen:
            seen.append(version)

    def drain(self) -> None:
        """Let the workers go on until nothing is queued; every try arrives."""
        self.open.clear()
        for _ in range(400):
            self.queue.store.wait(seconds=60)
            for endpoint in ENDPOINTS:
                for delivery in self.queue.claim(endpoint):
                    self.arrive(delivery)
                    self.queue.taken(delivery)
            if not self.queue.store.do(lambda tx: tx.webhook_deliveries.waiting()):
                return
        raise AssertionError("something is never sent")


def play(receivers: Receivers, step: str, value: int, versions: dict[str, int]) -> None:
    queue = receivers.queue
    if step == "event":
        operation = OPERATIONS[value]
        versions[operation] = versions.get(operation, 0) + 1
        queue.event(operation, versions[operation])
    elif step == "claim":
        lease = LEASES[value % 2]
        receivers.open += queue.claim(ENDPOINTS[value // 2], most=3, lease=lease)
    elif step == "wait":
        queue.store.wait(seconds=value)
    elif step == "restart":
        queue.store.do(lambda tx: tx.webhook_deliveries.end_leases_of_others(LEASES[value].owner))
    elif receivers.open:
        # A late worker's request may still arrive, but only of a claim that was its own: one whose
        # lease has ended has ended its call before.
        delivery = receivers.open.pop(value % len(receivers.open))
        if step == "fails":
            queue.fails(delivery, timedelta(seconds=5))
        elif is_newest(queue, delivery):
            receivers.arrive(delivery)
            if step == "arrives":
                queue.taken(delivery)


def is_newest(queue: WebhookQueue, delivery: Delivery) -> bool:
    return bool(
        queue.store.count(
            "SELECT count(*) FROM webhook_deliveries WHERE endpoint = ? AND n = ?"
            " AND attempts = ? AND due_at > ? AND leased_by IS NOT NULL",
            delivery.endpoint,
            delivery.event.n,
            delivery.attempt,
            round(queue.store.now.timestamp() * 1_000),
        )
    )


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_every_version_is_seen_in_order(store: PlainStore, steps: list[tuple[str, int]]) -> None:
    queue = WebhookQueue(store)
    for endpoint in ENDPOINTS:
        queue.endpoint(endpoint)
    receivers, versions = Receivers(queue), dict[str, int]()
    for step, value in steps:
        play(receivers, step, value, versions)
    receivers.drain()
    assert receivers.seen == {
        (endpoint, operation): list(range(1, newest + 1))
        for operation, newest in versions.items()
        for endpoint in ENDPOINTS
    }
