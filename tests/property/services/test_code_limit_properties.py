"""Other people's requests and wrong codes never block an owner, and whoever guesses is stopped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.security.keyring import Keyring
from services import contacts, otp, topups
from services.domain.money import Money
from services.domain.otp import DAY, HOUR, LIFE, WRONG_MAX, Binding, OtpStatus, Purpose
from services.domain.partner import Partner, Person, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.topup import TopUp
from services.otp import Issued, NotPassed
from services.policy import Policy
from storage.transaction import StoreTx
from tests.kit.plain_store import PHONE, PlainStore

KEYS = Keyring({"1": b"1" * 32})
WRONG = "no code"  # which no drawn code can be
POLICY = Policy(prompts_own=8, prompts_other=3)
FIXTURES = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = ("viewer", "operator", "stranger", "rival")  # the last two belong to another partner
gaps = st.sampled_from([0, 0, 0, 0, 31, 61, 600, 3_000, 3_600, 40_000])  # seconds
NAMES_OWNER, NAMES_ANOTHER, BUYS = "names the owner's number", "names another", "buys"
DEEDS = (
    *[("operator", BUYS)] * 4,  # often enough to use up the partner's codes of an hour
    *((name, NAMES_OWNER) for name in NAMES),
    ("viewer", NAMES_ANOTHER),
    ("rival", BUYS),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()


class Crowd:
    """An owner, people of the same partner, and people of another partner."""

    def __init__(self, store: PlainStore) -> None:
        store.undo()
        self.store = store
        self.random = random.Random(1)
        self.owner = store.person("DEMO")
        self.people = {
            name: self._person(name, f"25472200000{n}", "DEMO" if n < 2 else "ACME")
            for n, name in enumerate(NAMES)
        }
        self.drawn = 0
        self.to_owner: list[tuple[datetime, str]] = []  # when a proof was sent, and who asked

    def _person(self, name: str, phone: str, code: str) -> Person:
        role = Role.VIEWER if name == "viewer" else Role.OPERATOR

        def add(tx: StoreTx) -> Person:
            if tx.people.partner(code) is None:
                tx.people.add_partner(Partner(code))
            person_id = tx.people.add_person(code, name, role, Phone(phone), None, "en")
            return Person(person_id, name, Partner(code), role, Phone(phone), None, "en")

        return self.store.do(add)

    def money(self, person: Person, purpose: Purpose = Purpose.FLOAT_PURCHASE) -> Issued | Refusal:
        self.drawn += 1
        binding = Binding(
            purpose, f"OP-{self.drawn}", person.partner.code, person.id, Money(100), "400187"
        )
        return self.store.do(lambda tx: otp.generate(tx, KEYS, self.random, binding, person.phone))

    def proof(self, name: str, phone: Phone) -> Issued | Refusal:
        person = self.people[name]
        issued = self.store.do(
            lambda tx: contacts.request_change(
                tx, KEYS, self.random, POLICY, person, ("telegram", name), phone
            )
        )
        if isinstance(issued, Issued) and phone == PHONE:
            self.to_owner.append((self.store.now, name))
        return issued

    def wrong(self, issued: Issued) -> NotPassed:
        answer = self.store.do(lambda tx: otp.validate(tx, KEYS, issued.otp.binding, WRONG))
        assert isinstance(answer, NotPassed)
        return answer

    def act(self, name: str, does: str, tries: int) -> None:
        if does == BUYS:
            issued = self.money(self.people[name])
        elif does == NAMES_OWNER:
            issued = self.proof(name, PHONE)
        else:
            issued = self.proof(name, Phone(f"2547330000{self.random.randrange(100):02d}"))
        if isinstance(issued, Issued):
            for _ in range(tries):
                self.wrong(issued)


@FIXTURES
@given(
    st.lists(
        st.tuples(st.sampled_from(DEEDS), st.sampled_from([3, 2, 1, 0]), gaps),
        min_size=10,
        max_size=30,
    )
)
def test_nothing_others_do_takes_an_owners_code(
    store: PlainStore, deeds: list[tuple[tuple[str, str], int, int]]
) -> None:
    crowd = Crowd(store)
    for (name, does), tries, gap in deeds:
        crowd.act(name, does, tries)
        store.conn.execute("SAVEPOINT before")  # the owner's own requests are rolled back
        assert isinstance(crowd.money(crowd.owner), Issued)
        assert isinstance(crowd.money(crowd.owner), Issued)
        store.conn.execute("ROLLBACK TO before")
        store.wait(seconds=gap)


@FIXTURES
@given(st.lists(st.tuples(st.sampled_from(NAMES), gaps), max_size=40))
def test_a_number_is_sent_few_codes_whoever_names_it(
    store: PlainStore, asked: list[tuple[str, int]]
) -> None:
    crowd = Crowd(store)
    for name, gap in asked:
        crowd.proof(name, PHONE)
        store.wait(seconds=gap)
    for within, most, reserved in ((HOUR, 5, 2), (DAY, 10, 5)):
        for start, _ in crowd.to_owner:
            of = [name for at, name in crowd.to_owner if start <= at < start + within]
            assert len(of) <= most + reserved * (len(set(of)) - 1)
            assert all(of.count(name) <= most for name in of)


@FIXTURES
@given(
    st.lists(st.tuples(st.sampled_from(NAMES[:3]), gaps), min_size=5, max_size=40),
)
def test_nothing_others_ask_for_keeps_a_number_from_being_proved_by_whose_it_is(
    store: PlainStore, asked: list[tuple[str, int]]
) -> None:
    crowd = Crowd(store)
    for name, gap in asked:
        crowd.proof(name, PHONE)
        store.conn.execute("SAVEPOINT before")
        assert isinstance(crowd.proof("rival", PHONE), Issued)
        assert isinstance(crowd.proof("rival", PHONE), Issued)
        store.conn.execute("ROLLBACK TO before")
        store.wait(seconds=gap)


@FIXTURES
@given(
    proves=st.booleans(),
    codes=st.lists(
        st.tuples(
            st.sampled_from([2, 2, 3, 1, 0]), st.sampled_from(["cancelled", "right", "left"]), gaps
        ),
        min_size=10,
        max_size=40,
    ),
)
def test_wrong_tries_of_a_day_come_to_a_lock_however_their_codes_end(
    store: PlainStore, proves: bool, codes: list[tuple[int, str, int]]
) -> None:
    crowd = Crowd(store)
    rival = crowd.people["rival"]
    who = ("telegram", "rival") if proves else rival.phone
    wrong_at: list[datetime] = []

    def is_locked() -> bool:
        return store.do(lambda tx: otp.is_locked(tx, who))

    for number, (tries, end, gap) in enumerate(codes):
        phone = Phone(f"2547330000{number:02d}")
        issued = crowd.proof("rival", phone) if proves else crowd.money(rival)
        if isinstance(issued, Refusal):
            store.wait(seconds=gap)
            continue
        for _ in range(tries):
            assert not is_locked()
            wrong_at.append(store.now)
            answer = crowd.wrong(issued)
            of_day, of_living = (
                sum(store.now - at < within for at in wrong_at) for within in (DAY, DAY + LIFE)
            )
            assert is_locked() if of_day >= WRONG_MAX else not is_locked() or of_living >= WRONG_MAX
            if answer.status is not OtpStatus.PENDING:
                break
        store.wait(seconds=min(gap, 300))
        if end == "cancelled":
            store.do(lambda tx, of=issued.otp.binding.operation: otp.revoke(tx, of))  # type: ignore[misc]
        elif end == "right":
            store.do(lambda tx, of=issued: otp.validate(tx, KEYS, of.otp.binding, of.code))  # type: ignore[misc]
        store.wait(seconds=gap)
        if is_locked():
            assert isinstance(
                crowd.proof("rival", PHONE) if proves else crowd.money(rival), Refusal
            )
            store.do(lambda tx: otp.unlock(tx, who, "admin"))
            wrong_at.clear()
            store.wait(seconds=1)


@FIXTURES
@given(
    st.lists(
        st.tuples(st.sampled_from((*NAMES, "owner")), st.integers(1, 2_000), gaps), max_size=60
    )
)
def test_prompts_to_a_phone_are_bounded_over_partners_and_its_owner_keeps_the_own(
    store: PlainStore, asked: list[tuple[str, int, int]]
) -> None:
    crowd = Crowd(store)
    begun: dict[bool, list[datetime]] = {True: [], False: []}
    for number, (name, shillings, gap) in enumerate(asked):
        person = crowd.people.get(name, crowd.owner)
        own = name == "owner"
        result = store.do(
            lambda tx, who=person, n=number, cents=shillings * 100: topups.start(  # type: ignore[misc]
                tx, crowd.random, who, "terminal", who.name, f"e{n}", Money(cents), PHONE,
                policy=POLICY, again=True,
            )
        )  # fmt: skip
        recent = sum(store.now - at < HOUR for at in begun[own])
        assert isinstance(result, TopUp) == (recent < (8 if own else 3))
        if isinstance(result, TopUp):
            begun[own].append(store.now)
        store.wait(seconds=gap)
