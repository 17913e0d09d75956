"""Idle conversations are closed, and old rows are deleted."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.channels.terminal import event_from_line
from bot.jobs import housekeeping
from bot.jobs.housekeeping import (
    CLEAN_EVERY,
    CODES_EVERY,
    EVENTS_KEPT,
    FLOODS_KEPT,
    INVITES_KEPT,
    OUTBOX_KEPT,
    PINS_BEGUN_KEPT,
    QUOTES_KEPT,
    SLOTS_KEPT,
    STRANGERS_KEPT,
    TRAIL_KEPT,
    USSD_EVENTS_KEPT,
    USSD_SESSIONS_KEPT,
    Housekeeping,
)
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.simulation.world import World
from bot.turns.sessions import SessionCache
from flows.catalogue import all_flows
from flows.engine.session import IDLE_TIMEOUT, Frame, Session
from flows.topup import TOPUP
from services import joining, otp, partners, topups
from services.domain.money import Money
from services.domain.otp import LIFE, OtpStatus
from services.domain.outbox import BEFORE_ALL
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.ussd import UssdEvent, UssdSession
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file

FLOWS = all_flows()
KEYS = Keyring({"1": bytes(32)})
MOMENT = timedelta(milliseconds=1)
DAY = timedelta(days=1)


def dialled(session: str, now: datetime) -> UssdSession:
    return UssdSession(
        gateway="gateway",
        session=session,
        phone="254700000001",
        code="*384#",
        network="",
        begun_at=now,
        heard_at=now,
        hops=1,
        text_length=0,
        text_digest="",
        key_id="1",
        answer="1 Top up",
        screen=None,
    )


class KeptRows:
    def __init__(self, database: Database, clock: VirtualClock) -> None:
        self.database = database
        self.clock = clock
        self.random = random.Random(1)
        self.keeping = Housekeeping(database, clock, SessionCache(FLOWS), NO_CODES)

    def passes(self, time: timedelta) -> None:
        self.clock.jump(self.clock.now() + time)

    async def opens(self, address: str, *, waiting: str | None = None) -> None:
        frame = Frame.start(TOPUP)
        if waiting is not None:
            frame.node, frame.waiting = "push", waiting
        session = Session(7, frame)
        await self.database.write(
            lambda tx: SessionCache(FLOWS).save(tx, "telegram", address, session)
        )

    async def session(self, address: str) -> Session:
        row = await self.database.read(lambda tx: tx.sessions.load("telegram", address))
        assert row is not None
        return Session.load(FLOWS, row.turn, row.body)

    async def happens(self) -> None:
        """Add one row of everything that is kept only for a limited time."""

        def happen(tx: StoreTx) -> None:
            key = str(tx.now)
            tx.sessions.mark_handled("telegram", key)
            tx.sessions.take_slot("telegram", key, "balance", "1")
            tx.outbox.mark_sent(
                [("m1", tx.outbox.add("telegram", "77", kind="answer", text="sent").id)]
            )
            tx.outbox.mark_dead(
                tx.outbox.add("telegram", "77", kind="answer", text="dead").id, "shut"
            )
            tx.outbox.add("telegram", "77", kind="answer", text="queued")
            tx.trail.add("telegram", "77", None, "text", None, "opened", None, None)
            tx.floods.note("telegram", key, tx.now)
            tx.ussd_sessions.save(dialled(key, tx.now))
            tx.ussd_events.add(
                UssdEvent("gateway", key, "2547*****001", "", "*384#", "success", 1, 9, 10, None)
            )
            if tx.people.partner("FINSAFE") is None:
                partners.add(tx, Partner("FINSAFE"))
            joining.invite(tx, self.random, "FINSAFE", Role.VIEWER, "amina", "admin:t:1")

        await self.database.write(happen)

    async def kept(self) -> dict[str, int]:
        tables = (
            "events", "slots", "outbox", "trail", "floods", "invites", "ussd_sessions",
            "ussd_events",
        )  # fmt: skip

        def count(tx: StoreTx) -> dict[str, int]:
            return {
                table: tx.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in tables
            }

        return await self.database.read(count)


@pytest.fixture
async def kept_rows(tmp_path: Path) -> AsyncIterator[KeptRows]:
    clock = VirtualClock()
    database = await Database.open(blank_file(tmp_path / "hazina.db"), clock.now)
    yield KeptRows(database, clock)
    await database.close()


# Conversations


async def test_a_conversation_that_was_idle_too_long_is_closed(kept_rows: KeptRows) -> None:
    await kept_rows.opens("77")
    kept_rows.passes(IDLE_TIMEOUT)
    await kept_rows.keeping.expire_sessions()
    session = await kept_rows.session("77")
    assert (session.active, session.closed, session.turn) == (None, "topup", 7)


async def test_a_conversation_within_its_time_is_left_open(kept_rows: KeptRows) -> None:
    await kept_rows.opens("77")
    kept_rows.passes(IDLE_TIMEOUT - MOMENT)
    await kept_rows.keeping.expire_sessions()
    assert (await kept_rows.session("77")).at == "topup.amount"


async def test_what_waits_for_an_operation_is_never_closed(kept_rows: KeptRows) -> None:
    await kept_rows.opens("77", waiting="TU-222222")
    kept_rows.passes(DAY)
    await kept_rows.keeping.expire_sessions()
    assert (await kept_rows.session("77")).at == "topup.push"


async def test_expiry_is_wanted_again_when_the_next_one_is_due(kept_rows: KeptRows) -> None:
    await kept_rows.opens("77")
    begun = kept_rows.clock.now()
    kept_rows.passes(timedelta(minutes=5))
    await kept_rows.opens("78")
    assert await kept_rows.keeping.expire_sessions() == begun + IDLE_TIMEOUT
    kept_rows.passes(IDLE_TIMEOUT - timedelta(minutes=5))
    due = await kept_rows.keeping.expire_sessions()
    assert due == begun + timedelta(minutes=5) + IDLE_TIMEOUT


async def test_expiry_is_wanted_again_although_nothing_is_open(kept_rows: KeptRows) -> None:
    assert await kept_rows.keeping.expire_sessions() == kept_rows.clock.now() + IDLE_TIMEOUT


async def test_a_closed_conversation_is_closed_once(kept_rows: KeptRows) -> None:
    await kept_rows.opens("77")
    kept_rows.passes(IDLE_TIMEOUT)
    await kept_rows.keeping.expire_sessions()
    rows = await kept_rows.database.write(lambda tx: tx.sessions.expired(9))
    assert rows == []


async def test_more_than_a_page_is_closed_at_once(
    kept_rows: KeptRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PAGE", 3)
    for number in range(7):
        await kept_rows.opens(str(number))
    kept_rows.passes(IDLE_TIMEOUT)
    await kept_rows.keeping.expire_sessions()
    assert {(await kept_rows.session(str(n))).closed for n in range(7)} == {"topup"}


# Rows


@pytest.mark.parametrize(
    ("table", "kept_for", "left"),
    [
        ("events", EVENTS_KEPT, 0),
        ("slots", SLOTS_KEPT, 0),
        ("outbox", OUTBOX_KEPT, 1),
        ("trail", TRAIL_KEPT, 0),
        ("floods", FLOODS_KEPT, 0),
        ("invites", INVITES_KEPT, 0),
        ("ussd_sessions", USSD_SESSIONS_KEPT, 0),
        ("ussd_events", USSD_EVENTS_KEPT, 0),
    ],
)
async def test_rows_are_deleted_when_they_are_old_and_not_before(
    kept_rows: KeptRows, table: str, kept_for: timedelta, left: int
) -> None:
    await kept_rows.happens()
    before = (await kept_rows.kept())[table]
    kept_rows.passes(kept_for)
    await kept_rows.keeping.clean_up()
    assert (await kept_rows.kept())[table] == before
    kept_rows.passes(MOMENT)
    await kept_rows.keeping.clean_up()
    assert (await kept_rows.kept())[table] == left


async def test_what_strangers_leave_is_deleted_after_a_day(kept_rows: KeptRows) -> None:
    def leave(tx: StoreTx) -> None:
        saves = SessionCache(FLOWS)
        saves.save(tx, "telegram", "stranger", Session(0))
        saves.save(tx, "telegram", "was somebody", Session(7))  # its buttons must remain outdated
        for event_id, turn in (("1", 0), ("2", 7)):
            row = tx.outbox.add(
                "telegram", "9", kind="answer", text="hello", event_id=event_id, turn=turn
            )
            tx.outbox.mark_sent([("m", row.id)])
        tx.outbox.add("telegram", "9", kind="answer", text="on its way", event_id="3")

    await kept_rows.database.write(leave)
    kept_rows.passes(STRANGERS_KEPT)
    await kept_rows.keeping.clean_up()
    assert (await kept_rows.kept())["outbox"] == 3
    await kept_rows.session("stranger")
    kept_rows.passes(MOMENT)
    await kept_rows.keeping.clean_up()
    assert (await kept_rows.kept())["outbox"] == 2
    assert (await kept_rows.session("was somebody")).turn == 7
    rows = await kept_rows.database.read(lambda tx: tx.sessions.load("telegram", "stranger"))
    assert rows is None


async def test_what_was_never_sent_is_never_deleted(kept_rows: KeptRows) -> None:
    await kept_rows.happens()
    kept_rows.passes(1000 * DAY)
    await kept_rows.keeping.clean_up()
    queued = await kept_rows.database.read(lambda tx: tx.outbox.queued(BEFORE_ALL, 9))
    assert [row.text for row in queued] == ["queued"]


async def test_an_event_is_known_for_as_long_as_it_may_come_again(kept_rows: KeptRows) -> None:
    event = await kept_rows.database.write(lambda tx: tx.sessions.mark_handled("telegram", "1"))
    assert event
    kept_rows.passes(3 * DAY)
    await kept_rows.keeping.clean_up()
    assert not await kept_rows.database.write(lambda tx: tx.sessions.mark_handled("telegram", "1"))


async def test_more_than_a_page_is_deleted_at_once(
    kept_rows: KeptRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PAGE", 3)
    for _ in range(7):
        kept_rows.passes(MOMENT)
        await kept_rows.happens()
    kept_rows.passes(100 * DAY)
    await kept_rows.keeping.clean_up()
    assert await kept_rows.kept() == {
        "events": 0, "slots": 0, "outbox": 7, "trail": 0, "floods": 0, "invites": 0,
        "ussd_sessions": 0, "ussd_events": 0,
    }  # fmt: skip


async def test_a_desk_pin_that_was_begun_and_never_set_is_forgotten(kept_rows: KeptRows) -> None:
    def begin(tx: StoreTx) -> None:
        partners.add(tx, Partner("FINSAFE"))
        person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, AMINA_PHONE, None, "en")
        tx.desk_pins.begin_change("PN-222222", person)

    await kept_rows.database.write(begin)
    left = []
    for time in (PINS_BEGUN_KEPT, MOMENT):
        kept_rows.passes(time)
        await kept_rows.keeping.clean_up()
        left.append(await kept_rows.database.read(lambda tx: tx.desk_pins.change("PN-222222")))
    assert [change is None for change in left] == [False, True]


async def test_a_clean_up_is_wanted_again(kept_rows: KeptRows) -> None:
    assert await kept_rows.keeping.clean_up() == kept_rows.clock.now() + CLEAN_EVERY


# Codes and quotes


AMINA_PHONE = Phone("254712345678")


async def draws(kept_rows: KeptRows, operation: str = "TU-222222") -> str:
    """Queue a code for sending and return its id."""

    def draw(tx: StoreTx) -> str:
        person = tx.people.at("terminal", "77")
        if person is None:
            seed(tx)
            person = tx.people.at("terminal", "77")
        assert person is not None
        binding = topups.code_binding(person, operation, Money(100_00), AMINA_PHONE)
        issued = otp.generate(tx, KEYS, cast("Random", kept_rows.random), binding, AMINA_PHONE)
        assert isinstance(issued, otp.Issued)
        text = KEYS.seal(issued.code)
        tx.outbox.add("sms", AMINA_PHONE.msisdn, kind="code", text=text, otp=issued.otp.id)
        return issued.otp.id

    return await kept_rows.database.write(draw)


async def code(kept_rows: KeptRows, otp_id: str) -> tuple[OtpStatus | None, str]:
    """Return the code's status and what is left of its message."""

    def read(tx: StoreTx) -> tuple[OtpStatus | None, str]:
        found = tx.otps.of_id(otp_id)
        row = tx.conn.execute("SELECT text FROM outbox WHERE otp = ?", (otp_id,)).fetchone()
        return None if found is None else found.status, "" if row is None else str(row[0])

    return await kept_rows.database.read(read)


async def test_a_code_is_ended_to_the_second_and_its_message_wiped(kept_rows: KeptRows) -> None:
    otp_id = await draws(kept_rows)
    kept_rows.passes(LIFE - MOMENT)
    await kept_rows.keeping.expire_codes()
    status, text = await code(kept_rows, otp_id)
    assert (status, bool(text)) == (OtpStatus.PENDING, True)
    kept_rows.passes(MOMENT)
    await kept_rows.keeping.expire_codes()
    assert await code(kept_rows, otp_id) == (OtpStatus.EXPIRED, "")


async def test_codes_are_looked_after_when_the_next_one_ends(kept_rows: KeptRows) -> None:
    now = kept_rows.clock.now()
    assert await kept_rows.keeping.expire_codes() == now + QUOTES_KEPT
    await draws(kept_rows)
    assert await kept_rows.keeping.expire_codes() == now + LIFE
    kept_rows.passes(LIFE - timedelta(seconds=10))
    due = await kept_rows.keeping.expire_codes()
    assert due is not None
    assert now + LIFE <= due <= now + LIFE + CODES_EVERY


async def test_more_than_a_page_of_codes_is_ended_at_once(
    kept_rows: KeptRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PAGE", 2)
    ids = [await draws(kept_rows, f"TU-22222{number}") for number in range(5)]
    kept_rows.passes(LIFE)
    await kept_rows.keeping.expire_codes()
    assert {(await code(kept_rows, otp_id))[0] for otp_id in ids} == {OtpStatus.EXPIRED}


async def test_codes_are_deleted_when_they_are_old_and_not_before(kept_rows: KeptRows) -> None:
    otp_id = await draws(kept_rows)
    kept_rows.passes(NO_CODES.otp_kept)
    await kept_rows.keeping.expire_codes()
    assert (await code(kept_rows, otp_id))[0] is OtpStatus.EXPIRED
    kept_rows.passes(MOMENT)
    await kept_rows.keeping.expire_codes()
    assert (await code(kept_rows, otp_id))[0] is None


# In the running program


def seed(tx: StoreTx) -> None:
    partners.add(tx, Partner("FINSAFE"))
    phone = Phone("254712345678")
    amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, phone, None, "en")
    tx.people.link("terminal", "77", amina)


async def test_the_program_closes_idle_conversations_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.open()
    try:
        await world.app.database.write(seed)
        await world.settle()
        world.submit(event_from_line("77", "1", "/topup"))
        await world.settle()
        world.submit(event_from_line("77", "2", "1500"))
        await world.advance((2 * IDLE_TIMEOUT).total_seconds())
        row = await world.app.database.read(lambda tx: tx.sessions.load("terminal", "77"))
    finally:
        await world.close()
    assert row is not None
    assert (row.flow, row.expires_at) == (None, None)
    assert Session.load(FLOWS, row.turn, row.body).closed == "topup"


async def test_the_program_deletes_old_rows_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.open()
    try:
        await world.app.database.write(seed)
        world.submit(event_from_line("77", "1", "/balance"))
        await world.advance((EVENTS_KEPT + 2 * CLEAN_EVERY).total_seconds())
        counts = await KeptRows(world.app.database, world.clock).kept()
    finally:
        await world.close()
    assert (counts["events"], counts["outbox"], counts["trail"]) == (0, 0, 1)
