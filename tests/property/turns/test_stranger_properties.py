"""However much strangers write and however many they are: rows stay bounded, and guests get in."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.context import AppContext
from bot.handlers.suspicious_attempts import KEPT_ALL_MAX, KEPT_MAX, TOLD_AT
from bot.rate_limits.strangers import ANSWER_INTERVAL_S, ANSWERS_BURST, StrangerLimiter
from bot.security.keyring import Keyring
from bot.turns.flood import STRANGER_TURNS, STRANGER_WINDOW
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.turns.steps import Steps
from bot.turns.turn import IGNORED, Decided, Turns
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.event import from_text
from flows.engine.texts import Texts
from services import joining, partners
from services.domain.audit import by_admin
from services.domain.partner import Partner, Role
from services.joining import Invited
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import PlainStore, StoreDatabase

ADMIN = "1"
FLOWS, TEXTS, KEYS = all_flows(), Texts.load(), Keyring({"1": bytes(32)})
HOUR_S = 3600


class Door:
    """Turns that strangers write to; time passes only through ``wait``."""

    def __init__(self, store: PlainStore) -> None:
        store.undo()
        self.store = store
        self.random = cast("Random", random.Random(1))
        self.passed_s = 0.0
        self.count = 0
        desk = AppContext(
            TEXTS,
            self.random,
            KEYS,
            NO_CODES,
            (("telegram", ADMIN),),
            strangers=StrangerLimiter(30.0, lambda: self.passed_s),
            channels=CHANNELS,
        )
        engine, sessions = Engine(FLOWS, TEXTS, HANDLERS), SessionCache(FLOWS)
        self.turns = Turns(
            cast("Database", StoreDatabase(store)),
            engine,
            sessions,
            desk,
            Steps(engine, sessions, desk, lambda tx, outcome: ()),
            lambda rows: None,
            lambda operation: None,
        )

    def wait(self, seconds: float) -> None:
        self.passed_s += seconds
        self.store.wait(seconds=seconds)

    def say(self, text: str, address: str, event_id: str | None = None) -> Decided:
        self.count += 1
        event = from_text("telegram", address, event_id or f"e{self.count}", text, "1")
        return asyncio.run(self.turns.handle(event))

    def invite(self) -> str:
        def invite(tx: StoreTx) -> object:
            if tx.people.partner("FINSAFE") is None:
                partners.add(tx, Partner("FINSAFE"))
            by = by_admin("telegram", ADMIN)
            return joining.invite(tx, self.random, "FINSAFE", Role.OWNER, "amina", by)

        invited = self.store.do(invite)
        assert isinstance(invited, Invited)
        return invited.token

    def rows(self, table: str) -> int:
        return self.store.count(f"SELECT count(*) FROM {table}")  # noqa: S608

    def told(self) -> int:
        """Number of notices to the admin."""
        return self.store.count("SELECT count(*) FROM outbox WHERE kind = 'notice'")


@pytest.fixture
def door(store: PlainStore) -> Door:
    return Door(store)


knock = st.tuples(
    st.integers(0, 30),  # who
    st.sampled_from(["hello", "/start", "/start junk", "/topup 500", "123456", "my pin is 0000"]),
    st.sampled_from([0, 0, 0, 1, 30, 700]),  # seconds before it
    st.integers(1, 25),  # how often
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(knocks=st.lists(knock, max_size=25))
def test_rows_of_strangers_are_bounded_by_time_and_a_guest_gets_in(
    store: PlainStore, knocks: list[tuple[int, str, float, int]]
) -> None:
    door = Door(store)
    token = door.invite()
    for who, text, wait, times in knocks:
        door.wait(wait)
        for _ in range(times):
            door.say(text, f"9{who}")
    answers = ANSWERS_BURST + door.passed_s / ANSWER_INTERVAL_S
    tries = (KEPT_ALL_MAX + 1) * (1 + door.passed_s // HOUR_S)
    told = door.told()
    assert door.rows("events") <= answers
    assert door.rows("outbox") - told <= answers
    assert door.rows("trail") == 0
    assert door.rows("audit_log") <= tries
    assert told <= tries / TOLD_AT + 1
    if door.passed_s >= joining.LIFE.total_seconds():
        token = door.invite()
    assert door.say(f"/start {token}", "900").exit == "opened"


def test_one_account_is_answered_so_often_then_told_then_left_alone(door: Door) -> None:
    exits = [door.say("hello", "99").exit for _ in range(STRANGER_TURNS + 3)]
    assert exits == ["not_linked"] * STRANGER_TURNS + ["flooded", IGNORED, IGNORED]
    assert door.rows("outbox") == door.rows("events") == STRANGER_TURNS + 1
    assert (door.rows("sessions"), door.rows("audit_log")) == (1, 0)
    door.wait(STRANGER_WINDOW.total_seconds())
    assert door.say("hello", "99").exit == "not_linked"


def test_a_crowd_is_answered_at_a_pace_and_leaves_nothing_beyond_it(door: Door) -> None:
    exits = [door.say("hello", f"9{n}").exit for n in range(ANSWERS_BURST + 40)]
    assert exits == ["not_linked"] * ANSWERS_BURST + [IGNORED] * 40
    tables = ("events", "outbox", "sessions")
    assert [door.rows(table) for table in tables] == [ANSWERS_BURST] * 3
    door.wait(5 * ANSWER_INTERVAL_S)
    again = [door.say("hello", f"8{n}").exit for n in range(10)]
    assert again == ["not_linked"] * 5 + [IGNORED] * 5


def test_a_message_of_a_stranger_that_is_deleted_counts_as_an_answer(door: Door) -> None:
    for n in range(ANSWERS_BURST):
        door.say("my pin is 0000", f"9{n}")
    wiped = door.store.count("SELECT count(*) FROM outbox WHERE kind = 'wipe'")
    assert (door.rows("outbox"), wiped) == (ANSWERS_BURST, ANSWERS_BURST // 2)


def test_a_slow_desk_gives_strangers_a_tenth_of_its_sends() -> None:
    passed = [0.0]
    strangers = StrangerLimiter(1.0, lambda: passed[0])
    while strangers.allow():
        pass
    passed[0] = 100.0
    assert [strangers.allow() for _ in range(11)] == [True] * 10 + [False]


def test_what_is_not_answered_is_answered_when_it_comes_again(door: Door) -> None:
    for n in range(ANSWERS_BURST):
        door.say("hello", f"9{n}")
    assert door.say("hello", "77", "late").exit == IGNORED
    door.wait(ANSWER_INTERVAL_S)
    assert door.say("hello", "77", "late").exit == "not_linked"
    assert door.say("hello", "77", "late").repeated


def test_who_has_flooded_gets_in_by_an_invitation_all_the_same(door: Door) -> None:
    for _ in range(STRANGER_TURNS + 5):
        door.say("hello", "99")
    assert door.say(f"/start {door.invite()}", "99").exit == "opened"


def test_tries_of_one_account_leave_some_rows_an_hour_and_one_that_says_more_came(
    door: Door,
) -> None:
    for _ in range(KEPT_MAX + 5):
        door.say("/start junk", "99")
    whys = door.store.conn.execute("SELECT about FROM audit_log ORDER BY n").fetchall()
    assert [why for (why,) in whys] == ["invite_unknown"] * KEPT_MAX + ["more"]
    assert door.told() == 1
    door.wait(timedelta(hours=1, seconds=1).total_seconds())
    door.say("/start junk", "99")
    assert door.rows("audit_log") == KEPT_MAX + 2


def test_tries_of_many_accounts_are_bounded_and_hide_nobody_who_holds_an_invitation(
    door: Door,
) -> None:
    token = door.invite()
    door.say(f"/start {token}", "77")
    for n in range(KEPT_ALL_MAX + 30):
        door.wait(ANSWER_INTERVAL_S)
        door.say("/start junk", f"9{n}")
    last = door.store.conn.execute(
        "SELECT actor, act, about FROM audit_log WHERE partner = 'HOUSE' ORDER BY n DESC LIMIT 1"
    ).fetchone()
    assert last == ("hazina", "strange", "more")
    kept = "SELECT count(*) FROM audit_log WHERE act = 'strange'"
    assert door.store.count(kept) == KEPT_ALL_MAX + 1
    assert door.told() == 1
    door.say(f"/start {token}", "78")  # it is taken already: somebody has forwarded it
    about = "SELECT count(*) FROM audit_log WHERE about = 'invite_taken'"
    assert door.store.count(about) == 1


def test_who_opens_an_invitation_again_and_again_leaves_no_more_rows(door: Door) -> None:
    token = door.invite()
    for _ in range(40):
        door.say(f"/start {token}", "77")
    assert door.rows("audit_log") <= 10


@pytest.mark.sqlite_only("counts the steps of SQLite's machine")
def test_a_try_costs_the_same_whatever_was_tried_before(door: Door) -> None:
    def steps(address: str) -> int:
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        door.store.conn.set_progress_handler(step, 50)
        door.say("/start junk", address)
        door.store.conn.set_progress_handler(None, 0)
        return count

    door.say("/start junk", "97")
    few = steps("98")

    def fill(tx: StoreTx) -> None:
        for n in range(2_000):
            tx.audit.add("HOUSE", f"telegram:9{n % 20}", "strange", "invite_unknown")

    door.store.do(fill)
    assert steps("99") < 2 * few + 20
