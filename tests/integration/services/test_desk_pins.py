"""A desk PIN is set by a code, counts wrong tries, and approves exactly what was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services import access_removal, desk_pins
from services.desk_pins import ChangeOver, Chosen, Different, NotPassed, PinSet
from services.domain.money import Money
from services.domain.otp import Binding, OtpStatus, Purpose
from services.domain.refusal import Refusal
from services.otp import Issued, Passed
from tests.kit.desk_pins import NEW, PIN, WRONG, PinHolder
from tests.kit.plain_store import OTHER_PHONE, PlainStore
from tests.kit.refusals import REFUSED
from tests.kit.stored_rows import every_row


@pytest.fixture
def holder(store: PlainStore) -> PinHolder:
    store.undo()
    return PinHolder(store)


# Setting one


def test_it_is_typed_twice_and_stored_as_a_digest(holder: PinHolder) -> None:
    holder.set()
    stored = holder.stored
    assert stored is not None
    assert (stored.wrong, stored.is_locked, len(stored.digest)) == (0, False, 64)
    assert f"'{PIN}'" not in every_row(holder.store.conn)
    assert holder.check(PIN) == Passed()


def test_the_second_typing_must_be_the_first(holder: PinHolder) -> None:
    change = holder.proved()
    assert holder.choose(change, PIN) == Chosen()
    assert holder.repeat(change, WRONG) == Different()
    assert holder.repeat(change, PIN) == ChangeOver()  # it is typed anew from the first
    assert holder.stored is None
    assert holder.choose(change, WRONG) == Chosen()
    assert holder.repeat(change, WRONG) == PinSet()
    assert holder.check(WRONG) == Passed()


@pytest.mark.parametrize(
    ("pin", "refusal"),
    [
        ("4444", "pin_same"),
        ("6789", "pin_run"),
        ("2727", "pin_pairs"),
        ("1984", "pin_year"),
        ("0712", "pin_number"),
    ],
)
def test_a_weak_one_is_refused_and_another_may_be_typed(
    holder: PinHolder, pin: str, refusal: str
) -> None:
    change = holder.proved()
    assert holder.choose(change, pin) == Refusal(refusal)
    assert holder.choose(change, PIN) == Chosen()


def test_the_code_typed_once_more_is_no_pin(holder: PinHolder) -> None:
    issued = holder.begin()
    change = issued.otp.binding.operation
    assert holder.prove(change, issued.code) == Passed()
    assert holder.choose(change, issued.code) == Refusal("pin_is_code")


def test_the_time_for_it_ends_to_the_second(holder: PinHolder) -> None:
    change = holder.proved()
    holder.store.wait(minutes=10, milliseconds=-1)
    assert holder.choose(change, PIN) == Chosen()
    holder.store.wait(milliseconds=1)
    assert holder.repeat(change, PIN) == ChangeOver()
    assert holder.stored is None


def test_a_newer_change_ends_the_one_before(holder: PinHolder) -> None:
    first, second = holder.proved(), holder.proved()
    assert holder.choose(first, PIN) == ChangeOver()
    assert holder.choose(second, PIN) == Chosen()


def test_nothing_can_be_chosen_before_the_code(holder: PinHolder) -> None:
    issued = holder.begin()
    assert holder.choose(issued.otp.binding.operation, PIN) == ChangeOver()


def test_nobody_goes_on_with_anothers_change(holder: PinHolder) -> None:
    change, person = holder.proved(), holder.person
    holder.person = replace(person, id=person.id + 100)
    assert holder.choose(change, PIN) == ChangeOver()
    holder.store.do(lambda tx: desk_pins.cancel(tx, holder.person, change))
    holder.person = person
    assert holder.choose(change, PIN) == Chosen()


def test_a_cancelled_change_is_over_with_its_code(holder: PinHolder) -> None:
    issued = holder.begin()
    change = issued.otp.binding.operation
    holder.store.do(lambda tx: desk_pins.cancel(tx, holder.person, change))
    newest = holder.store.tx.otps.newest(change)
    assert newest is not None
    assert newest.status is OtpStatus.REVOKED
    change = holder.proved()
    holder.store.do(lambda tx: desk_pins.cancel(tx, holder.person, change))
    assert holder.choose(change, PIN) == ChangeOver()


@pytest.mark.parametrize(
    ("field", "refusal"),
    [
        ("phone_changed_at", "frozen"),
        ("email_changed_at", "frozen"),
        ("frozen_since", "account_rests"),
    ],
)
def test_whoever_rests_sets_none(holder: PinHolder, field: str, refusal: str) -> None:
    change, person = holder.proved(), holder.person
    rests = replace(person, **{field: holder.store.now})
    holder.person = rests
    for answer in (holder.ask(), holder.choose(change, PIN)):
        assert isinstance(answer, Refusal)
        assert answer.code == refusal
    assert holder.choose(change, PIN) == ChangeOver()  # the change has ended
    holder.store.wait(hours=24)
    assert isinstance(holder.ask(), Issued)


def test_its_codes_have_a_quota_of_their_own(holder: PinHolder) -> None:
    for _ in range(5):
        holder.begin()
    answer = holder.ask()
    assert isinstance(answer, Refusal)
    assert answer.code == "otp_too_many"


# Typing it


def test_three_wrong_ones_in_a_row_lock_it_until_a_new_one_is_set(holder: PinHolder) -> None:
    holder.set()
    answers = [holder.check(WRONG) for _ in range(3)]
    assert answers == [NotPassed(2), NotPassed(1), NotPassed(0)]
    assert [answer.locked for answer in answers if isinstance(answer, NotPassed)] == [
        False,
        False,
        True,
    ]
    assert holder.check(PIN) == Refusal("pin_locked")
    holder.store.wait(days=30)
    assert holder.check(PIN) == Refusal("pin_locked")
    holder.set(WRONG)
    assert holder.check(WRONG) == Passed()


def test_a_right_one_gives_the_tries_back(holder: PinHolder) -> None:
    holder.set()
    for _ in range(4):
        assert holder.check(WRONG) == NotPassed(2)
        assert holder.check(WRONG) == NotPassed(1)
        assert holder.check(PIN) == Passed()


def test_without_one_nothing_is_counted(holder: PinHolder) -> None:
    assert holder.check(PIN) == Refusal("pin_none")


def test_it_is_frozen_with_the_number(holder: PinHolder) -> None:
    holder.set()
    holder.person = replace(holder.person, phone_changed_at=holder.store.now)
    answer = holder.check(WRONG)
    assert isinstance(answer, Refusal)
    assert answer.code == "frozen"
    holder.store.wait(hours=24)
    assert holder.check(WRONG) == NotPassed(2)  # the one before was not counted


def test_a_new_key_takes_over_with_the_next_right_one(holder: PinHolder) -> None:
    holder.set()
    holder.keys = NEW
    assert holder.check(PIN) == Passed()
    assert holder.stored is not None
    assert holder.stored.pepper_id == "2"
    assert holder.check(PIN) == Passed()


def test_it_ends_with_the_right_to_move_money(holder: PinHolder) -> None:
    holder.set()
    holder.store.do(lambda tx: access_removal.remove_rights(tx, holder.person))
    assert holder.stored is None


# What it approves


def binding(holder: PinHolder, operation: str = "TU-222222", cents: int = 500_00) -> Binding:
    return Binding(
        Purpose.WALLET_TOPUP,
        operation,
        "DEMO",
        holder.person.id,
        Money(cents),
        OTHER_PHONE.msisdn,
    )


def approve(holder: PinHolder, one: Binding, pin: str = PIN) -> Passed | NotPassed | Refusal:
    return holder.store.do(
        lambda tx: desk_pins.approve(tx, holder.keys, holder.policy, holder.person, one, pin)
    )


def test_it_approves_what_was_asked_once_and_nothing_else(holder: PinHolder) -> None:
    holder.set()
    asked = binding(holder)
    holder.store.do(lambda tx: desk_pins.ask(tx, asked))
    tx = holder.store.tx
    assert not desk_pins.is_approved(tx, asked)
    assert approve(holder, asked, WRONG) == NotPassed(2)
    assert not desk_pins.is_approved(tx, asked)
    assert approve(holder, binding(holder, cents=900_00)) == Refusal("pin_other")
    assert approve(holder, asked) == Passed()
    assert desk_pins.is_approved(tx, asked)
    assert not desk_pins.is_approved(tx, binding(holder, cents=900_00))
    assert approve(holder, asked) == Refusal("pin_other")


def test_what_it_approved_is_never_edited_nor_deleted(holder: PinHolder) -> None:
    holder.set()
    approve(holder, binding(holder))
    for sql in (
        "UPDATE pin_approvals SET amount_cents = 1",
        "UPDATE pin_approvals SET approved_at = NULL",
        "DELETE FROM pin_approvals",
    ):
        with pytest.raises(REFUSED, match="PIN approve"):
            holder.store.run(sql)


def test_what_was_begun_and_never_finished_is_deleted(holder: PinHolder) -> None:
    holder.set()
    change = holder.proved()
    asked, approved = binding(holder, "TU-333333"), binding(holder, "TU-444444")
    holder.store.do(lambda tx: desk_pins.ask(tx, asked))
    approve(holder, approved)
    holder.store.wait(days=1, milliseconds=1)
    gone = holder.store.do(lambda tx: tx.desk_pins.delete_before(tx.now - timedelta(days=1), 100))
    tx = holder.store.tx
    assert (gone, tx.desk_pins.change(change)) == (1, None)
    assert tx.desk_pins.partner_of("TU-333333") is None
    assert tx.desk_pins.partner_of("TU-444444") == "DEMO"
