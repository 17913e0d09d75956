"""What a quote fixes, and when a purchase is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services import spending
from services.domain.fees import FeeKind
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.float_quotes import Requoted
from services.otp import NotPassed
from services.policy import Policy
from services.spending import CodeSent
from tests.kit.float_buyer import (
    AMOUNT,
    SUCCESS,
    WALLET,
    FloatBuyer,
    S,
    in_state,
    short_meanwhile,
    spend,
)
from tests.kit.plain_store import OTHER_PHONE
from tests.kit.refusals import REFUSED

# Quotes -----------------------------------------------------------------------------------------


def test_another_amount_for_the_same_quote_keeps_it(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    assert buyer.quote(Money(500_000), changes=reference) == reference
    assert len(buyer.store.tx.purchases.every()) == 1


def test_a_quote_that_was_left_ends_when_another_begins(buyer: FloatBuyer) -> None:
    left = buyer.quote()
    buyer.store.wait(minutes=40)
    new = buyer.quote()
    assert buyer.get(left).state is PurchaseState.CANCELLED
    assert buyer.get(new).created_at == buyer.store.now
    assert buyer.quote(address="2") not in (left, new)
    assert buyer.get(new).state is PurchaseState.QUOTED


def test_a_quote_is_shown_anew_after_ten_minutes(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    buyer.store.wait(minutes=10)
    again = buyer.confirm(reference)
    assert isinstance(again, Requoted)
    assert again.purchase == buyer.get(reference)
    assert again.purchase.quoted_at == buyer.store.now
    assert buyer.store.count("SELECT count(*) FROM otp_validations") == 0
    assert isinstance(buyer.confirm(reference), CodeSent)


def test_a_quote_binds_until_just_before_ten_minutes(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    buyer.store.wait(minutes=10, milliseconds=-1)
    assert isinstance(buyer.confirm(reference), CodeSent)


def test_a_quote_that_is_not_old_is_left_alone(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    buyer.store.wait(hours=1)
    assert buyer.store.do(lambda tx: spending.drop_stale_quotes(tx, timedelta(hours=1))) == 0
    assert buyer.get(reference).state is S.QUOTED


def test_a_yes_to_something_else_than_was_quoted_is_shown_anew(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    shown = buyer.get(reference).quote
    buyer.quote(Money(500_000), changes=reference)
    answer = buyer.confirm(reference, shown)
    assert isinstance(answer, Requoted)
    assert answer.purchase.quote == shown


@pytest.mark.parametrize("change", ["short_code", "phone"])
def test_a_yes_after_destination_or_phone_changed_is_shown_anew(
    buyer: FloatBuyer, change: str
) -> None:
    reference = buyer.quote()
    if change == "phone":
        buyer.person = replace(buyer.person, phone=OTHER_PHONE)
    else:
        buyer.policy = replace(buyer.policy, short_code="400999")
    answer = buyer.confirm(reference)
    assert isinstance(answer, Requoted)
    assert answer.purchase.short_code == buyer.policy.short_code
    assert answer.purchase.phone == buyer.person.phone


def test_a_change_of_fees_keeps_the_quote_that_was_shown(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    frozen = buyer.get(reference).quote
    buyer.store.wait(seconds=1)
    buyer.fee(FeeKind.TRANSFER, fixed=90_000)
    assert isinstance(buyer.confirm(reference), CodeSent)
    buyer.type(reference)
    assert buyer.get(reference).quote == frozen
    buyer.answered(buyer.submitting(reference), SUCCESS)
    assert buyer.posted(AccountKind.TRANSFER_FEE) == 5_000
    other = buyer.get(buyer.quote()).quote
    assert (other.transfer_fee, other.transfer_version) == (Money(90_000), 2)


def test_a_confirmed_quote_cannot_be_edited_even_by_mistake(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.OTP_SENT)
    purchase = buyer.get(reference)
    dearer = replace(purchase.quote, transfer_fee=Money(1))
    with pytest.raises(REFUSED, match="never edited"):
        buyer.store.do(lambda tx: tx.purchases.save(replace(purchase, quote=dearer)))
    more = replace(purchase.quote, amount=Money(100))
    with pytest.raises(REFUSED, match="never edited"):
        buyer.store.do(lambda tx: tx.purchases.save(replace(purchase, quote=more)))


def test_one_event_never_begins_two(buyer: FloatBuyer) -> None:
    buyer.coded()
    buyer.events -= 1
    with pytest.raises(REFUSED, match="idempotency_key"):
        buyer.request()


# Refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cents", "refusal"),
    [
        (0, Refusal.of("float_least", minimum=Money(1_000))),
        (-100, Refusal.of("float_least", minimum=Money(1_000))),
        (900, Refusal.of("float_least", minimum=Money(1_000))),
        (100_050, Refusal("part_shillings")),
        (25_000_100, Refusal.of("float_most", maximum=Money(25_000_000))),
    ],
)
def test_an_amount_out_of_bounds_is_refused(
    buyer: FloatBuyer, cents: int, refusal: Refusal
) -> None:
    assert buyer.request(Money(cents)) == refusal
    assert buyer.store.tx.purchases.every() == []


def test_a_desk_without_a_short_code_sells_none(buyer: FloatBuyer) -> None:
    buyer.policy = Policy()
    assert buyer.request() == Refusal("float_not_set_up")


def test_a_suspended_partner_buys_none(buyer: FloatBuyer) -> None:
    buyer.person = buyer.store.person("SUSP", suspended=True)
    assert buyer.request() == Refusal.of("suspended", partner="SUSP")


def test_too_little_says_how_many_shillings_are_missing(buyer: FloatBuyer) -> None:
    total = Money(3_000_000 + 5_000 + 3_000)
    assert buyer.request(WALLET) == Shortfall(total, WALLET, Money(8_000))
    assert buyer.store.tx.purchases.every() == []


def test_money_taken_before_the_yes_is_short(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    spend(buyer, 2_500_000)
    assert isinstance(buyer.confirm(reference), Shortfall)
    assert buyer.get(reference).state is S.QUOTED


def test_money_taken_while_the_code_is_out_refuses_and_spends_the_code(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.OTP_SENT)
    short_meanwhile(buyer, reference)
    purchase = buyer.get(reference)
    assert (purchase.state, purchase.reason) == (S.REFUSED, "short")
    newest = buyer.store.tx.otps.newest(reference)
    assert newest is not None
    assert newest.status is OtpStatus.USED
    assert buyer.phases(reference) == []


def test_held_money_is_not_available_to_another(buyer: FloatBuyer) -> None:
    in_state(buyer, S.UNKNOWN)
    assert isinstance(buyer.request(Money(2_000_000)), Shortfall)
    assert isinstance(buyer.request(Money(1_900_000)), Purchase)


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (S.OTP_SENT, False),
        (S.AUTHORISED, True),
        (S.SUBMITTING, True),
        (S.UNKNOWN, True),
        (S.SUCCEEDED, True),
        (S.FAILED, False),
        (S.CANCELLED, False),
    ],
)
def test_what_counts_for_the_day(buyer: FloatBuyer, state: PurchaseState, counts: bool) -> None:
    in_state(buyer, state)
    buyer.limit("float.day", Money(1_500_000))
    left = Money(500_000 if counts else 1_500_000)
    assert buyer.request(left + Money(100), "2") == Refusal.of(
        "float_day", maximum=Money(1_500_000), left=left
    )
    assert isinstance(buyer.request(left, "2"), Purchase)


def test_a_partners_own_limit_comes_before_everybodys(buyer: FloatBuyer) -> None:
    buyer.limit("float.day", Money(100_000))
    buyer.limit("float.day", Money(1_000_000), "DEMO")
    assert isinstance(buyer.request(), Purchase)
    buyer.person = buyer.store.person("ACME")
    buyer.fund(partner="ACME")
    assert buyer.request(address="2") == Refusal.of(
        "float_day", maximum=Money(100_000), left=Money(100_000)
    )


def test_the_desks_limit_counts_all_partners_and_tells_no_numbers(buyer: FloatBuyer) -> None:
    in_state(buyer, S.SUCCEEDED)
    buyer.limit("float.day.desk", Money(1_500_000))
    buyer.person = buyer.store.person("ACME")
    buyer.fund(partner="ACME")
    assert buyer.request(Money(500_100), "2") == Refusal("float_day_desk")
    assert isinstance(buyer.request(Money(500_000), "2"), Purchase)


def test_a_limit_lowered_below_what_was_bought_leaves_nothing(buyer: FloatBuyer) -> None:
    in_state(buyer, S.SUCCEEDED)
    buyer.limit("float.day", Money(100_000))
    assert buyer.request(Money(1_000)) == Refusal.of(
        "float_day", maximum=Money(100_000), left=Money(0)
    )


def test_a_day_begins_at_midnight_in_nairobi(buyer: FloatBuyer) -> None:
    buyer.store.now = datetime(2026, 3, 2, 20, 59, tzinfo=UTC)
    in_state(buyer, S.SUCCEEDED)
    buyer.limit("float.day", AMOUNT)
    assert isinstance(buyer.request(Money(1_000)), Refusal)
    buyer.store.now = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
    assert isinstance(buyer.request(), Purchase)


def test_the_days_limit_is_asked_again_at_the_yes_and_at_the_code(buyer: FloatBuyer) -> None:
    one, other, third = (buyer.quote(address=str(n)) for n in range(3))
    buyer.confirm(one)
    buyer.confirm(other)
    buyer.limit("float.day", AMOUNT)
    buyer.type(one)
    buyer.type(other)
    assert buyer.get(one).state is S.AUTHORISED
    assert (buyer.get(other).state, buyer.get(other).reason) == (S.REFUSED, "float_day")
    refused = buyer.confirm(third)
    assert isinstance(refused, Refusal)
    assert refused.code == "float_day"


def test_purchases_rest_after_a_change_of_phone(buyer: FloatBuyer) -> None:
    changed_at = buyer.store.now
    reference = in_state(buyer, S.OTP_SENT)
    buyer.person = replace(buyer.person, phone_changed_at=changed_at)
    until = changed_at + timedelta(hours=24)
    assert buyer.request(address="2") == Refusal.of("frozen", until=until)
    buyer.type(reference)
    assert (buyer.get(reference).state, buyer.get(reference).reason) == (S.REFUSED, "frozen")
    buyer.store.now = until - timedelta(milliseconds=1)
    assert isinstance(buyer.request(), Refusal)
    buyer.store.now = until
    assert isinstance(buyer.request(), Purchase)


def test_a_phone_locked_for_its_codes_buys_none(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.OTP_SENT)
    buyer.store.do(lambda tx: tx.otps.lock(buyer.person.phone))
    assert buyer.request(address="2") == Refusal("otp_locked")
    buyer.type(reference)
    assert (buyer.get(reference).state, buyer.get(reference).reason) == (S.REFUSED, "otp_locked")


@pytest.mark.parametrize("partner", ["DEMO", "ACME"])
def test_another_persons_purchase_is_out_of_reach(buyer: FloatBuyer, partner: str) -> None:
    reference = in_state(buyer, S.OTP_SENT)
    before, owner = buyer.get(reference), buyer.person
    buyer.person = replace(
        buyer.store.person("ACME") if partner == "ACME" else owner, id=owner.id + 100
    )
    over = Refusal("float_over")
    assert (buyer.resend(reference), buyer.type(reference)) == (over, over)
    assert (buyer.confirm(reference), buyer.cancel(reference)) == (over, None)
    assert buyer.get(reference) == before
    buyer.person = owner
    assert isinstance(buyer.type(reference), Purchase)


def test_a_person_who_moved_to_another_partner_leaves_it_behind(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.OTP_SENT)
    acme: Person = buyer.store.person("ACME")
    buyer.person = replace(buyer.person, partner=acme.partner)
    assert buyer.type(reference) == Refusal("float_over")


def test_an_unknown_reference_is_over(buyer: FloatBuyer) -> None:
    over = Refusal("float_over")
    assert buyer.type("FL-NOSUCH", "123456") == over
    assert buyer.resend("FL-NOSUCH") == over
    assert buyer.cancel("FL-NOSUCH") is None


def test_a_wrong_code_leaves_it_open_and_a_new_one_kills_the_old(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.OTP_SENT)
    assert buyer.mistype(reference) == NotPassed(OtpStatus.PENDING, 2)
    assert buyer.get(reference).state is S.OTP_SENT
    old = buyer.codes[reference]
    buyer.store.wait(seconds=30)
    assert isinstance(buyer.resend(reference), CodeSent)
    assert buyer.type(reference, old) == NotPassed(OtpStatus.PENDING, 2)
    buyer.type(reference)
    assert buyer.get(reference).state is S.AUTHORISED


def test_a_right_code_typed_twice_holds_once(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    assert buyer.type(reference) == buyer.get(reference)
    assert len(buyer.phases(reference)) == 3


def test_cancelling_kills_the_code(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.CANCELLED)
    newest = buyer.store.tx.otps.newest(reference)
    assert newest is not None
    assert newest.status is OtpStatus.REVOKED
