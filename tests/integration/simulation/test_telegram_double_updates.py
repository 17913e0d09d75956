"""The simulated Bot API keeps, acknowledges and delivers updates as the real server does."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import TelegramApi
from bot.simulation.telegram.updates import AHEAD_MAX
from tests.kit.telegram_caller import AMINA, Caller, calling
from tests.kit.virtual_time import advance, settle

DAY_S = 24 * 3600


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def api(clock: VirtualClock) -> TelegramApi:
    api = TelegramApi(clock)
    api.open_chat(AMINA)
    return api


@pytest.fixture
async def call(api: TelegramApi) -> AsyncIterator[Caller]:
    async with calling(api) as caller:
        yield caller


def types(api: TelegramApi, times: int) -> list[int]:
    return [api.user_types(AMINA, f"message {n}") for n in range(times)]


async def test_updates_come_again_until_an_offset_passes_them(
    api: TelegramApi, call: Caller, clock: VirtualClock
):
    first, second = types(api, 2)
    assert await call.updates() == [first, second]
    await advance(clock, 1)
    assert await call.updates(limit=1) == [first]
    assert await call.updates(offset=second) == [second]
    assert await call.updates() == [second]
    assert await call.updates(offset=second + 1) == []
    assert api.unacknowledged == []


async def test_messages_are_kept_a_day_and_taps_two_and_a_half_minutes(
    api: TelegramApi, clock: VirtualClock
):
    message, tap = api.user_types(AMINA, "a"), api.user_taps(AMINA, 1, "1:yes")
    await advance(clock, 150)
    assert api.unacknowledged == [message, tap]
    await advance(clock, 1)
    assert api.unacknowledged == [message]
    await advance(clock, DAY_S - 151)
    assert api.unacknowledged == [message]
    await advance(clock, 1)
    assert api.unacknowledged == []


@pytest.mark.parametrize(("offset", "left"), [(-1, 1), (-2, 2), (-3, 3), (-100, 3)])
async def test_a_negative_offset_forgets_all_but_the_last(
    api: TelegramApi, call: Caller, offset: int, left: int
):
    ids = types(api, 3)
    assert await call.updates(offset=offset) == ids[-left:]
    assert api.unacknowledged == ids[-left:]


async def test_an_offset_too_far_ahead_is_none(api: TelegramApi, call: Caller):
    ids = types(api, 3)
    assert await call.updates(offset=ids[-1] + AHEAD_MAX + 2) == ids
    assert api.unacknowledged == ids
    assert await call.updates(offset=ids[-1] + AHEAD_MAX + 1) == []
    assert api.unacknowledged == []


async def test_ids_that_restart_lower_come_whatever_offset_is_remembered(
    api: TelegramApi, call: Caller
):
    last = types(api, 1)[-1]
    await call.updates(offset=last + 1)
    api.restart_ids(50)
    again = types(api, 1)
    assert again == [50]
    assert await call.updates(offset=last + 2) == again


@pytest.mark.parametrize(
    ("given", "count"),
    [({"limit": 0}, 1), ({"limit": -7}, 1), ({"limit": 1000}, 100), ({"limit": "abc"}, 1)],
)
async def test_limits_are_clamped(
    api: TelegramApi, call: Caller, given: dict[str, Any], count: int
):
    types(api, 101)
    assert len(await call.updates(**given)) == count


async def test_a_timeout_is_clamped_to_fifty_seconds(call: Caller, clock: VirtualClock):
    waiting = asyncio.create_task(call.updates(timeout=100_000))
    await advance(clock, 49)
    assert not waiting.done()
    await advance(clock, 1)
    assert await waiting == []
    assert await call.updates(offset=1, timeout=-5) == []


async def test_the_same_offset_at_once_brings_one_update(
    api: TelegramApi, call: Caller, clock: VirtualClock
):
    ids = types(api, 3)
    assert await call.updates() == ids
    assert await call.updates() == ids[:1]
    await advance(clock, 0.5)
    assert await call.updates() == ids


async def test_the_same_offset_within_three_seconds_waits_three(call: Caller, clock: VirtualClock):
    assert await call.updates() == []
    await advance(clock, 2.9)
    slowed = asyncio.create_task(call.updates())
    await advance(clock, 2.9)
    assert not slowed.done()
    await advance(clock, 0.1)
    assert await slowed == []
    assert await call.updates(offset=7) == []


async def test_of_two_polls_that_wait_the_older_is_refused(api: TelegramApi, call: Caller):
    older = asyncio.create_task(call.refused("getUpdates", timeout=30))
    await settle()
    newer = asyncio.create_task(call.updates(timeout=30))
    assert (await older).startswith("Conflict: terminated by other getUpdates request")
    update_id = api.user_types(AMINA, "a")
    assert await newer == [update_id]


async def test_a_poll_that_need_not_wait_ends_no_other(
    api: TelegramApi, call: Caller, clock: VirtualClock
):
    waiting = asyncio.create_task(call.updates(timeout=30))
    await advance(clock, 4)
    assert await call.updates() == []
    assert not waiting.done()
    update_id = api.user_types(AMINA, "a")
    assert await waiting == [update_id]


async def test_a_long_poll_ends_at_once_when_something_comes(api: TelegramApi, call: Caller):
    waiting = asyncio.create_task(call.updates(timeout=30))
    await settle()
    assert not waiting.done()
    update_id = api.user_types(AMINA, "a")
    assert await waiting == [update_id]


async def test_a_long_poll_ends_empty_at_its_time(call: Caller, clock: VirtualClock):
    waiting = asyncio.create_task(call.updates(timeout=30))
    await advance(clock, 30)
    assert await waiting == []


async def test_a_poller_that_died_swallows_nothing(api: TelegramApi, call: Caller):
    dead = asyncio.create_task(call.updates(timeout=30))
    await settle()
    dead.cancel()
    update_id = api.user_types(AMINA, "a")
    await settle()
    assert await call.updates() == [update_id]


@pytest.mark.parametrize(
    ("allowed", "comes"),
    [
        (["callback_query"], False),
        (["Message"], True),
        (["nonsense"], True),
        (["callback_query", "nonsense"], False),
        ([], True),
        ("no json", True),
        ([1], True),
    ],
)
async def test_only_wanted_kinds_come(api: TelegramApi, call: Caller, allowed: object, comes: bool):
    await call("getUpdates", allowed_updates=allowed)
    message = api.user_types(AMINA, "a")
    assert api.unacknowledged == [message] * comes


async def test_what_is_wanted_stays_until_it_is_said_anew(api: TelegramApi, call: Caller):
    await call("getUpdates", allowed_updates=["callback_query"])
    await call("getUpdates", offset=1)
    api.user_types(AMINA, "a")
    assert api.unacknowledged == []
    await call("getUpdates", allowed_updates=[])
    assert api.user_types(AMINA, "b") in api.unacknowledged


async def test_an_acknowledged_update_can_be_sent_again_with_its_id(api: TelegramApi, call: Caller):
    (first,) = types(api, 1)
    await call.updates(offset=first + 1)
    api.resend(first)
    assert await call.updates(offset=first + 1) == [first]
    assert await call.updates(offset=first + 2) == []


async def test_updates_can_come_out_of_order(api: TelegramApi, call: Caller):
    sent = types(api, 5)
    api.shuffle(Random(1))
    received = await call.updates()
    assert received != sent
    assert sorted(received) == sent


async def test_a_tap_tells_the_bots_message_as_it_stands(api: TelegramApi, call: Caller):
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "1:yes"}]]}
    sent = await call.sent(text="Sure?", reply_markup=keyboard)
    api.user_taps(AMINA, sent["message_id"], "1:yes")
    api.user_taps(AMINA, 999, "forged")
    known, forged = [u["callback_query"] for u in await call.done("getUpdates")]
    assert known["message"] == sent
    assert known["id"].isdecimal()
    assert known["id"] != forged["id"]
    assert forged["message"] == {"chat": sent["chat"], "message_id": 999, "date": 0}


async def test_a_tap_can_be_answered_once_and_not_too_late(
    api: TelegramApi, call: Caller, clock: VirtualClock
):
    api.user_taps(AMINA, 1, "1:yes")
    (tap,) = api.unanswered
    why = await call.refused("answerCallbackQuery", callback_query_id=tap, text="x" * 201)
    assert why == "Bad Request: MESSAGE_TOO_LONG"
    await call.done("answerCallbackQuery", callback_query_id=tap, text="x" * 200)
    too_old = "Bad Request: query is too old and response timeout expired"
    assert (await call.refused("answerCallbackQuery", callback_query_id=tap)).startswith(too_old)
    api.user_taps(AMINA, 1, "1:yes")
    (tap,) = api.unanswered
    await advance(clock, 151)
    assert api.unanswered == []
    assert (await call.refused("answerCallbackQuery", callback_query_id=tap)).startswith(too_old)


async def test_who_shuts_the_bot_out_is_told_with_all_fields(api: TelegramApi, call: Caller):
    api.user_blocks(AMINA)
    api.user_unblocks(AMINA)
    shut, opened = [u["my_chat_member"] for u in await call.done("getUpdates")]
    bot = await call.done("getMe")
    kicked = {"status": "kicked", "until_date": 0}
    for change, old, new in ((shut, {"status": "member"}, kicked), (opened, kicked, None)):
        assert change["chat"] == {"id": AMINA, "first_name": "User 77", "type": "private"}
        assert change["from"]["id"] == AMINA
        assert change["old_chat_member"].pop("user").items() <= bot.items()
        assert change["new_chat_member"].pop("user").items() <= bot.items()
        assert change["old_chat_member"] == old
        assert change["new_chat_member"] == (new or {"status": "member"})
