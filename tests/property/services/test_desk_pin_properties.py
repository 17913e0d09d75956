"""However a PIN is typed: three wrong ones in a row lock it, and a right one starts anew."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services import desk_pins
from services.desk_pins import NotPassed
from services.domain.desk_pin import TRIES_MAX, digest, find_weakness, read_pin
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.otp import Passed
from tests.kit.desk_pins import PIN, PinHolder
from tests.kit.plain_store import PHONE, PlainStore

pins = st.from_regex(r"\A[0-9]{4,6}\Z")
people = st.integers(min_value=1, max_value=10**9)
phones = st.from_regex(r"\A254[17][0-9]{8}\Z").map(Phone)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([PIN, "9731", "97318", "000000"]), max_size=14))
def test_three_wrong_ones_in_a_row_always_lock_and_no_fourth_is_compared(
    store: PlainStore, typed: list[str]
) -> None:
    store.undo()
    holder = PinHolder(store)
    holder.set()
    wrong = 0
    for pin in typed:
        answer = holder.check(pin)
        if wrong == TRIES_MAX:
            assert answer == Refusal("pin_locked")
            continue
        wrong = 0 if pin == PIN else wrong + 1
        assert answer == (Passed() if pin == PIN else NotPassed(TRIES_MAX - wrong))
        stored = holder.stored
        assert stored is not None
        assert (stored.wrong, stored.is_locked) == (wrong, wrong == TRIES_MAX)


@given(pins, people, people)
def test_a_digest_is_of_one_person_and_one_pin(pin: str, one: int, other: int) -> None:
    pepper = b"pepper" * 6
    assert (digest(pepper, one, pin) == digest(pepper, other, pin)) == (one == other)


@given(pins, phones)
def test_what_may_be_chosen_is_no_first_guess(pin: str, own: Phone) -> None:
    assert read_pin(pin) == pin
    if find_weakness(pin, own) is not None:
        return
    assert len(set(pin)) > 1
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    assert steps not in ({1}, {-1}, {0})
    assert pin not in own.msisdn
    assert pin not in f"0{own.msisdn[3:]}"
    assert not (len(pin) == 4 and "1900" <= pin <= "2029")


@given(pins)
def test_a_weak_one_is_refused_by_name(store: PlainStore, pin: str) -> None:
    store.undo()
    person = store.person()
    refusal = desk_pins.check_choice(person, pin)
    weakness = find_weakness(pin, PHONE)
    assert refusal == (None if weakness is None else Refusal(f"pin_{weakness}"))
