"""Messages go out in order and are retried for as long as their kind allows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from bot.outbox.attempt import (
    ANSWER_PAUSES_S,
    ANSWER_TIMEOUTS_S,
    NOTICE_PAUSES_S,
)
from bot.outbox.channel import (
    MessageContent,
    MessageGone,
    RetryAfter,
    Unclear,
    Undeliverable,
)
from bot.simulation.clock import START
from flows.engine.event import Button
from tests.kit.outbox_harness import AMINA, BARAKA, CHAT, OutboxHarness

TRIES_MAX = len(ANSWER_PAUSES_S) + 1


# Order


async def test_what_was_queued_is_sent_and_noted(harness: OutboxHarness) -> None:
    await harness.sent("one", rows='[[["yes","Yes"]]]', turn=4)
    assert harness.chat.contents == [MessageContent("one", ((Button("yes", "Yes"),),), turn=4)]
    assert harness.told == [("one", "m1", False)]
    assert await harness.states() == [("one", "sent", 1)]


async def test_what_is_to_be_protected_is(harness: OutboxHarness) -> None:
    await harness.sent("question")
    await harness.sent("received", kind="receipt", protect=True)
    assert [content.protect for content in harness.chat.contents] == [False, True]


async def test_a_chat_is_served_in_order(harness: OutboxHarness) -> None:
    await harness.sent("one", "two", "three")
    assert harness.chat.texts == ["one", "two", "three"]


async def test_a_message_that_is_tried_again_keeps_its_place(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Unclear("no answer"), Unclear("no answer"))
    await harness.sent("one", "two")
    await harness.advance(10)
    assert harness.chat.texts == ["one", "two"]


async def test_other_chats_are_not_held_up(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, RetryAfter(60))
    await harness.push("late")
    await harness.sent("now", to=BARAKA)
    assert harness.chat.taken == [(BARAKA, "now")]


async def test_a_row_pushed_twice_is_sent_once(harness: OutboxHarness) -> None:
    row = await harness.queue("one")
    harness.sender.push([row])
    harness.sender.push([row, row])
    await harness.settle()
    assert harness.chat.texts == ["one"]


async def test_a_row_of_a_repeated_event_is_not_sent_again_in_the_second_it_was_sent(
    harness: OutboxHarness,
) -> None:
    row = await harness.queue("one", event_id="e1")
    (found,) = await harness.database.read(lambda tx: tx.outbox.unsent(CHAT, AMINA, "e1"))
    harness.sender.push([row])
    await harness.settle()
    harness.sender.push([found])  # found before it was sent, pushed after
    await harness.settle()
    assert harness.chat.texts == ["one"]
    assert await harness.database.read(lambda tx: tx.outbox.unsent(CHAT, AMINA, "e1")) == []


async def test_a_chat_that_was_served_is_served_again(harness: OutboxHarness) -> None:
    await harness.sent("one")
    await harness.sent("two")
    assert harness.chat.texts == ["one", "two"]


# Tries


async def test_a_429_is_waited_out(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, RetryAfter(30))
    await harness.sent("one")
    await harness.advance(29)
    assert harness.chat.texts == []
    await harness.advance(1)
    assert harness.chat.times == [30]


async def test_a_429_is_waited_out_however_often_it_comes(harness: OutboxHarness) -> None:
    times = TRIES_MAX + 3
    harness.chat.will(AMINA, *(RetryAfter(10) for _ in range(times)))
    await harness.sent("one")
    await harness.advance(10 * times)
    assert harness.chat.times == [10 * times]


async def test_429s_use_up_no_tries(harness: OutboxHarness) -> None:
    waits = [RetryAfter(1) for _ in range(TRIES_MAX)]
    unclear = [Unclear("no answer") for _ in range(TRIES_MAX - 1)]
    harness.chat.will(AMINA, *waits, *unclear)
    await harness.sent("one")
    await harness.advance(3600)
    assert harness.chat.texts == ["one"]


@pytest.mark.parametrize(
    ("kind", "pauses"),
    [("answer", ANSWER_PAUSES_S), ("receipt", NOTICE_PAUSES_S), ("notice", NOTICE_PAUSES_S)],
)
async def test_an_unclear_send_is_tried_again_slower_and_slower(
    harness: OutboxHarness, kind: str, pauses: Sequence[float]
) -> None:
    times: list[float] = []

    async def no_answer(address: str, content: MessageContent) -> str:
        times.append((harness.clock.now() - START).total_seconds())
        raise Unclear("no answer")

    harness.chat.send = no_answer  # type: ignore[method-assign]
    with capture_logs() as logs:
        await harness.sent("one", kind=kind)
        await harness.advance(100_000)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == pytest.approx(pauses)
    assert await harness.states() == [("one", "dead", len(pauses) + 1)]
    assert [log["event"] for log in logs] == ["message will never arrive"]


async def test_a_message_given_up_on_does_not_hold_the_next(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, *(Unclear("no answer") for _ in range(TRIES_MAX)))
    await harness.push("lost", "next")
    await harness.advance(3600)
    assert harness.chat.texts == ["next"]


@pytest.mark.parametrize("error", [Undeliverable("too long"), MessageGone("chat not found")])
async def test_what_will_never_be_taken_is_tried_once(
    harness: OutboxHarness, error: Exception
) -> None:
    harness.chat.will(AMINA, error)
    await harness.sent("bad", "good")
    assert harness.chat.texts == ["good"]
    assert await harness.states() == [("bad", "dead", 1), ("good", "sent", 1)]


async def test_a_fault_of_the_channel_itself_is_logged_and_tried_again(
    harness: OutboxHarness,
) -> None:
    harness.chat.will(AMINA, ZeroDivisionError())
    with capture_logs() as logs:
        await harness.sent("one", "two")
        await harness.advance(5)
    assert harness.chat.texts == ["one", "two"]
    assert [log["event"] for log in logs] == ["sending failed"]


async def test_a_message_for_a_channel_that_is_not_open_is_given_up(harness: OutboxHarness) -> None:
    await harness.sent("one", channel="nosuch")
    assert await harness.states() == [("one", "dead", 1)]


@pytest.mark.parametrize("kind", ["answer", "receipt"])
async def test_each_try_waits_longer_for_its_answer(harness: OutboxHarness, kind: str) -> None:
    """If a slow channel takes a message but answers late, a person gets it twice at most."""
    waited: list[float] = []

    async def no_answer(address: str, content: MessageContent) -> str:
        waited.append(content.timeout_s)
        raise Unclear("no answer")

    harness.chat.send = no_answer  # type: ignore[method-assign]
    await harness.sent("one", kind=kind)
    await harness.advance(100)
    assert waited[:3] == list(ANSWER_TIMEOUTS_S)
    assert set(waited[3:]) == {ANSWER_TIMEOUTS_S[-1]}
