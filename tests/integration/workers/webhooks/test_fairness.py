"""One receiver that never answers takes no room from the others."""

from __future__ import annotations

from bot.workers.webhooks import AT_ONCE, AT_ONCE_EACH
from services.domain.webhook import NotTaken
from tests.kit.webhook_desk import WebhookDesk


async def test_a_silent_receiver_has_its_share_and_no_more(desk: WebhookDesk) -> None:
    silent, other = await desk.endpoint("silent"), await desk.endpoint("other")
    desk.receivers.silent.add(silent)
    for n in range(30):
        await desk.event(f"TU-{n}")
    assert len(desk.receivers.ids(silent)) == AT_ONCE_EACH
    assert len(desk.receivers.ids(other)) == 30


async def test_a_newcomer_is_served_though_others_have_a_backlog(desk: WebhookDesk) -> None:
    slow = [await desk.endpoint(f"slow{n}") for n in range(AT_ONCE // AT_ONCE_EACH + 1)]
    desk.receivers.silent.update(slow[:-1])
    for n in range(20):
        await desk.event(f"TU-{n}")
    # All are in use: seven of the last one wait, or fewer where it came in between.
    assert desk.receivers.under_way == AT_ONCE
    desk.receivers.silent.clear()
    await desk.stop()
    await desk.start()
    await desk.advance(1)
    for url in slow:
        assert sorted(desk.receivers.ids(url)[-20:]) == sorted(f"ev_DEMO_{n}" for n in range(1, 21))


async def test_versions_of_one_operation_arrive_one_after_another(desk: WebhookDesk) -> None:
    url = await desk.endpoint("a")
    desk.receivers.answers[url] = [NotTaken(500, "HTTP 500")]
    for version in (1, 2, 3):
        await desk.event("TU-1", version)
    assert desk.receivers.ids(url) == ["ev_DEMO_1"]
    await desk.event("TU-2")
    assert desk.receivers.ids(url) == ["ev_DEMO_1", "ev_DEMO_4"]
    await desk.advance(10)
    assert desk.receivers.ids(url)[2:] == ["ev_DEMO_1", "ev_DEMO_2", "ev_DEMO_3"]


async def test_an_idle_worker_has_no_alarm(desk: WebhookDesk) -> None:
    await desk.endpoint("a")
    await desk.event("TU-1")
    await desk.advance(3_600)
    assert desk.jobs.states["webhooks"].next_at is None
    assert desk.jobs.states["webhooks"].runs < 6
