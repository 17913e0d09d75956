"""An update is acknowledged once it is decided, and not before."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bot.channels.telegram.client import TIMEOUT_S, open_bot
from bot.channels.telegram.polling import PATIENCE_S, POLL_S, READ_MARGIN_S, Poller
from bot.channels.telegram.wire import GroupMessage, InboundUpdate, Membership
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi
from flows.engine.event import Event
from services.domain.database import DatabaseUnavailable
from tests.kit.virtual_time import advance, settle

AMINA, BARAKA = 77, 78


class UpdateHandler:
    """Decides what it is given, unless told to hold or to fail."""

    def __init__(self) -> None:
        self.begun: list[InboundUpdate] = []
        self.decided: list[InboundUpdate] = []
        self.held: dict[str, asyncio.Event] = {}
        self.failures_left = 0
        self.failure: Exception = OSError("the database is gone")

    async def handle(self, inbound: InboundUpdate) -> None:
        self.begun.append(inbound)
        if self.failures_left:
            self.failures_left -= 1
            raise self.failure
        if isinstance(inbound, Event) and inbound.address in self.held:
            await self.held[inbound.address].wait()
        self.decided.append(inbound)

    def hold(self, user_id: int) -> asyncio.Event:
        return self.held.setdefault(str(user_id), asyncio.Event())

    def texts(self, user_id: int) -> list[str]:
        return [i.text for i in self.decided if isinstance(i, Event) and i.address == str(user_id)]


class Line(httpx.AsyncBaseTransport):
    """The connection to the API, which can be cut."""

    def __init__(self, api: TelegramApi) -> None:
        self._to_api = api.transport()
        self.is_cut = False
        self.canned: dict[str, Any] | None = None
        self.calls: list[str] = []
        self.read_timeouts_s: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path.rpartition("/")[2])
        self.read_timeouts_s.append(request.extensions["timeout"]["read"])
        if self.is_cut:
            raise httpx.ConnectError("no route", request=request)
        if self.canned is not None:
            return httpx.Response(200, json=self.canned)
        return await self._to_api.handle_async_request(request)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def api(clock: VirtualClock) -> TelegramApi:
    return TelegramApi(clock)


@pytest.fixture
def line(api: TelegramApi) -> Line:
    return Line(api)


@pytest.fixture
def handler() -> UpdateHandler:
    return UpdateHandler()


@pytest.fixture
def poller(line: Line, clock: VirtualClock, handler: UpdateHandler) -> Poller:
    return new_poller(line, clock, handler)


def new_poller(line: Line, clock: VirtualClock, handler: UpdateHandler) -> Poller:
    return Poller(open_bot(TOKEN, base_url=BASE_URL, transport=line), handler.handle, clock)


@asynccontextmanager
async def running(poller: Poller) -> AsyncIterator[asyncio.Task[None]]:
    """Run the poller and stop it cleanly at the end, unless it was killed."""
    task = asyncio.create_task(poller.run())
    await settle()
    yield task
    if not task.done():
        await poller.stop()
        await task


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(5000):
        if happened():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


async def test_a_decided_update_is_acknowledged(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    async with running(poller):
        api.user_types(AMINA, "500")
        await until(lambda: not api.unacknowledged)
    assert handler.texts(AMINA) == ["500"]


async def test_an_update_in_work_is_not_acknowledged(
    api: TelegramApi, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    free = handler.hold(AMINA)
    async with running(poller):
        update_id = api.user_types(AMINA, "500")
        await advance(clock, 120)
        assert api.unacknowledged == [update_id]
        assert len(handler.begun) == 1
        free.set()
        await until(lambda: not api.unacknowledged)


async def test_after_a_crash_what_was_not_decided_comes_again(
    api: TelegramApi, line: Line, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    handler.hold(AMINA)
    async with running(poller) as task:
        api.user_types(AMINA, "500")
        await until(lambda: bool(handler.begun))
        task.cancel()
        await asyncio.wait([task])
    again = UpdateHandler()
    async with running(new_poller(line, clock, again)):
        await until(lambda: not api.unacknowledged)
    assert handler.decided == []
    assert again.decided == handler.begun


async def test_one_person_waits_for_nobody_else(
    api: TelegramApi, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    free = handler.hold(AMINA)
    async with running(poller):
        first = api.user_types(AMINA, "a1")
        api.user_types(AMINA, "a2")
        api.user_types(BARAKA, "b1")
        await until(lambda: handler.texts(BARAKA) == ["b1"])
        api.user_types(BARAKA, "b2")
        await advance(clock, PATIENCE_S)
        assert handler.texts(BARAKA) == ["b1", "b2"]
        assert min(api.unacknowledged) == first
        free.set()
        await until(lambda: not api.unacknowledged)
    assert handler.texts(AMINA) == ["a1", "a2"]


async def test_one_persons_updates_keep_their_order(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    said = [str(n) for n in range(250)]
    async with running(poller):
        for text in said:
            api.user_types(AMINA, text)
        await until(lambda: not api.unacknowledged)
    assert handler.texts(AMINA) == said


async def test_acknowledged_as_far_as_the_slowest(
    api: TelegramApi, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    free = handler.hold(BARAKA)
    async with running(poller):
        api.user_types(AMINA, "a1")
        slow = api.user_types(BARAKA, "b1")
        last = api.user_types(AMINA, "a2")
        await advance(clock, PATIENCE_S)
        assert handler.texts(AMINA) == ["a1", "a2"]
        assert api.unacknowledged == [slow, last]
        free.set()


async def test_what_could_not_be_committed_is_tried_again_ever_slower(
    api: TelegramApi, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    handler.failures_left = 3
    async with running(poller):
        update_id = api.user_types(AMINA, "500")
        await until(lambda: len(handler.begun) == 1)
        for seconds, tries in ((1, 2), (2, 3), (3.9, 3)):
            await advance(clock, seconds)
            assert (len(handler.begun), api.unacknowledged) == (tries, [update_id])
        await advance(clock, 0.1)
        assert handler.texts(AMINA) == ["500"]
        await until(lambda: not api.unacknowledged)


async def test_a_database_that_was_away_for_a_while_is_asked_again_as_soon_as_it_is_back(
    api: TelegramApi, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    handler.failures_left, handler.failure = 25, DatabaseUnavailable("no node leads")
    with capture_logs() as logs:
        async with running(poller):
            api.user_types(AMINA, "500")
            await advance(clock, 26)
            assert handler.texts(AMINA) == ["500"]
    assert [log["event"] for log in logs].count("telegram_update_not_decided") == 1


async def test_a_clean_stop_waits_for_the_turn_in_work_and_acknowledges_it(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    free = handler.hold(AMINA)
    async with running(poller):
        api.user_types(AMINA, "first")
        later = api.user_types(AMINA, "second")
        await until(lambda: bool(handler.begun))
        stopping = asyncio.create_task(poller.stop())
        await settle()
        assert not stopping.done()
        free.set()
        await stopping
    assert handler.texts(AMINA) == ["first"]
    assert api.unacknowledged == [later]


async def test_a_clean_stop_does_not_wait_for_a_lost_database(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    handler.failures_left = 99
    async with running(poller):
        update_id = api.user_types(AMINA, "500")
        await until(lambda: bool(handler.begun))
        await poller.stop()
    assert api.unacknowledged == [update_id]


async def test_a_stop_does_not_say_again_what_the_last_poll_said(
    api: TelegramApi, line: Line, poller: Poller
):
    async with running(poller):
        api.user_types(AMINA, "500")
        await until(lambda: not api.unacknowledged)
        polls = line.calls.count("getUpdates")
    assert line.calls.count("getUpdates") == polls


async def test_a_repeated_update_is_handed_over_again(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    async with running(poller):
        update_id = api.user_types(AMINA, "500")
        api.user_types(BARAKA, "b")
        await until(lambda: not api.unacknowledged)
        api.resend(update_id)
        await until(lambda: len(handler.decided) == 3 and not api.unacknowledged)
    assert handler.decided[0] == handler.decided[2]


async def test_ids_that_restart_lower_are_still_seen(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    async with running(poller):
        api.user_types(AMINA, "before")
        await until(lambda: not api.unacknowledged)
        api.restart_ids(5)
        api.user_types(AMINA, "after")
        await until(lambda: not api.unacknowledged)
    assert handler.texts(AMINA) == ["before", "after"]


async def test_unreadable_updates_are_logged_without_content_and_passed(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    with capture_logs() as logs:
        async with running(poller):
            update_id = api.send_raw("message", {"message_id": "x", "text": "1234"})
            await until(lambda: not api.unacknowledged)
    assert handler.begun == []
    assert logs == [
        {
            "event": "telegram_update_unreadable",
            "log_level": "warning",
            "update_id": update_id,
            "why": "message.message_id: int_type",
        }
    ]


async def test_updates_without_an_id_do_not_make_it_spin(line: Line, poller: Poller):
    line.canned = {"ok": True, "result": [{"message": {}}]}
    async with running(poller):
        await settle()
        assert line.calls == ["deleteWebhook", "getUpdates"]


async def test_an_answer_that_is_no_list_is_no_answer(line: Line, poller: Poller):
    line.canned = {"ok": True, "result": True}
    with capture_logs() as logs:
        async with running(poller):
            await settle()
    assert [entry["event"] for entry in logs] == ["telegram_no_answer"]


async def test_the_line_may_be_silent_for_longer_than_the_poll_lasts(line: Line, poller: Poller):
    async with running(poller):
        assert line.read_timeouts_s == [TIMEOUT_S, POLL_S + READ_MARGIN_S]


async def test_groups_and_memberships_are_handed_over(
    api: TelegramApi, poller: Poller, handler: UpdateHandler
):
    async with running(poller):
        group = api.group_message(-1001, AMINA, "/balance")
        block = api.user_blocks(AMINA)
        await until(lambda: not api.unacknowledged)
    assert handler.decided == [GroupMessage(-1001, group), Membership("77", True, block)]


async def test_a_cut_line_is_tried_ever_slower_up_to_thirty_seconds(
    api: TelegramApi, line: Line, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    line.is_cut = True
    with capture_logs() as logs:
        async with running(poller):
            await advance(clock, 1 + 2 + 4 + 8 + 16 + 30 + 30)
            line.is_cut = False
            api.user_types(AMINA, "500")
            await advance(clock, 30)
            assert handler.texts(AMINA) == ["500"]
    pauses = [entry["again_in_s"] for entry in logs]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_another_poller_is_named_once_and_given_time(
    api: TelegramApi, line: Line, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    other = open_bot(TOKEN, base_url=BASE_URL, transport=api.transport())
    with capture_logs() as logs:
        async with running(poller):
            theirs = asyncio.create_task(other.get_updates(timeout=1))
            await settle()
            assert line.calls.count("getUpdates") == 1
            await advance(clock, 1)
            await asyncio.wait([theirs])
            assert line.calls.count("getUpdates") == 2
    assert [entry["event"] for entry in logs] == ["telegram_conflict"]


async def test_the_poll_goes_on_forever_without_updates(
    line: Line, poller: Poller, clock: VirtualClock
):
    with capture_logs() as logs:
        async with running(poller):
            await advance(clock, 300)
    assert line.calls.count("getUpdates") == 11
    assert logs == []


async def test_an_empty_answer_that_comes_at_once_is_not_asked_for_at_once(
    api: TelegramApi, line: Line, poller: Poller, handler: UpdateHandler, clock: VirtualClock
):
    line.canned = {"ok": True, "result": []}
    async with running(poller):
        await advance(clock, 1 + 2 + 4 + 8 + 16 + 30 + 30)
        assert line.calls.count("getUpdates") == 8
        line.canned = None
        api.user_types(AMINA, "500")
        await advance(clock, 30)
        assert handler.texts(AMINA) == ["500"]
