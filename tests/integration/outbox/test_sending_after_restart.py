"""Messages left over from a stop, a restart or a failing database are still sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.outbox.carriers import SMS
from bot.outbox.channel import (
    RetryAfter,
    Unclear,
)
from bot.outbox.sender import _queued
from services.domain.outbox import Rank
from storage.sqlite.database import Database
from storage.stores.outbox import OutboxStore
from tests.kit.outbox_harness import AMINA, KEYS, PHONE, OutboxHarness
from tests.kit.unavailable import away_at_first

# Restart


async def test_what_was_never_sent_is_sent_after_a_restart(harness: OutboxHarness) -> None:
    await harness.queue("one")
    await harness.queue("two")
    await harness.scan()
    assert harness.chat.texts == ["one", "two"]


async def test_what_was_sent_is_not_sent_after_a_restart(harness: OutboxHarness) -> None:
    await harness.sent("one")
    await harness.sender.stop()
    harness.start()
    await harness.scan()
    assert harness.chat.texts == ["one"]


async def test_tries_are_remembered_over_a_restart(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, *(Unclear("no answer") for _ in range(3)))
    await harness.sent("one")
    await harness.advance(1)
    await harness.sender.stop()
    harness.start()
    await harness.scan()
    assert harness.chat.texts == []
    await harness.advance(5)
    assert harness.chat.times == [6]
    assert await harness.states() == [("one", "sent", 4)]


async def test_a_429_is_waited_out_over_a_restart_too(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, RetryAfter(30))
    await harness.sent("one")
    await harness.sender.stop()
    harness.start()
    await harness.scan()
    await harness.advance(29)
    assert harness.chat.texts == []
    await harness.advance(1)
    assert harness.chat.times == [30]


async def test_more_than_a_page_is_all_taken_up(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.sender.PAGE", 3)
    for number in range(7):
        await harness.queue(str(number), to=str(number % 2))
    await harness.scan()
    assert sorted(harness.chat.texts) == [str(number) for number in range(7)]


async def test_a_message_that_commits_late_is_taken_up_by_the_next_scan(
    harness: OutboxHarness,
) -> None:
    """Its id is lower than that of one that was read before."""
    late = await harness.queue("late", to="1")
    await harness.database.write(lambda tx: tx.conn.execute("DELETE FROM outbox"))
    await harness.queue("early", to="2")
    await harness.scan()
    await harness.database.write(
        lambda tx: tx.conn.execute(
            "INSERT INTO outbox (id, channel, address, kind, edits, text, rows, turn, protect,"
            " state, due_at, created_at) VALUES (?, 'chat', '1', 'answer', 0, 'late', '[]', 0, 0,"
            " 'queued', ?, ?)",
            (late.id, tx.now_ms, tx.now_ms),
        )
    )
    await harness.scan()
    assert harness.chat.texts == ["early", "late"]


async def test_a_scan_asks_to_be_run_again(harness: OutboxHarness) -> None:
    due = await harness.scan()
    assert due is not None
    assert timedelta(0) < due - harness.clock.now() <= timedelta(hours=1)


async def test_a_scan_sends_nothing_that_is_waiting_or_on_its_way(harness: OutboxHarness) -> None:
    harness.chat.hold = asyncio.Event()
    await harness.push("one", "two")
    await harness.scan()
    harness.chat.hold.set()
    await harness.scan()
    assert harness.chat.texts == ["one", "two"]


async def test_scanning_all_the_while_sends_nothing_twice(harness: OutboxHarness) -> None:
    rows = [await harness.queue(str(number), to=str(number % 10)) for number in range(200)]
    for start in range(0, 200, 10):
        harness.sender.push(rows[start : start + 10])
        await harness.sender.scan()
    await harness.settle()
    assert sorted(harness.chat.texts) == sorted(row.text for row in rows)


async def test_a_stop_lets_a_send_on_its_way_be_noted(harness: OutboxHarness) -> None:
    harness.chat.hold = asyncio.Event()
    await harness.sent("one", "two")
    stopping = asyncio.ensure_future(harness.sender.stop())
    await harness.settle()
    assert not stopping.done()
    harness.chat.hold.set()
    await stopping
    assert await harness.states() == [("one", "sent", 1), ("two", "queued", 0)]


async def test_a_stop_does_not_wait_for_what_is_paced_or_due_later(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, RetryAfter(3600))
    await harness.sent("one")
    await harness.sender.stop()
    assert await harness.states() == [("one", "queued", 0)]


async def test_a_stop_gives_up_on_a_send_that_never_ends(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.sender.STOP_S", 0.01)
    harness.chat.hold = asyncio.Event()
    await harness.sent("one")
    await harness.sender.stop()
    assert await harness.states() == [("one", "queued", 0)]
    harness.chat.hold.set()


async def test_what_is_pushed_after_a_stop_stays_queued(harness: OutboxHarness) -> None:
    await harness.sender.stop()
    await harness.sent("one")
    assert harness.chat.texts == []
    assert await harness.states() == [("one", "queued", 0)]


def fail_first(monkeypatch: pytest.MonkeyPatch, method: str, times: int) -> None:
    monkeypatch.setattr(Database, method, away_at_first(getattr(Database, method), [times]))


async def test_what_was_sent_is_noted_as_soon_as_the_database_is_back(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [await harness.queue("one"), await harness.queue("two")]
    fail_first(monkeypatch, "write", times=3)
    with capture_logs() as logs:
        harness.sender.push(rows)
        await harness.settle()
        assert harness.chat.texts == ["one"]
        await harness.advance(60)
    assert [log["log_level"] for log in logs] == ["error"] * 3
    assert harness.chat.texts == ["one", "two"]
    assert await harness.states() == [("one", "sent", 1), ("two", "sent", 1)]


async def test_a_try_is_counted_although_the_database_failed(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.chat.will(AMINA, Unclear("no answer"))
    rows = [await harness.queue("one")]
    fail_first(monkeypatch, "write", times=1)
    with capture_logs():
        harness.sender.push(rows)
        await harness.advance(60)
    assert await harness.states() == [("one", "sent", 2)]


@pytest.mark.parametrize("otp", [None, "OTP-1"])
async def test_what_cannot_be_read_just_now_was_not_tried(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch, otp: str | None
) -> None:
    """A code by SMS may only be tried again once, since it may have arrived without an answer."""
    sealed = "one" if otp is None else KEYS.seal("one")
    rows = [await harness.queue(sealed, to=PHONE.msisdn, channel=SMS, otp=otp)]
    harness.sms.will(PHONE.msisdn, Unclear("no answer"))
    left = [3]
    monkeypatch.setattr(OutboxStore, "is_queued", away_at_first(OutboxStore.is_queued, left))
    with capture_logs() as logs:
        harness.sender.push(rows)
        await harness.advance(600)  # it looks before the second try
    assert (left, logs) == ([0], [])
    assert harness.sms.texts == ["one"]
    [(_, state, tries)] = await harness.states()
    assert (state, tries) == ("sent", 2)


async def test_an_edit_waits_until_it_is_known_what_to_edit(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.sent("asked", slot="PIN")
    harness.sender.forget()
    rows = [await harness.queue("answered", slot="PIN", edits=True)]
    fail_first(monkeypatch, "read", times=3)
    harness.sender.push(rows)
    await harness.advance(60)
    assert harness.told[-1] == ("answered", "m1", True)
    assert (await harness.states())[-1] == ("answered", "sent", 1)


async def test_what_waits_for_room_in_memory_is_read_as_soon_as_the_database_is_back(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.sender.IN_MEMORY_MAX", dict.fromkeys(Rank, 1))
    rows = [await harness.queue("one"), await harness.queue("two")]
    left = [3]
    monkeypatch.setattr("bot.outbox.sender._queued", away_at_first(_queued, left))
    harness.sender.push(rows)
    await harness.advance(10)
    assert left == [0]
    assert harness.chat.texts == ["one", "two"]


async def test_a_clock_that_is_set_back_mutes_nobody(harness: OutboxHarness) -> None:
    row = await harness.queue("received")
    harness.clock.step(-600)
    harness.sender.push([row])
    await harness.settle()
    assert harness.chat.texts == ["received"]
