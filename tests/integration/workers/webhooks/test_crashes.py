"""What is cut off in the middle is sent again, under the same id."""

from __future__ import annotations

from bot.workers.webhooks import LEASE
from storage.transaction import StoreTx
from tests.kit.webhook_desk import WebhookDesk


async def test_a_killed_run_is_taken_up_by_the_next(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.silent.add(url)
    await desk.event("TU-1")
    await desk.kill()
    assert await desk.states() == [("queued", 1)]
    desk.receivers.silent.clear()
    await desk.start()
    assert desk.receivers.ids(url) == ["ev_DEMO_1", "ev_DEMO_1"]
    assert await desk.states() == [("taken", 2)]


async def test_a_lost_run_of_another_process_is_taken_up_when_its_lease_ends(
    desk: WebhookDesk,
) -> None:
    url = await desk.endpoint("a")
    desk.receivers.silent.add(url)
    await desk.event("TU-1")
    desk.worker.abort()
    desk.receivers.silent.clear()
    await desk.settle()
    other = desk.worker
    other._stopping = False  # a worker that nobody told of the leases of others
    await other.scan()
    assert len(desk.receivers.ids(url)) == 1
    await desk.advance(LEASE.total_seconds())
    assert len(desk.receivers.ids(url)) == 2


async def test_a_stop_leaves_nothing_running(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.silent.add(url)
    await desk.event("TU-1")
    assert desk.receivers.under_way == 1
    await desk.stop()
    assert desk.receivers.under_way == 0
    assert await desk.states() == [("queued", 1)]
    await desk.event("TU-2")
    assert len(desk.receivers.received) == 1
    desk.receivers.silent.clear()
    await desk.start()
    assert {state for state, _ in await desk.states()} == {"taken"}


async def test_an_endpoint_that_is_removed_meanwhile_is_no_fault(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.silent.add(url)
    await desk.event("TU-1")

    def remove(tx: StoreTx) -> None:
        tx.webhooks.remove("we_a")

    await desk.database.write(remove)
    await desk.kill()
    await desk.start()
    assert len(desk.receivers.ids(url)) == 1
    assert await desk.states() == []
