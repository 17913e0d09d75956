"""When events are sent, again, and no more."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

from standardwebhooks import Webhook

from services.domain.webhook import TRIES_MAX, WAITS, Gone, NotTaken
from storage.transaction import StoreTx
from tests.kit.webhook_desk import OWNER, WebhookDesk

FAILED = NotTaken(500, "HTTP 500")
LATEST = sum(WAITS, timedelta()) * 1.1


async def test_an_event_is_sent_as_soon_as_it_is_committed(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    id_ = await desk.event("TU-1")
    (received,) = desk.receivers.received
    assert (received.url, received.at) == (url, desk.clock.now())
    assert json.loads(received.body)["id"] == id_
    assert received.headers["webhook-id"] == id_
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"] == "Hazina-Webhooks/1"
    assert await desk.states() == [("taken", 1)]
    assert (await desk.found("a")).last_success_at == desk.clock.now()


async def test_each_try_is_signed_anew_for_its_moment(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.answers[url] = [FAILED]
    await desk.event("TU-1")
    await desk.advance(6)
    first, second = desk.receivers.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) in (
        *(4, 5, 6),
    )
    secret = desk.keys.unseal((await desk.found("a")).secret)
    assert secret is not None
    for one in (first, second):
        signed = Webhook(secret).sign(one.headers["webhook-id"], one.at, one.body.decode())
        assert one.headers["webhook-signature"] == signed


async def test_after_the_last_try_it_is_switched_off_and_the_owner_told_once(
    desk: WebhookDesk,
) -> None:
    url = await desk.endpoint("a")
    desk.receivers.answers[url] = [FAILED] * 99
    await desk.event("TU-1")
    await desk.event("TU-2")
    await desk.advance(LATEST.total_seconds())
    tries = desk.receivers.ids(url)
    assert TRIES_MAX in (tries.count("ev_DEMO_1"), tries.count("ev_DEMO_2"))
    found = await desk.found("a")
    assert (found.is_on, found.disabled_why, found.last_error) == (False, "failing", "HTTP 500")
    assert {state for state, _ in await desk.states()} == {"given_up"}
    (row,) = desk.sent
    assert (row.address, row.kind) == (OWNER, "receipt")
    assert "a.duka.co.ke" in row.text
    acts = await desk.database.read(
        lambda tx: tx.conn.execute("SELECT act, facts FROM audit_log").fetchall()
    )
    assert acts == [("webhook_switched_off", '{"why":"failing"}')]
    await desk.event("TU-3")
    assert "ev_DEMO_3" not in desk.receivers.ids(url)


async def test_the_tries_keep_to_the_schedule(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.answers[url] = [FAILED] * 99
    await desk.event("TU-1")
    await desk.advance(LATEST.total_seconds())
    moments = [one.at for one in desk.receivers.received]
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert len(waits) == len(WAITS)
    for wait, usual in zip(waits, WAITS, strict=True):
        assert usual * 0.89 <= wait <= usual * 1.11
    assert len(set(waits)) == len(waits)


async def test_gone_switches_it_off_at_once(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.answers[url] = [Gone()]
    await desk.event("TU-1")
    found = await desk.found("a")
    assert (found.is_on, found.disabled_why) == (False, "gone")
    assert "wants no more" in desk.sent[0].text


async def test_a_busy_receiver_is_left_alone_as_long_as_it_asks(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.answers[url] = [NotTaken(429, "HTTP 429", timedelta(minutes=3))]
    await desk.event("TU-1")
    await desk.advance(179)
    assert len(desk.receivers.received) == 1
    await desk.advance(1)
    assert len(desk.receivers.received) == 2


async def test_a_failed_test_is_not_repeated_and_switches_nothing_off(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.answers[url] = [Gone(), FAILED]

    def add(tx: StoreTx) -> None:
        tx.webhooks.queue_test("we_a", tx.partner_events.add_test("DEMO", "webhook.test").n)

    for _ in range(2):
        await desk.database.write(add)
        await desk.advance(LATEST.total_seconds())
    assert len(desk.receivers.received) == 2
    found = await desk.found("a")
    assert (found.is_on, found.last_error) == (True, "HTTP 500")
    assert desk.sent == []
