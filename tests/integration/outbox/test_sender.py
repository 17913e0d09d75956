"""The outbox's way out: order, pace, tries, and what a stop or a restart leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.outbox.attempt import (
    ANSWER_PAUSES_S,
    ANSWER_TIMEOUTS_S,
    CARRIER_PAUSES_S,
    CODE_PAUSES_S,
    NOTICE_PAUSES_S,
)
from bot.outbox.carriers import SMS
from bot.outbox.channel import (
    Blocked,
    Channel,
    MessageContent,
    MessageGone,
    RetryAfter,
    Unclear,
    Undeliverable,
)
from bot.outbox.pacing import MessageRates
from bot.outbox.sender import CAPACITY_WAIT_S, SMS_FALLBACK_AFTER_S, UNANSWERED_MAX, OutboxSender
from bot.outbox.sent import SentMessage
from bot.security.keyring import Keyring
from bot.simulation.clock import START, VirtualClock
from flows.engine.event import Button
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from storage.sqlite.database import Database, DatabaseUnavailable
from storage.stores.outbox import OutboxRow, Rank
from storage.transaction import SqliteTx
from tests.kit.database_on_clock import DatabaseOnClock
from tests.kit.recording_channel import RecordingChannel

AMINA, BARAKA = "77", "78"
PHONE = Phone("254712345678")
CHAT = "chat"
NO_PACE = MessageRates(per_chat=None, overall=None)
TRIES_MAX = len(ANSWER_PAUSES_S) + 1
KEYS = Keyring({"1": bytes(32)})


class OutboxHarness(DatabaseOnClock):
    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.chat = RecordingChannel(CHAT, clock)
        self.sms = RecordingChannel(SMS, clock)
        self.told: list[tuple[str, str, bool]] = []
        self.lost: list[str] = []  # codes of which no message can arrive
        self.start()

    def start(self, pace: MessageRates = NO_PACE) -> None:
        channels: dict[str, Channel] = {CHAT: self.chat, SMS: self.sms}
        self.sender = OutboxSender(
            self.database,
            self.clock,
            channels,
            pace,
            KEYS,
            self._code_lost,
            lambda row, message_id, edited: self.told.append((row.text, message_id, edited)),
        )

    def _code_lost(self, tx: SqliteTx, otp: str) -> Sequence[OutboxRow]:
        self.lost.append(otp)
        return [tx.outbox.add(CHAT, AMINA, kind="notice", text=f"{otp} is lost")]

    async def queue(
        self, text: str, to: str = AMINA, kind: str = "answer", **rest: Any
    ) -> OutboxRow:
        def add(tx: SqliteTx) -> OutboxRow:
            return tx.outbox.add(rest.pop("channel", CHAT), to, kind=kind, text=text, **rest)

        return await self.database.write(add)

    async def push(self, *texts: str, to: str = AMINA, **rest: Any) -> None:
        self.sender.push([await self.queue(text, to, **rest) for text in texts])

    async def sent(self, *texts: str, to: str = AMINA, **rest: Any) -> None:
        await self.push(*texts, to=to, **rest)
        await self.settle()

    async def scan(self) -> datetime | None:
        due = await self.sender.scan()
        await self.settle()
        return due

    async def states(self) -> list[tuple[str, str, int]]:
        """Text, state and attempts of each row, in order."""

        def read(tx: SqliteTx) -> list[tuple[str, str, int]]:
            return list(tx.conn.execute("SELECT text, state, attempts FROM outbox ORDER BY id"))

        return await self.database.read(read)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def harness(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[OutboxHarness]:
    database = await Database.open(tmp_path / "hazina.db", clock.now)
    harness = OutboxHarness(database, clock)
    yield harness
    await harness.sender.stop()
    await harness.settle()
    await database.close()


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
    """A slow channel takes a message and answers late: a person gets it twice at most."""
    waited: list[float] = []

    async def no_answer(address: str, content: MessageContent) -> str:
        waited.append(content.timeout_s)
        raise Unclear("no answer")

    harness.chat.send = no_answer  # type: ignore[method-assign]
    await harness.sent("one", kind=kind)
    await harness.advance(100)
    assert waited[:3] == list(ANSWER_TIMEOUTS_S)
    assert set(waited[3:]) == {ANSWER_TIMEOUTS_S[-1]}


# A chat that is there again


async def test_the_answer_to_somebody_who_writes_goes_ahead_of_what_is_put_off(
    harness: OutboxHarness,
) -> None:
    harness.chat.will(AMINA, *(Unclear("no answer") for _ in range(8)))
    await harness.push("received", kind="receipt")
    await harness.advance(600)
    assert harness.chat.texts == []
    await harness.sent("balance")
    assert harness.chat.texts == ["balance", "received"]


async def test_what_a_429_holds_is_not_overtaken(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, RetryAfter(30))
    await harness.sent("received", kind="notice")
    await harness.sent("balance")
    assert harness.chat.texts == []
    await harness.advance(30)
    assert harness.chat.texts == ["received", "balance"]


async def test_after_an_outage_every_chat_gets_what_it_waits_for(harness: OutboxHarness) -> None:
    chats = [str(number) for number in range(6)]
    for chat in chats:
        harness.chat.will(chat, *(Unclear("no answer") for _ in range(8)))
        await harness.push(f"received {chat}", to=chat, kind="receipt")
    await harness.advance(600)
    assert harness.chat.texts == []
    await harness.sent("balance", to=BARAKA)
    assert sorted(harness.chat.texts) == ["balance", *(f"received {chat}" for chat in chats)]


async def test_one_poisoned_message_is_not_tried_with_each_one_that_arrives(
    harness: OutboxHarness,
) -> None:
    harness.chat.will("poisoned", *(Unclear("no answer") for _ in range(99)))
    await harness.push("received", to="poisoned", kind="receipt")
    await harness.advance(3600)
    tried = harness.chat.attempts
    for _ in range(20):
        await harness.sent("balance", to=BARAKA)
    assert harness.chat.attempts - tried <= 21


# A chat that is shut


async def link(harness: OutboxHarness) -> None:
    def add(tx: SqliteTx) -> None:
        tx.people.add_partner(Partner("FINSAFE"))
        person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "en")
        tx.people.link(CHAT, AMINA, person)

    await harness.database.write(add)


async def test_a_shut_chat_falls_back_to_sms_where_it_is_wanted(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Blocked("shut"), Blocked("shut"))
    await harness.push("question")
    await harness.sent("received", kind="receipt", fallback=PHONE.msisdn)
    assert harness.sms.taken == [(PHONE.msisdn, "received")]
    assert [state for _, state, _ in await harness.states()] == ["dead", "dead", "sent"]


async def test_a_phone_is_masked_where_the_fallback_is_logged(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Blocked("shut"))
    with capture_logs() as logs:
        await harness.sent("received", fallback=PHONE.msisdn)
    assert [log["phone"] for log in logs] == [PHONE.masked]
    assert PHONE.msisdn not in str(logs)


async def test_an_sms_that_finds_nobody_does_not_fall_back_for_ever(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Blocked("shut"))
    harness.sms.will(PHONE.msisdn, Blocked("shut"))
    await harness.sent("received", fallback=PHONE.msisdn)
    assert (harness.sms.attempts, harness.sms.texts) == (1, [])


@pytest.mark.parametrize(
    "error", [Undeliverable("no rights"), MessageGone("gone"), Blocked("shut")]
)
async def test_a_receipt_that_a_chat_refuses_for_any_reason_is_texted(
    harness: OutboxHarness, error: Exception
) -> None:
    harness.chat.will(AMINA, error)
    await harness.sent("received", kind="receipt", fallback=PHONE.msisdn)
    assert harness.sms.taken == [(PHONE.msisdn, "received")]


@pytest.mark.parametrize("error", [Unclear("no answer"), RetryAfter(4_000)])
async def test_a_receipt_that_a_chat_does_not_take_is_texted_after_five_minutes_and_once(
    harness: OutboxHarness, error: Exception
) -> None:
    harness.chat.will(AMINA, *(error for _ in range(12)))
    await harness.push("received", kind="receipt", fallback=PHONE.msisdn)
    await harness.advance(SMS_FALLBACK_AFTER_S - 1)
    assert harness.sms.texts == []
    await harness.advance(1)
    assert harness.sms.texts == ["received"]
    await harness.advance(86_400)
    assert (harness.sms.texts, harness.chat.texts) == (["received"], ["received"])


async def test_a_receipt_that_waits_behind_another_message_is_texted_too(
    harness: OutboxHarness,
) -> None:
    harness.chat.hold = asyncio.Event()
    await harness.push("question")
    await harness.push("received", kind="receipt", fallback=PHONE.msisdn)
    await harness.advance(SMS_FALLBACK_AFTER_S)
    assert harness.sms.texts == ["received"]
    harness.chat.hold.set()
    await harness.settle()
    assert harness.chat.texts == ["question", "received"]


async def test_a_receipt_that_arrived_is_not_texted(harness: OutboxHarness) -> None:
    await harness.sent("received", kind="receipt", fallback=PHONE.msisdn)
    await harness.advance(86_400)
    assert harness.sms.texts == []


# More than is in hand


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
    await harness.push("answer", to=AMINA)  # its chat has news before it, which wait
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
    assert harness.sender._untried[CHAT] == 0


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


# Edits


async def test_a_message_with_a_slot_is_edited_where_it_stands(harness: OutboxHarness) -> None:
    await harness.sent("waiting", slot="topup:1")
    await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert harness.chat.texts == ["waiting", "m1~slow"]
    assert harness.told[-1] == ("slow", "m1", True)


async def test_a_new_message_takes_the_slot_over(harness: OutboxHarness) -> None:
    await harness.sent("waiting", slot="topup:1")
    await harness.sent("waiting, again", slot="topup:1")
    await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert harness.chat.texts[-1] == "m2~slow"


async def test_slots_are_a_chats_own(harness: OutboxHarness) -> None:
    await harness.sent("balance", slot="balance")
    await harness.sent("balance", to=BARAKA, slot="balance", edits=True)
    assert harness.chat.texts == ["balance", "balance"]


async def test_the_live_message_is_edited_after_a_restart(harness: OutboxHarness) -> None:
    await harness.sent("waiting", slot="topup:1")
    await harness.sender.stop()
    harness.start()
    await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert harness.chat.texts == ["waiting", "m1~slow"]


async def test_what_many_chats_were_sent_is_noted_together(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [await harness.queue("hello", to=f"chat {n}") for n in range(20)]
    writes = count_writes(monkeypatch)
    harness.sender.push(rows)
    await harness.settle()
    assert await harness.states() == [("hello", "sent", 1)] * 20
    assert len(writes) <= 2  # what came while the first note was written went with the second


async def test_a_note_that_cannot_be_written_is_told_to_the_log_and_the_chat_goes_on(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.sent("one")
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr("bot.outbox.sent._note", refuse)
        with pytest.raises(RuntimeError):
            await harness.sender._attempts.sent.record(
                SentMessage((await harness.queue("two")), "m9", False)
            )
    await harness.sent("three", to=BARAKA)
    assert ("three", "sent", 1) in await harness.states()


async def test_a_page_whose_message_is_gone_is_sent_anew(harness: OutboxHarness) -> None:
    await harness.sent("page", slot="history")
    harness.chat.messages.clear()
    await harness.sent("page 2", slot="history", edits=True)
    await harness.sent("page 3", slot="history", edits=True)
    assert harness.chat.texts == ["page", "page 2", "m1~page 3"]


@pytest.mark.parametrize("was_there", [True, False])
async def test_progress_without_a_live_message_is_dropped_silently(
    harness: OutboxHarness, was_there: bool
) -> None:
    if was_there:
        await harness.sent("waiting", slot="topup:1")
        harness.chat.messages.clear()
    before = list(harness.chat.texts)
    with capture_logs() as logs:
        await harness.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert (harness.chat.texts, logs) == (before, [])
    assert (await harness.states())[-1] == ("slow", "dead", 1)


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


# A database that fails


def count_writes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    write, writes = Database.write, []

    async def counted(self: Database, *args: Any) -> Any:
        writes.append(args)
        return await write(self, *args)

    monkeypatch.setattr(Database, "write", counted)
    return writes


def refuse(*_: object) -> None:
    raise RuntimeError("no")


def fail_writes(harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    write = Database.write
    left = [times]

    async def sometimes(self: Database, *args: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise DatabaseUnavailable("the disk is full")
        return await write(self, *args)

    monkeypatch.setattr(Database, "write", sometimes)


async def test_what_was_sent_is_noted_as_soon_as_the_database_is_back(
    harness: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [await harness.queue("one"), await harness.queue("two")]
    fail_writes(harness, monkeypatch, times=3)
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
    fail_writes(harness, monkeypatch, times=1)
    with capture_logs():
        harness.sender.push(rows)
        await harness.advance(60)
    assert await harness.states() == [("one", "sent", 2)]


async def test_a_clock_that_is_set_back_mutes_nobody(harness: OutboxHarness) -> None:
    row = await harness.queue("received")
    harness.clock.step(-600)
    harness.sender.push([row])
    await harness.settle()
    assert harness.chat.texts == ["received"]


# What is sealed until it is sent


CODE = "Code 482913. Never share it."


async def code(harness: OutboxHarness, otp: str = "OT-1", to: str = PHONE.msisdn) -> OutboxRow:
    return await harness.queue(KEYS.seal(CODE), to, kind="code", channel=SMS, otp=otp)


async def test_a_code_is_opened_for_its_carrier_only_and_wiped_when_it_is_sent(
    harness: OutboxHarness,
) -> None:
    row = await code(harness)
    assert "482913" not in str(row)
    assert "482913" not in str(await harness.states())
    harness.sender.push([row])
    await harness.settle()
    assert harness.sms.texts == [CODE]
    assert await harness.states() == [("", "sent", 1)]
    assert "482913" not in str(harness.told)


async def test_the_carriers_own_id_of_a_message_is_kept(harness: OutboxHarness) -> None:
    harness.sender.push([await code(harness)])
    await harness.settle()

    def report(tx: SqliteTx) -> tuple[str | None, str | None]:
        return tx.outbox.record_delivery_report(
            SMS, "nosuch", False
        ), tx.outbox.record_delivery_report(SMS, "m1", False)

    assert await harness.database.write(report) == (None, "OT-1")


async def test_a_code_that_is_given_up_is_lost_wiped_and_told(harness: OutboxHarness) -> None:
    harness.sms.will(PHONE.msisdn, Undeliverable("no such number"))
    harness.sender.push([await code(harness)])
    with capture_logs() as logs:
        await harness.settle()
    assert (harness.sms.texts, harness.lost, harness.chat.texts) == ([], ["OT-1"], ["OT-1 is lost"])
    assert (await harness.states())[0] == ("", "dead", 1)
    assert "482913" not in str(logs)


async def test_what_carries_no_code_loses_none(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Undeliverable("too long"))
    await harness.sent("bad")
    assert harness.lost == []


async def test_a_code_that_no_key_opens_is_given_up(harness: OutboxHarness) -> None:
    sealed = Keyring({"2": bytes([7]) * 32}).seal(CODE)
    await harness.sent(sealed, to=PHONE.msisdn, kind="code", channel=SMS, otp="OT-1")
    assert (harness.sms.attempts, harness.lost) == (0, ["OT-1"])


async def test_a_code_is_given_up_within_minutes_and_other_texts_after_hours(
    harness: OutboxHarness,
) -> None:
    times = {"code": 0.0, "text": 0.0}

    async def no_answer(address: str, content: MessageContent) -> str:
        what = "code" if content.text == CODE else "text"
        times[what] = (harness.clock.now() - START).total_seconds()
        raise Unclear("no answer")

    harness.sms.send = no_answer  # type: ignore[method-assign]
    harness.sender.push([await code(harness)])
    await harness.push("paid", to="254733123456", kind="notice", channel=SMS)
    await harness.advance(86_400)
    assert times == {
        "code": sum(CODE_PAUSES_S),
        "text": sum(CARRIER_PAUSES_S),
    }
    assert times["code"] < 300
    assert times["text"] > 3_600
    assert harness.lost == ["OT-1"]


async def ended(harness: OutboxHarness, row: OutboxRow) -> None:
    """As the trigger leaves it when the code ends."""
    await harness.database.write(lambda tx: tx.outbox.mark_dead(row.id, "the code has ended"))


async def test_a_code_that_ended_while_it_waited_for_another_try_is_not_sent(
    harness: OutboxHarness,
) -> None:
    harness.sms.will(PHONE.msisdn, Unclear("no answer"), Unclear("no answer"))
    row = await code(harness)
    harness.sender.push([row])
    await harness.settle()
    await ended(harness, row)
    await harness.advance(60)
    assert (harness.sms.texts, harness.lost) == ([], [])


async def test_a_code_that_ended_while_it_stood_behind_another_is_not_sent(
    harness: OutboxHarness,
) -> None:
    harness.sms.will(PHONE.msisdn, RetryAfter(30))
    first, row = await code(harness), await code(harness, "OT-2")
    harness.sender.push([first, row])
    await harness.settle()
    await ended(harness, row)
    await harness.advance(60)
    assert harness.sms.texts == [CODE]
    assert [state for _, state, _ in await harness.states()] == ["sent", "dead"]


async def test_a_code_does_not_stand_behind_a_message_that_was_put_off(
    harness: OutboxHarness,
) -> None:
    harness.sms.will(PHONE.msisdn, RetryAfter(30))
    await harness.push("paid", to=PHONE.msisdn, kind="notice", channel=SMS)
    harness.sender.push([await code(harness)])
    await harness.settle()
    assert harness.sms.texts == [CODE]


# What is taken away, and what is sent as a file


async def test_a_wipe_takes_the_persons_own_message_away_and_is_told_to_nobody(
    harness: OutboxHarness,
) -> None:
    await harness.sent("", kind="wipe", target="m77")
    assert harness.chat.deleted == [(AMINA, "m77")]
    assert (harness.chat.texts, harness.told) == ([], [])
    assert await harness.states() == [("", "sent", 1)]


async def test_a_wipe_that_cannot_be_done_is_no_warning(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Undeliverable("too old"))
    with capture_logs() as logs:
        await harness.sent("", kind="wipe", target="m77")
    assert logs == []
    assert await harness.states() == [("", "dead", 1)]


async def test_a_file_that_is_gone_is_given_up(harness: OutboxHarness) -> None:
    await harness.sent("your file", document="ST-222222")
    assert harness.chat.documents == []
    assert await harness.states() == [("your file", "dead", 1)]
