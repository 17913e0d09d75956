"""The outbox's way out: order, pace, tries, and what a stop or a restart leaves behind."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.outbox.answer_backlog import CAPACITY_WAIT_S, UNANSWERED_MAX
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
from bot.outbox.sender import SMS_FALLBACK_AFTER_S, OutboxSender
from bot.outbox.sent import SentMessage
from bot.security.keyring import Keyring
from bot.simulation.clock import START, VirtualClock
from flows.engine.event import Button
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from storage.sqlite.database import Database, DatabaseUnavailable
from storage.stores.outbox import OutboxRow, Rank
from storage.transaction import SqliteTx

AMINA, BARAKA = "77", "78"
PHONE = Phone("254712345678")
CHAT = "chat"
NO_PACE = MessageRates(per_chat=None, overall=None)
TRIES_MAX = len(ANSWER_PAUSES_S) + 1
KEYS = Keyring({"1": bytes(32)})


class Recorder:
    """A channel that keeps what it took, and meets what it was told to meet."""

    def __init__(self, name: str, clock: VirtualClock) -> None:
        self.name = name
        self.taken: list[tuple[str, str]] = []  # address, text
        self.times: list[float] = []  # seconds since the start
        self.contents: list[MessageContent] = []
        self.messages: dict[str, str] = {}
        self.deleted: list[tuple[str, str]] = []  # address, message id
        self.documents: list[tuple[str, bytes, str]] = []  # name, content, caption
        self.attempts = 0
        self.meets: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.hold: asyncio.Event | None = None
        self._clock = clock

    def will(self, address: str, *errors: Exception) -> None:
        self.meets[address].extend(errors)

    async def send(self, address: str, content: MessageContent) -> str:
        await self._meet(address)
        self._took(address, content.text, content)
        message_id = f"m{len(self.messages) + 1}"
        self.messages[message_id] = content.text
        return message_id

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        await self._meet(address)
        self.documents.append((name, content, caption.text))
        self.messages[f"m{len(self.messages) + 1}"] = caption.text
        return f"m{len(self.messages)}"

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        await self._meet(address)
        if message_id not in self.messages:
            raise MessageGone("no such message")
        self._took(address, f"{message_id}~{content.text}", content)
        self.messages[message_id] = content.text

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        raise AssertionError("the outbox answers no taps")

    async def delete(self, address: str, message_id: str) -> None:
        await self._meet(address)
        self.deleted.append((address, message_id))

    async def _meet(self, address: str) -> None:
        self.attempts += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.meets[address]:
            raise self.meets[address].popleft()

    def _took(self, address: str, text: str, content: MessageContent) -> None:
        self.taken.append((address, text))
        self.times.append((self._clock.now() - START).total_seconds())
        self.contents.append(content)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.taken]


class Desk:
    """A deliverer on a database that outlives it."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        self.database = database
        self.clock = clock
        self.chat = Recorder(CHAT, clock)
        self.sms = Recorder(SMS, clock)
        self.told: list[tuple[str, str, bool]] = []
        self.lost: list[str] = []  # codes of which no message can arrive
        self.start()

    def start(self, pace: MessageRates = NO_PACE) -> None:
        channels: dict[str, Channel] = {CHAT: self.chat, SMS: self.sms}
        self.deliverer = OutboxSender(
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
        self.deliverer.push([await self.queue(text, to, **rest) for text in texts])

    async def sent(self, *texts: str, to: str = AMINA, **rest: Any) -> None:
        await self.push(*texts, to=to, **rest)
        await self.settle()

    async def scan(self) -> datetime | None:
        due = await self.deliverer.scan()
        await self.settle()
        return due

    async def settle(self) -> None:
        """Until nothing can run but by time, or by what the test lets go."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while True:
            await asyncio.sleep(0)
            if not ready and self.database.in_flight == 0:
                return
            if not ready:
                await asyncio.sleep(0.0002)

    async def advance(self, seconds: float) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)
        await self.settle()
        while (due := self.clock.next_due()) is not None and due <= end:
            self.clock.jump(due)
            await self.settle()
        self.clock.jump(end)
        await self.settle()

    async def states(self) -> list[tuple[str, str, int]]:
        """Text, state and attempts of each row, in order."""

        def read(tx: SqliteTx) -> list[tuple[str, str, int]]:
            return list(tx.conn.execute("SELECT text, state, attempts FROM outbox ORDER BY id"))

        return await self.database.read(read)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Desk]:
    database = await Database.open(tmp_path / "hazina.db", clock.now)
    desk = Desk(database, clock)
    yield desk
    await desk.deliverer.stop()
    await desk.settle()
    await database.close()


# Order


async def test_what_was_queued_is_sent_and_noted(desk: Desk) -> None:
    await desk.sent("one", rows='[[["yes","Yes"]]]', turn=4)
    assert desk.chat.contents == [MessageContent("one", ((Button("yes", "Yes"),),), turn=4)]
    assert desk.told == [("one", "m1", False)]
    assert await desk.states() == [("one", "sent", 1)]


async def test_what_is_to_be_protected_is(desk: Desk) -> None:
    await desk.sent("question")
    await desk.sent("received", kind="receipt", protect=True)
    assert [content.protect for content in desk.chat.contents] == [False, True]


async def test_a_chat_is_served_in_order(desk: Desk) -> None:
    await desk.sent("one", "two", "three")
    assert desk.chat.texts == ["one", "two", "three"]


async def test_a_message_that_is_tried_again_keeps_its_place(desk: Desk) -> None:
    desk.chat.will(AMINA, Unclear("no answer"), Unclear("no answer"))
    await desk.sent("one", "two")
    await desk.advance(10)
    assert desk.chat.texts == ["one", "two"]


async def test_other_chats_are_not_held_up(desk: Desk) -> None:
    desk.chat.will(AMINA, RetryAfter(60))
    await desk.push("late")
    await desk.sent("now", to=BARAKA)
    assert desk.chat.taken == [(BARAKA, "now")]


async def test_a_row_pushed_twice_is_sent_once(desk: Desk) -> None:
    row = await desk.queue("one")
    desk.deliverer.push([row])
    desk.deliverer.push([row, row])
    await desk.settle()
    assert desk.chat.texts == ["one"]


async def test_a_chat_that_was_served_is_served_again(desk: Desk) -> None:
    await desk.sent("one")
    await desk.sent("two")
    assert desk.chat.texts == ["one", "two"]


# Tries


async def test_a_429_is_waited_out(desk: Desk) -> None:
    desk.chat.will(AMINA, RetryAfter(30))
    await desk.sent("one")
    await desk.advance(29)
    assert desk.chat.texts == []
    await desk.advance(1)
    assert desk.chat.times == [30]


async def test_a_429_is_waited_out_however_often_it_comes(desk: Desk) -> None:
    times = TRIES_MAX + 3
    desk.chat.will(AMINA, *(RetryAfter(10) for _ in range(times)))
    await desk.sent("one")
    await desk.advance(10 * times)
    assert desk.chat.times == [10 * times]


async def test_429s_use_up_no_tries(desk: Desk) -> None:
    waits = [RetryAfter(1) for _ in range(TRIES_MAX)]
    unclear = [Unclear("no answer") for _ in range(TRIES_MAX - 1)]
    desk.chat.will(AMINA, *waits, *unclear)
    await desk.sent("one")
    await desk.advance(3600)
    assert desk.chat.texts == ["one"]


@pytest.mark.parametrize(
    ("kind", "pauses"),
    [("answer", ANSWER_PAUSES_S), ("receipt", NOTICE_PAUSES_S), ("notice", NOTICE_PAUSES_S)],
)
async def test_an_unclear_send_is_tried_again_slower_and_slower(
    desk: Desk, kind: str, pauses: Sequence[float]
) -> None:
    times: list[float] = []

    async def no_answer(address: str, content: MessageContent) -> str:
        times.append((desk.clock.now() - START).total_seconds())
        raise Unclear("no answer")

    desk.chat.send = no_answer  # type: ignore[method-assign]
    with capture_logs() as logs:
        await desk.sent("one", kind=kind)
        await desk.advance(100_000)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == pytest.approx(pauses)
    assert await desk.states() == [("one", "dead", len(pauses) + 1)]
    assert [log["event"] for log in logs] == ["message will never arrive"]


async def test_a_message_given_up_on_does_not_hold_the_next(desk: Desk) -> None:
    desk.chat.will(AMINA, *(Unclear("no answer") for _ in range(TRIES_MAX)))
    await desk.push("lost", "next")
    await desk.advance(3600)
    assert desk.chat.texts == ["next"]


@pytest.mark.parametrize("error", [Undeliverable("too long"), MessageGone("chat not found")])
async def test_what_will_never_be_taken_is_tried_once(desk: Desk, error: Exception) -> None:
    desk.chat.will(AMINA, error)
    await desk.sent("bad", "good")
    assert desk.chat.texts == ["good"]
    assert await desk.states() == [("bad", "dead", 1), ("good", "sent", 1)]


async def test_a_fault_of_the_channel_itself_is_logged_and_tried_again(desk: Desk) -> None:
    desk.chat.will(AMINA, ZeroDivisionError())
    with capture_logs() as logs:
        await desk.sent("one", "two")
        await desk.advance(5)
    assert desk.chat.texts == ["one", "two"]
    assert [log["event"] for log in logs] == ["sending failed"]


async def test_a_message_for_a_channel_that_is_not_open_is_given_up(desk: Desk) -> None:
    await desk.sent("one", channel="nosuch")
    assert await desk.states() == [("one", "dead", 1)]


@pytest.mark.parametrize("kind", ["answer", "receipt"])
async def test_each_try_waits_longer_for_its_answer(desk: Desk, kind: str) -> None:
    """A slow channel takes a message and answers late: a person gets it twice at most."""
    waited: list[float] = []

    async def no_answer(address: str, content: MessageContent) -> str:
        waited.append(content.timeout_s)
        raise Unclear("no answer")

    desk.chat.send = no_answer  # type: ignore[method-assign]
    await desk.sent("one", kind=kind)
    await desk.advance(100)
    assert waited[:3] == list(ANSWER_TIMEOUTS_S)
    assert set(waited[3:]) == {ANSWER_TIMEOUTS_S[-1]}


# A chat that is there again


async def test_the_answer_to_somebody_who_writes_goes_ahead_of_what_is_put_off(desk: Desk) -> None:
    desk.chat.will(AMINA, *(Unclear("no answer") for _ in range(8)))
    await desk.push("received", kind="receipt")
    await desk.advance(600)
    assert desk.chat.texts == []
    await desk.sent("balance")
    assert desk.chat.texts == ["balance", "received"]


async def test_what_a_429_holds_is_not_overtaken(desk: Desk) -> None:
    desk.chat.will(AMINA, RetryAfter(30))
    await desk.sent("received", kind="notice")
    await desk.sent("balance")
    assert desk.chat.texts == []
    await desk.advance(30)
    assert desk.chat.texts == ["received", "balance"]


async def test_after_an_outage_every_chat_gets_what_it_waits_for(desk: Desk) -> None:
    chats = [str(number) for number in range(6)]
    for chat in chats:
        desk.chat.will(chat, *(Unclear("no answer") for _ in range(8)))
        await desk.push(f"received {chat}", to=chat, kind="receipt")
    await desk.advance(600)
    assert desk.chat.texts == []
    await desk.sent("balance", to=BARAKA)
    assert sorted(desk.chat.texts) == ["balance", *(f"received {chat}" for chat in chats)]


async def test_one_poisoned_message_is_not_tried_with_each_one_that_arrives(desk: Desk) -> None:
    desk.chat.will("poisoned", *(Unclear("no answer") for _ in range(99)))
    await desk.push("received", to="poisoned", kind="receipt")
    await desk.advance(3600)
    tried = desk.chat.attempts
    for _ in range(20):
        await desk.sent("balance", to=BARAKA)
    assert desk.chat.attempts - tried <= 21


# A chat that is shut


async def link(desk: Desk) -> None:
    def add(tx: SqliteTx) -> None:
        tx.people.add_partner(Partner("FINSAFE"))
        person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "en")
        tx.people.link(CHAT, AMINA, person)

    await desk.database.write(add)


async def test_a_shut_chat_falls_back_to_sms_where_it_is_wanted(desk: Desk) -> None:
    desk.chat.will(AMINA, Blocked("shut"), Blocked("shut"))
    await desk.push("question")
    await desk.sent("received", kind="receipt", fallback=PHONE.msisdn)
    assert desk.sms.taken == [(PHONE.msisdn, "received")]
    assert [state for _, state, _ in await desk.states()] == ["dead", "dead", "sent"]


async def test_a_phone_is_masked_where_the_fallback_is_logged(desk: Desk) -> None:
    desk.chat.will(AMINA, Blocked("shut"))
    with capture_logs() as logs:
        await desk.sent("received", fallback=PHONE.msisdn)
    assert [log["phone"] for log in logs] == [PHONE.masked]
    assert PHONE.msisdn not in str(logs)


async def test_an_sms_that_finds_nobody_does_not_fall_back_for_ever(desk: Desk) -> None:
    desk.chat.will(AMINA, Blocked("shut"))
    desk.sms.will(PHONE.msisdn, Blocked("shut"))
    await desk.sent("received", fallback=PHONE.msisdn)
    assert (desk.sms.attempts, desk.sms.texts) == (1, [])


@pytest.mark.parametrize(
    "error", [Undeliverable("no rights"), MessageGone("gone"), Blocked("shut")]
)
async def test_a_receipt_that_a_chat_refuses_for_any_reason_is_texted(
    desk: Desk, error: Exception
) -> None:
    desk.chat.will(AMINA, error)
    await desk.sent("received", kind="receipt", fallback=PHONE.msisdn)
    assert desk.sms.taken == [(PHONE.msisdn, "received")]


@pytest.mark.parametrize("error", [Unclear("no answer"), RetryAfter(4_000)])
async def test_a_receipt_that_a_chat_does_not_take_is_texted_after_five_minutes_and_once(
    desk: Desk, error: Exception
) -> None:
    desk.chat.will(AMINA, *(error for _ in range(12)))
    await desk.push("received", kind="receipt", fallback=PHONE.msisdn)
    await desk.advance(SMS_FALLBACK_AFTER_S - 1)
    assert desk.sms.texts == []
    await desk.advance(1)
    assert desk.sms.texts == ["received"]
    await desk.advance(86_400)
    assert (desk.sms.texts, desk.chat.texts) == (["received"], ["received"])


async def test_a_receipt_that_waits_behind_another_message_is_texted_too(desk: Desk) -> None:
    desk.chat.hold = asyncio.Event()
    await desk.push("question")
    await desk.push("received", kind="receipt", fallback=PHONE.msisdn)
    await desk.advance(SMS_FALLBACK_AFTER_S)
    assert desk.sms.texts == ["received"]
    desk.chat.hold.set()
    await desk.settle()
    assert desk.chat.texts == ["question", "received"]


async def test_a_receipt_that_arrived_is_not_texted(desk: Desk) -> None:
    await desk.sent("received", kind="receipt", fallback=PHONE.msisdn)
    await desk.advance(86_400)
    assert desk.sms.texts == []


# More than is in hand


def few(monkeypatch: pytest.MonkeyPatch, answers: int, notices: int, bulk: int) -> None:
    most = {Rank.ANSWER: answers, Rank.NOTICE: notices, Rank.BULK: bulk}
    monkeypatch.setattr("bot.outbox.sender.IN_MEMORY_MAX", most)


async def test_a_backlog_waits_in_the_database_and_all_of_it_goes_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, answers=6, notices=4, bulk=2)
    monkeypatch.setattr("bot.outbox.sender.PAGE", 3)
    desk.chat.hold = asyncio.Event()
    for number in range(30):
        rank = Rank(number % 3)
        await desk.push(f"{number}", to=f"chat {number}", rank=rank)
        assert len(desk.deliverer._in_memory) <= 6
    desk.chat.hold.set()
    await desk.settle()
    assert sorted(desk.chat.texts, key=int) == [str(number) for number in range(30)]
    assert {state for _, state, _ in await desk.states()} == {"sent"}


async def test_of_a_backlog_answers_go_first_and_broadcasts_last(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, answers=2, notices=2, bulk=2)
    desk.chat.hold = asyncio.Event()
    await desk.push("first", to="a")
    await desk.push("second", to="b")
    for number, rank in enumerate((Rank.BULK, Rank.NOTICE, Rank.ANSWER) * 3):
        await desk.push(rank.name, to=f"chat {number}", rank=rank)
    desk.chat.hold.set()
    await desk.settle()
    left = desk.chat.texts[2:]
    assert left == ["ANSWER"] * 3 + ["NOTICE"] * 3 + ["BULK"] * 3


async def test_in_one_chat_an_answer_passes_notices_that_wait(desk: Desk) -> None:
    desk.start(MessageRates(per_chat=1.0, overall=None, burst=1))
    await desk.push("one", "two", kind="notice")
    await desk.push("answer")
    await desk.advance(60)
    assert desk.chat.texts == ["one", "answer", "two"]


async def test_an_answer_does_not_wait_for_the_turns_of_a_broadcast(desk: Desk) -> None:
    desk.start(MessageRates(per_chat=None, overall=10.0, burst_overall=1))
    for number in range(50):
        await desk.push("news", to=f"chat {number}", rank=Rank.BULK)
    await desk.push("later news", to=AMINA, rank=Rank.BULK)
    await desk.advance(0.95)
    await desk.push("answer", to=AMINA)  # its chat has news before it, which wait
    await desk.push("other answer", to=BARAKA)
    await desk.advance(0.2)
    assert set(desk.chat.texts[-2:]) == {"answer", "other answer"}
    await desk.advance(60)
    assert len(desk.chat.texts) == 53


async def test_events_wait_while_a_channels_answers_are_not_tried(desk: Desk) -> None:
    desk.chat.hold = asyncio.Event()
    for number in range(UNANSWERED_MAX):
        await desk.push("answer", to=f"chat {number}")
    await desk.deliverer.room("other")  # does not wait
    room = asyncio.ensure_future(desk.deliverer.room(CHAT))
    await desk.settle()
    assert not room.done()
    desk.chat.hold.set()
    await desk.settle()
    assert room.done()
    await desk.deliverer.room(CHAT)


async def test_one_chat_with_a_backlog_keeps_nobodys_events_waiting(desk: Desk) -> None:
    desk.chat.hold = asyncio.Event()
    await desk.push(*(str(number) for number in range(2 * UNANSWERED_MAX)))
    for number in range(UNANSWERED_MAX):
        await desk.push("received", to=f"chat {number}", kind="receipt")
    await asyncio.wait_for(desk.deliverer.room(CHAT), 1)
    desk.chat.hold.set()
    await desk.settle()
    assert desk.deliverer._backlog.untried[CHAT] == 0


async def test_events_wait_for_a_channel_that_takes_nothing_only_so_long(desk: Desk) -> None:
    desk.chat.hold = asyncio.Event()
    for number in range(UNANSWERED_MAX):
        await desk.push("answer", to=f"chat {number}")
    room = asyncio.ensure_future(desk.deliverer.room(CHAT))
    await desk.advance(CAPACITY_WAIT_S)
    assert room.done()
    desk.chat.hold.set()


async def test_what_a_stop_finds_waiting_for_room_is_let_in(desk: Desk) -> None:
    desk.chat.hold = asyncio.Event()
    for number in range(UNANSWERED_MAX):
        await desk.push("answer", to=f"chat {number}")
    room = asyncio.ensure_future(desk.deliverer.room(CHAT))
    await desk.settle()
    desk.chat.hold.set()
    await desk.deliverer.stop()
    await room


# Edits


async def test_a_message_with_a_slot_is_edited_where_it_stands(desk: Desk) -> None:
    await desk.sent("waiting", slot="topup:1")
    await desk.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert desk.chat.texts == ["waiting", "m1~slow"]
    assert desk.told[-1] == ("slow", "m1", True)


async def test_a_new_message_takes_the_slot_over(desk: Desk) -> None:
    await desk.sent("waiting", slot="topup:1")
    await desk.sent("waiting, again", slot="topup:1")
    await desk.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert desk.chat.texts[-1] == "m2~slow"


async def test_slots_are_a_chats_own(desk: Desk) -> None:
    await desk.sent("balance", slot="balance")
    await desk.sent("balance", to=BARAKA, slot="balance", edits=True)
    assert desk.chat.texts == ["balance", "balance"]


async def test_the_live_message_is_edited_after_a_restart(desk: Desk) -> None:
    await desk.sent("waiting", slot="topup:1")
    await desk.deliverer.stop()
    desk.start()
    await desk.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert desk.chat.texts == ["waiting", "m1~slow"]


async def test_what_many_chats_were_sent_is_noted_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [await desk.queue("hello", to=f"chat {n}") for n in range(20)]
    writes = count_writes(monkeypatch)
    desk.deliverer.push(rows)
    await desk.settle()
    assert await desk.states() == [("hello", "sent", 1)] * 20
    assert len(writes) <= 2  # what came while the first note was written went with the second


async def test_a_note_that_cannot_be_written_is_told_to_the_log_and_the_chat_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.sent("one")
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr("bot.outbox.sent._note", refuse)
        with pytest.raises(RuntimeError):
            await desk.deliverer._attempts.sent.record(
                SentMessage((await desk.queue("two")), "m9", False)
            )
    await desk.sent("three", to=BARAKA)
    assert ("three", "sent", 1) in await desk.states()


async def test_a_page_whose_message_is_gone_is_sent_anew(desk: Desk) -> None:
    await desk.sent("page", slot="history")
    desk.chat.messages.clear()
    await desk.sent("page 2", slot="history", edits=True)
    await desk.sent("page 3", slot="history", edits=True)
    assert desk.chat.texts == ["page", "page 2", "m1~page 3"]


@pytest.mark.parametrize("was_there", [True, False])
async def test_progress_without_a_live_message_is_dropped_silently(
    desk: Desk, was_there: bool
) -> None:
    if was_there:
        await desk.sent("waiting", slot="topup:1")
        desk.chat.messages.clear()
    before = list(desk.chat.texts)
    with capture_logs() as logs:
        await desk.sent("slow", kind="progress", slot="topup:1", edits=True)
    assert (desk.chat.texts, logs) == (before, [])
    assert (await desk.states())[-1] == ("slow", "dead", 1)


# Pace


async def test_a_chat_is_paced_after_a_burst(desk: Desk) -> None:
    desk.start(MessageRates(per_chat=1.0, overall=None, burst=3))
    await desk.push(*"abcdef")
    await desk.advance(60)
    assert desk.chat.times == [0, 0, 0, 1, 2, 3]


async def test_a_chat_that_was_quiet_may_burst_again(desk: Desk) -> None:
    desk.start(MessageRates(per_chat=1.0, overall=None, burst=3))
    await desk.push(*"abcd")
    await desk.advance(100)
    await desk.push(*"efgh")
    await desk.advance(100)
    assert desk.chat.times == [0, 0, 0, 1, 100, 100, 100, 101]


async def test_one_chats_pace_is_not_anothers(desk: Desk) -> None:
    desk.start(MessageRates(per_chat=1.0, overall=None, burst=1))
    await desk.push("a", "b")
    await desk.push("c", to=BARAKA)
    await desk.settle()
    assert sorted(desk.chat.taken) == [(AMINA, "a"), (BARAKA, "c")]


async def test_all_chats_together_are_paced(desk: Desk) -> None:
    desk.start(MessageRates(per_chat=None, overall=10.0))
    for chat in range(60):
        await desk.push("hello", to=str(chat))
    await desk.advance(60)
    assert len(desk.chat.times) == 60
    for start in range(60):
        window = [at for at in desk.chat.times if start <= at < start + 1]
        assert len(window) <= (40 if start == 0 else 10)
    assert desk.chat.times[-1] == pytest.approx(3.0, abs=0.2)


async def test_every_try_counts_for_the_pace(desk: Desk) -> None:
    desk.start(MessageRates(per_chat=1.0, overall=None, burst=1))
    desk.chat.will(AMINA, Unclear("no answer"))
    await desk.push("a")
    await desk.advance(60)
    assert desk.chat.times == [1]


# Restart


async def test_what_was_never_sent_is_sent_after_a_restart(desk: Desk) -> None:
    await desk.queue("one")
    await desk.queue("two")
    await desk.scan()
    assert desk.chat.texts == ["one", "two"]


async def test_what_was_sent_is_not_sent_after_a_restart(desk: Desk) -> None:
    await desk.sent("one")
    await desk.deliverer.stop()
    desk.start()
    await desk.scan()
    assert desk.chat.texts == ["one"]


async def test_tries_are_remembered_over_a_restart(desk: Desk) -> None:
    desk.chat.will(AMINA, *(Unclear("no answer") for _ in range(3)))
    await desk.sent("one")
    await desk.advance(1)
    await desk.deliverer.stop()
    desk.start()
    await desk.scan()
    assert desk.chat.texts == []
    await desk.advance(5)
    assert desk.chat.times == [6]
    assert await desk.states() == [("one", "sent", 4)]


async def test_a_429_is_waited_out_over_a_restart_too(desk: Desk) -> None:
    desk.chat.will(AMINA, RetryAfter(30))
    await desk.sent("one")
    await desk.deliverer.stop()
    desk.start()
    await desk.scan()
    await desk.advance(29)
    assert desk.chat.texts == []
    await desk.advance(1)
    assert desk.chat.times == [30]


async def test_more_than_a_page_is_all_taken_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.sender.PAGE", 3)
    for number in range(7):
        await desk.queue(str(number), to=str(number % 2))
    await desk.scan()
    assert sorted(desk.chat.texts) == [str(number) for number in range(7)]


async def test_a_scan_asks_to_be_run_again(desk: Desk) -> None:
    due = await desk.scan()
    assert due is not None
    assert timedelta(0) < due - desk.clock.now() <= timedelta(hours=1)


async def test_a_scan_sends_nothing_that_is_waiting_or_on_its_way(desk: Desk) -> None:
    desk.chat.hold = asyncio.Event()
    await desk.push("one", "two")
    await desk.scan()
    desk.chat.hold.set()
    await desk.scan()
    assert desk.chat.texts == ["one", "two"]


async def test_scanning_all_the_while_sends_nothing_twice(desk: Desk) -> None:
    rows = [await desk.queue(str(number), to=str(number % 10)) for number in range(200)]
    for start in range(0, 200, 10):
        desk.deliverer.push(rows[start : start + 10])
        await desk.deliverer.scan()
    await desk.settle()
    assert sorted(desk.chat.texts) == sorted(row.text for row in rows)


async def test_a_stop_lets_a_send_on_its_way_be_noted(desk: Desk) -> None:
    desk.chat.hold = asyncio.Event()
    await desk.sent("one", "two")
    stopping = asyncio.ensure_future(desk.deliverer.stop())
    await desk.settle()
    assert not stopping.done()
    desk.chat.hold.set()
    await stopping
    assert await desk.states() == [("one", "sent", 1), ("two", "queued", 0)]


async def test_a_stop_does_not_wait_for_what_is_paced_or_due_later(desk: Desk) -> None:
    desk.chat.will(AMINA, RetryAfter(3600))
    await desk.sent("one")
    await desk.deliverer.stop()
    assert await desk.states() == [("one", "queued", 0)]


async def test_a_stop_gives_up_on_a_send_that_never_ends(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.sender.STOP_S", 0.01)
    desk.chat.hold = asyncio.Event()
    await desk.sent("one")
    await desk.deliverer.stop()
    assert await desk.states() == [("one", "queued", 0)]
    desk.chat.hold.set()


async def test_what_is_pushed_after_a_stop_stays_queued(desk: Desk) -> None:
    await desk.deliverer.stop()
    await desk.sent("one")
    assert desk.chat.texts == []
    assert await desk.states() == [("one", "queued", 0)]


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


def fail_writes(desk: Desk, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    write = Database.write
    left = [times]

    async def sometimes(self: Database, *args: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise DatabaseUnavailable("the disk is full")
        return await write(self, *args)

    monkeypatch.setattr(Database, "write", sometimes)


async def test_what_was_sent_is_noted_as_soon_as_the_database_is_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [await desk.queue("one"), await desk.queue("two")]
    fail_writes(desk, monkeypatch, times=3)
    with capture_logs() as logs:
        desk.deliverer.push(rows)
        await desk.settle()
        assert desk.chat.texts == ["one"]
        await desk.advance(60)
    assert [log["log_level"] for log in logs] == ["error"] * 3
    assert desk.chat.texts == ["one", "two"]
    assert await desk.states() == [("one", "sent", 1), ("two", "sent", 1)]


async def test_a_try_is_counted_although_the_database_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.chat.will(AMINA, Unclear("no answer"))
    rows = [await desk.queue("one")]
    fail_writes(desk, monkeypatch, times=1)
    with capture_logs():
        desk.deliverer.push(rows)
        await desk.advance(60)
    assert await desk.states() == [("one", "sent", 2)]


async def test_a_clock_that_is_set_back_mutes_nobody(desk: Desk) -> None:
    row = await desk.queue("received")
    desk.clock.step(-600)
    desk.deliverer.push([row])
    await desk.settle()
    assert desk.chat.texts == ["received"]


# What is sealed until it is sent


CODE = "Code 482913. Never share it."


async def code(desk: Desk, otp: str = "OT-1", to: str = PHONE.msisdn) -> OutboxRow:
    return await desk.queue(KEYS.seal(CODE), to, kind="code", channel=SMS, otp=otp)


async def test_a_code_is_opened_for_its_carrier_only_and_wiped_when_it_is_sent(desk: Desk) -> None:
    row = await code(desk)
    assert "482913" not in str(row)
    assert "482913" not in str(await desk.states())
    desk.deliverer.push([row])
    await desk.settle()
    assert desk.sms.texts == [CODE]
    assert await desk.states() == [("", "sent", 1)]
    assert "482913" not in str(desk.told)


async def test_the_carriers_own_id_of_a_message_is_kept(desk: Desk) -> None:
    desk.deliverer.push([await code(desk)])
    await desk.settle()

    def report(tx: SqliteTx) -> tuple[str | None, str | None]:
        return tx.outbox.record_delivery_report(
            SMS, "nosuch", False
        ), tx.outbox.record_delivery_report(SMS, "m1", False)

    assert await desk.database.write(report) == (None, "OT-1")


async def test_a_code_that_is_given_up_is_lost_wiped_and_told(desk: Desk) -> None:
    desk.sms.will(PHONE.msisdn, Undeliverable("no such number"))
    desk.deliverer.push([await code(desk)])
    with capture_logs() as logs:
        await desk.settle()
    assert (desk.sms.texts, desk.lost, desk.chat.texts) == ([], ["OT-1"], ["OT-1 is lost"])
    assert (await desk.states())[0] == ("", "dead", 1)
    assert "482913" not in str(logs)


async def test_what_carries_no_code_loses_none(desk: Desk) -> None:
    desk.chat.will(AMINA, Undeliverable("too long"))
    await desk.sent("bad")
    assert desk.lost == []


async def test_a_code_that_no_key_opens_is_given_up(desk: Desk) -> None:
    sealed = Keyring({"2": bytes([7]) * 32}).seal(CODE)
    await desk.sent(sealed, to=PHONE.msisdn, kind="code", channel=SMS, otp="OT-1")
    assert (desk.sms.attempts, desk.lost) == (0, ["OT-1"])


async def test_a_code_is_given_up_within_minutes_and_other_texts_after_hours(desk: Desk) -> None:
    times = {"code": 0.0, "text": 0.0}

    async def no_answer(address: str, content: MessageContent) -> str:
        what = "code" if content.text == CODE else "text"
        times[what] = (desk.clock.now() - START).total_seconds()
        raise Unclear("no answer")

    desk.sms.send = no_answer  # type: ignore[method-assign]
    desk.deliverer.push([await code(desk)])
    await desk.push("paid", to="254733123456", kind="notice", channel=SMS)
    await desk.advance(86_400)
    assert times == {
        "code": sum(CODE_PAUSES_S),
        "text": sum(CARRIER_PAUSES_S),
    }
    assert times["code"] < 300
    assert times["text"] > 3_600
    assert desk.lost == ["OT-1"]


async def ended(desk: Desk, row: OutboxRow) -> None:
    """As the trigger leaves it when the code ends."""
    await desk.database.write(lambda tx: tx.outbox.mark_dead(row.id, "the code has ended"))


async def test_a_code_that_ended_while_it_waited_for_another_try_is_not_sent(desk: Desk) -> None:
    desk.sms.will(PHONE.msisdn, Unclear("no answer"), Unclear("no answer"))
    row = await code(desk)
    desk.deliverer.push([row])
    await desk.settle()
    await ended(desk, row)
    await desk.advance(60)
    assert (desk.sms.texts, desk.lost) == ([], [])


async def test_a_code_that_ended_while_it_stood_behind_another_is_not_sent(desk: Desk) -> None:
    desk.sms.will(PHONE.msisdn, RetryAfter(30))
    first, row = await code(desk), await code(desk, "OT-2")
    desk.deliverer.push([first, row])
    await desk.settle()
    await ended(desk, row)
    await desk.advance(60)
    assert desk.sms.texts == [CODE]
    assert [state for _, state, _ in await desk.states()] == ["sent", "dead"]


async def test_a_code_does_not_stand_behind_a_message_that_was_put_off(desk: Desk) -> None:
    desk.sms.will(PHONE.msisdn, RetryAfter(30))
    await desk.push("paid", to=PHONE.msisdn, kind="notice", channel=SMS)
    desk.deliverer.push([await code(desk)])
    await desk.settle()
    assert desk.sms.texts == [CODE]


# What is taken away, and what is sent as a file


async def test_a_wipe_takes_the_persons_own_message_away_and_is_told_to_nobody(desk: Desk) -> None:
    await desk.sent("", kind="wipe", target="m77")
    assert desk.chat.deleted == [(AMINA, "m77")]
    assert (desk.chat.texts, desk.told) == ([], [])
    assert await desk.states() == [("", "sent", 1)]


async def test_a_wipe_that_cannot_be_done_is_no_warning(desk: Desk) -> None:
    desk.chat.will(AMINA, Undeliverable("too old"))
    with capture_logs() as logs:
        await desk.sent("", kind="wipe", target="m77")
    assert logs == []
    assert await desk.states() == [("", "dead", 1)]


async def test_a_file_that_is_gone_is_given_up(desk: Desk) -> None:
    await desk.sent("your file", document="ST-222222")
    assert desk.chat.documents == []
    assert await desk.states() == [("your file", "dead", 1)]
