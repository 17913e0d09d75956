"""Float is bought with a desk PIN under the same conditions as with a code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services import desk_pins, float_by_pin
from services.approvals import AwaitingApproval
from services.desk_pins import NotPassed
from services.domain.approval import Decision
from services.domain.float_purchase import PurchaseState
from services.domain.money import Money
from services.domain.refusal import Refusal
from services.domain.spending import binding
from tests.kit.desk_pins import PIN, WRONG
from tests.kit.float_buyer import AMOUNT, FloatBuyer, S, spend
from tests.kit.float_by_pin import confirm, confirmed, set_pin, three_wrong, type_pin
from tests.kit.stored_rows import every_row


def test_a_right_pin_holds_the_money_and_records_what_it_approved(buyer: FloatBuyer) -> None:
    reference = confirmed(buyer)
    bought = type_pin(buyer, reference)
    assert bought == buyer.get(reference)
    assert buyer.get(reference).state is S.AUTHORISED
    tx = buyer.store.tx
    assert desk_pins.is_approved(tx, binding(buyer.get(reference)))
    assert tx.otps.newest(reference) is None


def test_a_wrong_pin_leaves_it_open_and_the_third_ends_it(buyer: FloatBuyer) -> None:
    reference = confirmed(buyer)
    assert type_pin(buyer, reference, WRONG) == NotPassed(2)
    assert type_pin(buyer, reference, WRONG) == NotPassed(1)
    assert buyer.get(reference).state is S.QUOTED
    assert type_pin(buyer, reference, WRONG) == NotPassed(0)
    ended = buyer.get(reference)
    assert (ended.state, ended.reason) == (S.REFUSED, "desk_pin_locked")
    assert type_pin(buyer, reference) == ended
    another = buyer.quote()
    assert confirm(buyer, another) == Refusal("pin_locked")


def test_the_pin_is_asked_for_ten_minutes_from_the_yes(buyer: FloatBuyer) -> None:
    set_pin(buyer)
    reference = buyer.quote()
    buyer.store.wait(minutes=9)
    confirm(buyer, reference)
    buyer.store.wait(minutes=10, milliseconds=-1)
    assert type_pin(buyer, reference, WRONG) == NotPassed(2)
    buyer.store.wait(milliseconds=1)
    ended = type_pin(buyer, reference)
    assert ended == buyer.get(reference)
    assert (buyer.get(reference).state, buyer.get(reference).reason) == (S.REFUSED, "quote_over")
    pin = buyer.store.tx.desk_pins.find(buyer.person.id)
    assert pin is not None
    assert pin.wrong == 1  # what came too late was not compared


def test_what_no_pin_may_approve_is_refused_before_it_is_asked_for(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    assert confirm(buyer, reference) == Refusal("pin_none")
    set_pin(buyer)
    buyer.policy = replace(buyer.policy, ussd_float_max=AMOUNT - Money(1_00))
    refused = confirm(buyer, reference)
    assert refused == Refusal.of("float_most_ussd", maximum=AMOUNT - Money(1_00))
    assert type_pin(buyer, reference) == refused
    buyer.policy = replace(buyer.policy, ussd_float_max=AMOUNT)
    assert confirm(buyer, reference) == buyer.get(reference)


def test_another_persons_purchase_is_not_approved(buyer: FloatBuyer) -> None:
    reference = confirmed(buyer)
    buyer.person = replace(buyer.person, id=buyer.person.id + 100)
    assert type_pin(buyer, reference) == Refusal("float_over")


def test_a_right_pin_with_too_little_money_ends_it(buyer: FloatBuyer) -> None:
    reference = confirmed(buyer)
    spend(buyer, 2_500_000)
    type_pin(buyer, reference)
    ended = buyer.get(reference)
    assert (ended.state, ended.reason) == (S.REFUSED, "short")
    assert buyer.phases(reference) == []


def test_a_limit_set_meanwhile_holds(buyer: FloatBuyer) -> None:
    reference = confirmed(buyer)
    buyer.limit("float.day", Money(100))
    type_pin(buyer, reference)
    assert buyer.get(reference).state is S.REFUSED


def test_a_large_one_waits_for_a_colleague_first(buyer: FloatBuyer) -> None:
    set_pin(buyer)
    reference = buyer.quote()
    buyer.needs_a_second()
    assert isinstance(confirm(buyer, reference), AwaitingApproval)
    buyer.decides(reference, Decision.APPROVED)
    assert confirm(buyer, reference) == buyer.get(reference)
    assert buyer.get(reference).state is S.AWAITING_APPROVAL
    type_pin(buyer, reference)
    assert buyer.get(reference).state is S.AUTHORISED


def test_one_that_needs_a_colleague_since_is_not_bought(buyer: FloatBuyer) -> None:
    reference = confirmed(buyer)
    buyer.needs_a_second()
    type_pin(buyer, reference)
    ended = buyer.get(reference)
    assert (ended.state, ended.reason) == (S.REFUSED, "second_needed")


def test_an_approval_that_is_too_old_buys_nothing(buyer: FloatBuyer) -> None:
    set_pin(buyer)
    reference = buyer.quote()
    buyer.needs_a_second()
    confirm(buyer, reference)
    buyer.decides(reference, Decision.APPROVED)
    buyer.store.wait(hours=23, minutes=59)
    confirm(buyer, reference)
    buyer.store.wait(minutes=1)
    type_pin(buyer, reference)
    ended = buyer.get(reference)
    assert (ended.state, ended.reason) == (S.REFUSED, "second_unused")


@pytest.mark.parametrize("state", [S.OTP_SENT, S.CANCELLED, S.AUTHORISED])
def test_a_pin_begins_only_what_waits_for_one(buyer: FloatBuyer, state: PurchaseState) -> None:
    reference = confirmed(buyer)
    match state:
        case S.OTP_SENT:
            buyer.confirm(reference)
        case S.CANCELLED:
            buyer.cancel(reference)
        case _:
            type_pin(buyer, reference)
    before = buyer.get(reference)
    assert before.state is state
    assert type_pin(buyer, reference) == before
    assert buyer.get(reference) == before


def test_it_stands_as_it_is_until_its_time_is_over(buyer: FloatBuyer) -> None:
    reference = confirmed(buyer)
    person, store = buyer.person, buyer.store
    standing = store.do(lambda tx: float_by_pin.as_of_now(tx, person, reference))
    assert standing == buyer.get(reference)
    three_wrong(buyer, reference)
    ended = store.do(lambda tx: float_by_pin.as_of_now(tx, person, reference))
    assert ended == buyer.get(reference)
    assert PIN not in every_row(store.conn).replace(reference, "")
