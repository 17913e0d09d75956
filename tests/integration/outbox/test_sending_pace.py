"""The outbox limits how fast it sends and how much it holds in memory."""

from __future__ import annotations

import asyncio

import pytest

from bot.outbox.answer_backlog import CAPACITY_WAIT_S, UNANSWERED_MAX
from bot.outbox.channel import (
    Unclear,
)
from bot.outbox.pacing import MessageRates
from services.domain.outbox import Rank
from tests.kit.outbox_harness import AMINA, BARAKA, CHAT, OutboxHarness

# More messages than memory may hold


def few(monkeypatch: pytest.MonkeyPatch, answers: int, notices: int, bulk: int) -> None:
    most = {Rank.ANSWER: answers, Rank.NOTICE: notices, Rank.BULK: bulk}
    monkeypatch.setattr("bot.outbox.sender.IN_MEMORY_MAX", most)


async def test_a_backlog_waits_in_the_database_and_all_of_it_goes_out(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, answers=6, notices=4, bulk=2)
    monkeypatch.setattr("bot.outbox.sender.PAGE", 3)
    harness.chat.hold = asyncio.Event()
    for number in range(30):
        rank = Rank(number % 3)
        await harness.push(f"{number}", to=f"chat {number}", rank=rank)
        assert len(harness.sender._in_memory) <= 6
    harness.chat.hold.set()
    await harness.settle()
    assert sorted(harness.chat.texts, key=int) == [str(number) for number in range(30)]
    assert {state for _, state, _ in await harness.states()} == {"sent"}


async def test_of_a_backlog_answers_go_first_and_broadcasts_last(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, answers=2, notices=2, bulk=2)
    harness.chat.hold = asyncio.Event()
    await harness.push("first", to="a")
    await harness.push("second", to="b")
    for number, rank in enumerate((Rank.BULK, Rank.NOTICE, Rank.ANSWER) * 3):
        await harness.push(rank.name, to=f"chat {number}", rank=rank)
    harness.chat.hold.set()
    await harness.settle()
    left = harness.chat.texts[2:]
    assert left == ["ANSWER"] * 3 + ["NOTICE"] * 3 + ["BULK"] * 3


async def test_in_one_chat_an_answer_passes_notices_that_wait(harness: OutboxHarness) -> None:
    harness.start(MessageRates(per_chat=1.0, overall=None, burst=1))
    await harness.push("one", "two", kind="notice")
    await harness.push("answer")
    await harness.advance(60)
    assert harness.chat.texts == ["one", "answer", "two"]


async def test_an_answer_does_not_wait_for_the_turns_of_a_broadcast(harness: OutboxHarness) -> None:
    harness.start(MessageRates(per_chat=None, overall=10.0, burst_overall=1))
    for number in range(50):
        await harness.push("news", to=f"chat {number}", rank=Rank.BULK)
    await harness.push("later news", to=AMINA, rank=Rank.BULK)
    await harness.advance(0.95)
    await harness.push("answer", to=AMINA)  # behind news that waits for the same chat
    await harness.push("other answer", to=BARAKA)
    await harness.advance(0.2)
    assert set(harness.chat.texts[-2:]) == {"answer", "other answer"}
    await harness.advance(60)
    assert len(harness.chat.texts) == 53


async def test_events_wait_while_a_channels_answers_are_not_tried(harness: OutboxHarness) -> None:
    harness.chat.hold = asyncio.Event()
    for number in range(UNANSWERED_MAX):
        await harness.push("answer", to=f"chat {number}")
    await harness.sender.room("other")  # does not wait
    room = asyncio.ensure_future(harness.sender.room(CHAT))
    await harness.settle()
    assert not room.done()
    harness.chat.hold.set()
    await harness.settle()
    assert room.done()
    await harness.sender.room(CHAT)


async def test_one_chat_with_a_backlog_keeps_nobodys_events_waiting(harness: OutboxHarness) -> None:
    harness.chat.hold = asyncio.Event()
    await harness.push(*(str(number) for number in range(2 * UNANSWERED_MAX)))
    for number in range(UNANSWERED_MAX):
        await harness.push("received", to=f"chat {number}", kind="receipt")
    await asyncio.wait_for(harness.sender.room(CHAT), 1)
    harness.chat.hold.set()
    await harness.settle()
    assert harness.sender._backlog.untried[CHAT] == 0


async def test_events_wait_for_a_channel_that_takes_nothing_only_so_long(
    harness: OutboxHarness,
) -> None:
    harness.chat.hold = asyncio.Event()
    for number in range(UNANSWERED_MAX):
        await harness.push("answer", to=f"chat {number}")
    room = asyncio.ensure_future(harness.sender.room(CHAT))
    await harness.advance(CAPACITY_WAIT_S)
    assert room.done()
    harness.chat.hold.set()


async def test_what_a_stop_finds_waiting_for_room_is_let_in(harness: OutboxHarness) -> None:
    harness.chat.hold = asyncio.Event()
    for number in range(UNANSWERED_MAX):
        await harness.push("answer", to=f"chat {number}")
    room = asyncio.ensure_future(harness.sender.room(CHAT))
    await harness.settle()
    harness.chat.hold.set()
    await harness.sender.stop()
    await room


# Pace


async def test_a_chat_is_paced_after_a_burst(harness: OutboxHarness) -> None:
    harness.start(MessageRates(per_chat=1.0, overall=None, burst=3))
    await harness.push(*"abcdef")
    await harness.advance(60)
    assert harness.chat.times == [0, 0, 0, 1, 2, 3]


async def test_a_chat_that_was_quiet_may_burst_again(harness: OutboxHarness) -> None:
    harness.start(MessageRates(per_chat=1.0, overall=None, burst=3))
    await harness.push(*"abcd")
    await harness.advance(100)
    await harness.push(*"efgh")
    await harness.advance(100)
    assert harness.chat.times == [0, 0, 0, 1, 100, 100, 100, 101]


async def test_one_chats_pace_is_not_anothers(harness: OutboxHarness) -> None:
    harness.start(MessageRates(per_chat=1.0, overall=None, burst=1))
    await harness.push("a", "b")
    await harness.push("c", to=BARAKA)
    await harness.settle()
    assert sorted(harness.chat.taken) == [(AMINA, "a"), (BARAKA, "c")]


async def test_all_chats_together_are_paced(harness: OutboxHarness) -> None:
    harness.start(MessageRates(per_chat=None, overall=10.0))
    for chat in range(60):
        await harness.push("hello", to=str(chat))
    await harness.advance(60)
    assert len(harness.chat.times) == 60
    for start in range(60):
        window = [at for at in harness.chat.times if start <= at < start + 1]
        assert len(window) <= (40 if start == 0 else 10)
    assert harness.chat.times[-1] == pytest.approx(3.0, abs=0.2)


async def test_every_try_counts_for_the_pace(harness: OutboxHarness) -> None:
    harness.start(MessageRates(per_chat=1.0, overall=None, burst=1))
    harness.chat.will(AMINA, Unclear("no answer"))
    await harness.push("a")
    await harness.advance(60)
    assert harness.chat.times == [1]
