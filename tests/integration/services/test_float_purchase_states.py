"""What a float purchase becomes when its person, its code, time or the bank says this or that."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services import approvals, float_purchases, float_settlement, otp
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.bank import (
    Failed,
    FloatAnswer,
    NoAnswer,
    NotSent,
    StatusAnswer,
    StillOpen,
)
from services.domain.fees import FeeKind
from services.domain.float_purchase import HOLDS, TRANSITIONS, Purchase, PurchaseState
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.partner import Person, Role
from services.domain.refusal import Refusal
from services.float_purchases import CodeSent, InsufficientFunds, Requoted
from services.float_settlement import PurchaseChange
from services.otp import NotPassed
from services.policy import Policy
from tests.kit.float_buyer import (
    AMOUNT,
    LEASE,
    NO_READABLE_ANSWER,
    REJECTED,
    SUCCESS,
    WALLET,
    FloatBuyer,
    in_state,
)
from tests.kit.plain_store import OTHER_PHONE, PlainStore

S = PurchaseState
NOT_SENT = NotSent("connection refused")
FAILED = Failed("Failed")
OPEN = StillOpen("no such transaction")
SILENCE = NoAnswer("read timeout")


@pytest.fixture
def buyer(fresh_store: PlainStore) -> Iterator[FloatBuyer]:
    buyer = FloatBuyer(fresh_store)
    buyer.fund()
    buyer.fee(FeeKind.TRANSFER, fixed=5_000)
    buyer.fee(FeeKind.PROCESSING, ppm=1_000)
    yield buyer
    assert fresh_store.tx.ledger.violations() == []


# Every arrow ------------------------------------------------------------------------------------


def _spend(buyer: FloatBuyer, cents: int) -> None:
    """Another purchase takes the money meanwhile."""
    reference = buyer.coded(Money(cents), address="2")
    purchase = buyer.type(reference)
    assert isinstance(purchase, Purchase)
    assert purchase.state is S.AUTHORISED


def _short_meanwhile(buyer: FloatBuyer, reference: str) -> None:
    _spend(buyer, 2_500_000)
    buyer.type(reference)


def _limit_meanwhile(buyer: FloatBuyer, reference: str) -> None:
    buyer.limit("float.day", Money(100))
    buyer.type(reference)


def _no_way(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.do(lambda tx: float_purchases.undeliverable(tx, reference))


def _three_wrong(buyer: FloatBuyer, reference: str) -> None:
    for _ in range(3):
        buyer.mistype(reference)


def _typed_late(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(minutes=10)
    buyer.type(reference)


def _asked_for_another_late(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(minutes=10)
    buyer.resend(reference)


def _swept(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(minutes=10)
    references, _ = buyer.store.do(lambda tx: otp.clean_up(tx, timedelta(days=90), 500))
    assert references == [reference]
    buyer.store.do(lambda tx: float_purchases.expire(tx, list(references)))


def _cancelled(buyer: FloatBuyer, reference: str) -> None:
    assert buyer.cancel(reference) == buyer.get(reference)


def _forgotten(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(hours=1, milliseconds=1)
    assert buyer.store.do(lambda tx: float_purchases.drop_stale_quotes(tx, timedelta(hours=1))) == 1


def _token_fails_for_a_minute(buyer: FloatBuyer, reference: str) -> None:
    claimed = buyer.claim(reference)
    buyer.store.wait(seconds=60)
    buyer.answered(claimed, NOT_SENT)


def _nobody_comes_for_a_minute(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(seconds=60)
    buyer.scan()


def _lease_ends(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(seconds=LEASE.total_seconds())
    buyer.scan()


def _answer(answer: FloatAnswer) -> Callable[[FloatBuyer, str], object]:
    return lambda buyer, reference: buyer.answered(buyer.get(reference), answer)


def _say(answer: StatusAnswer) -> Callable[[FloatBuyer, str], object]:
    return lambda buyer, reference: buyer.asked(reference, answer)


def _unsent_for_a_minute(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(seconds=60)
    buyer.answered(buyer.get(reference), NOT_SENT)


def _asks_a_second(buyer: FloatBuyer, reference: str) -> None:
    buyer.needs_a_second()
    assert isinstance(buyer.confirm(reference), AwaitingApproval)


def _agreed(buyer: FloatBuyer, reference: str) -> None:
    assert buyer.decides(reference, Decision.APPROVED) == buyer.get(reference)


def _approved(buyer: FloatBuyer, reference: str) -> None:
    _agreed(buyer, reference)
    assert isinstance(buyer.confirm(reference), CodeSent)


def _approved_hours_later(buyer: FloatBuyer, reference: str) -> None:
    """The quote has run out meanwhile, but nothing that was shown is another."""
    buyer.store.wait(hours=23)
    _approved(buyer, reference)


def _fee_meanwhile(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(hours=1)
    _agreed(buyer, reference)
    buyer.fee(FeeKind.TRANSFER, 77_00)
    shown = buyer.get(reference).quote
    again = buyer.confirm(reference)
    assert isinstance(again, Requoted)
    assert again.purchase.quote.fees != shown.fees


def _declined(buyer: FloatBuyer, reference: str) -> None:
    assert buyer.decides(reference, Decision.DECLINED) == buyer.get(reference)
    assert buyer.decides(reference, Decision.APPROVED) == Refusal("approval_over")


def _ends(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(hours=24)
    assert buyer.confirm(reference) == Refusal("approval_over")
    ended = buyer.store.do(lambda tx: approvals.expire(tx, 10))
    assert ended == [buyer.get(reference)]


def _nobody_decides(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(hours=24)
    assert buyer.decides(reference, Decision.APPROVED) == Refusal("approval_over")
    buyer.store.wait(hours=-24)
    _ends(buyer, reference)


def _approved_and_left(buyer: FloatBuyer, reference: str) -> None:
    _agreed(buyer, reference)
    _ends(buyer, reference)


ARROWS: dict[tuple[PurchaseState, PurchaseState], list[Callable[[FloatBuyer, str], object]]] = {
    (S.QUOTED, S.QUOTED): [lambda buyer, reference: buyer.request(Money(500_000))],
    (S.QUOTED, S.OTP_SENT): [lambda buyer, reference: buyer.confirm(reference)],
    (S.QUOTED, S.CANCELLED): [_cancelled, _forgotten],
    (S.QUOTED, S.AWAITING_APPROVAL): [_asks_a_second],
    (S.AWAITING_APPROVAL, S.AWAITING_APPROVAL): [_fee_meanwhile],
    (S.AWAITING_APPROVAL, S.OTP_SENT): [_approved, _approved_hours_later],
    (S.AWAITING_APPROVAL, S.CANCELLED): [_cancelled],
    (S.AWAITING_APPROVAL, S.REFUSED): [_declined, _nobody_decides, _approved_and_left],
    (S.OTP_SENT, S.AUTHORISED): [lambda buyer, reference: buyer.type(reference)],
    (S.OTP_SENT, S.OTP_EXPIRED): [_typed_late, _asked_for_another_late, _swept],
    (S.OTP_SENT, S.OTP_LOCKED): [_three_wrong],
    (S.OTP_SENT, S.CANCELLED): [_cancelled],
    (S.OTP_SENT, S.REFUSED): [_short_meanwhile, _limit_meanwhile, _no_way],
    (S.AUTHORISED, S.SUBMITTING): [lambda buyer, reference: buyer.submitting(reference)],
    (S.AUTHORISED, S.FAILED): [_token_fails_for_a_minute, _nobody_comes_for_a_minute],
    (S.SUBMITTING, S.AUTHORISED): [_answer(NOT_SENT)],
    (S.SUBMITTING, S.SUCCEEDED): [_answer(SUCCESS)],
    (S.SUBMITTING, S.FAILED): [_answer(REJECTED), _unsent_for_a_minute],
    (S.SUBMITTING, S.UNKNOWN): [_answer(NO_READABLE_ANSWER), _lease_ends],
    (S.UNKNOWN, S.SUCCEEDED): [_say(SUCCESS)],
    (S.UNKNOWN, S.FAILED): [_say(FAILED)],
}


def test_every_arrow_has_a_way_to_walk_it() -> None:
    assert set(ARROWS) == {(state, to) for state, nexts in TRANSITIONS.items() for to in nexts}


@pytest.mark.parametrize(
    ("state", "to", "act"),
    [(state, to, act) for (state, to), acts in ARROWS.items() for act in acts],
    ids=lambda part: part.value if isinstance(part, PurchaseState) else "",
)
def test_an_arrow_is_walked(
    buyer: FloatBuyer,
    state: PurchaseState,
    to: PurchaseState,
    act: Callable[[FloatBuyer, str], object],
) -> None:
    reference = in_state(buyer, state)
    act(buyer, reference)
    assert buyer.get(reference).state is to
    held = sum(
        one.quote.total.cents for one in buyer.store.tx.purchases.every() if one.state in HOLDS
    )
    assert buyer.posted(AccountKind.WALLET) - buyer.available() == held


@pytest.mark.parametrize(
    "state", [s for s in S if s not in (S.QUOTED, S.AWAITING_APPROVAL, S.OTP_SENT)]
)
def test_what_is_past_its_code_takes_nothing_more_from_its_person(
    buyer: FloatBuyer, state: PurchaseState
) -> None:
    reference = in_state(buyer, state)
    before = buyer.get(reference)
    assert buyer.confirm(reference) == Refusal("float_over")
    assert buyer.resend(reference) == before
    assert buyer.type(reference) == before
    assert buyer.cancel(reference) is None
    assert buyer.store.do(lambda tx: float_purchases.undeliverable(tx, reference)) is None
    buyer.store.do(lambda tx: float_purchases.expire(tx, [reference]))
    assert buyer.get(reference) == before


@pytest.mark.parametrize("state", [s for s in S if s not in (S.SUBMITTING, S.UNKNOWN)])
@pytest.mark.parametrize("answer", [SUCCESS, REJECTED, NO_READABLE_ANSWER])
def test_an_answer_that_nobody_waits_for_settles_nothing(
    buyer: FloatBuyer, state: PurchaseState, answer: FloatAnswer
) -> None:
    reference = in_state(buyer, state)
    before = buyer.get(reference)
    assert buyer.answered(before, answer) is None
    assert buyer.get(reference) == before


# The second person ------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", [Decision.APPROVED, Decision.DECLINED])
def test_nobody_of_another_partner_decides_whatever_they_know(
    buyer: FloatBuyer, decision: Decision
) -> None:
    reference = in_state(buyer, S.AWAITING_APPROVAL)
    rival = replace(buyer.store.person("ACME"), phone=OTHER_PHONE)
    long_ago = buyer.store.now - timedelta(days=30)
    buyer.store.do(lambda tx: tx.people.link("terminal", "rival", rival.id, since=long_ago))
    decided = buyer.store.do(
        lambda tx: approvals.decide(tx, buyer.policy, rival, reference, decision)
    )
    assert decided == Refusal("approval_over")
    assert buyer.get(reference).state is S.AWAITING_APPROVAL
    assert isinstance(buyer.decides(reference, decision), Purchase)


# Holds ------------------------------------------------------------------------------------------


def test_holds_with_fees_are_posted_leg_by_leg(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    assert buyer.phases(reference) == [
        "float pending", "transfer_fee pending", "processing_fee pending",
    ]  # fmt: skip
    assert buyer.available() == 3_000_000 - 1_006_000
    settled = buyer.answered(buyer.submitting(reference), SUCCESS)
    assert settled == PurchaseChange(buyer.get(reference))
    assert buyer.posted(AccountKind.WALLET) == buyer.available() == 3_000_000 - 1_006_000
    assert buyer.posted(AccountKind.FLOAT) == buyer.posted(AccountKind.B2C_UTILITY) == 1_000_000
    assert buyer.posted(AccountKind.TRANSFER_FEE) == 5_000
    assert buyer.posted(AccountKind.PROCESSING_FEE) == 1_000
    assert buyer.posted(AccountKind.COLLECTION) == 2_000_000
    assert buyer.get(reference).bank_id == "B-1"


def test_holds_with_fees_are_let_go(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.FAILED)
    assert len(buyer.phases(reference)) == 6
    assert buyer.posted(AccountKind.WALLET) == buyer.available() == 3_000_000
    assert buyer.posted(AccountKind.FLOAT) == 0
    assert buyer.get(reference).reason == "bank_refused"


@pytest.mark.parametrize(
    ("state", "phases"),
    [
        (S.AUTHORISED, ["float pending"]),
        (S.SUCCEEDED, ["float pending", "float post", "float_moved single"]),
        (S.FAILED, ["float pending", "float void"]),
        (S.UNKNOWN, ["float pending"]),
    ],
)
def test_a_fee_of_nothing_has_no_row(
    buyer: FloatBuyer, state: PurchaseState, phases: list[str]
) -> None:
    buyer.store.wait(seconds=1)
    buyer.fee(FeeKind.TRANSFER)
    buyer.fee(FeeKind.PROCESSING)
    assert buyer.phases(in_state(buyer, state)) == phases


def test_all_of_the_wallet_may_be_spent_and_not_a_cent_more(buyer: FloatBuyer) -> None:
    buyer.fee(FeeKind.TRANSFER)
    buyer.fee(FeeKind.PROCESSING, fixed=1)
    short = buyer.request(WALLET)
    assert short == InsufficientFunds(Money(3_000_001), WALLET, Money(100))
    buyer.fee(FeeKind.PROCESSING)
    assert buyer.type(buyer.coded(WALLET)) == buyer.store.tx.purchases.newest()
    assert buyer.available() == 0


# Quotes -----------------------------------------------------------------------------------------


def test_a_second_request_takes_the_open_quote_over(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    assert buyer.quote(Money(500_000)) == reference
    assert len(buyer.store.tx.purchases.every()) == 1
    assert buyer.quote(address="2") != reference


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
    assert buyer.store.do(lambda tx: float_purchases.drop_stale_quotes(tx, timedelta(hours=1))) == 0
    assert buyer.get(reference).state is S.QUOTED


def test_a_yes_to_something_else_than_was_quoted_is_shown_anew(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    shown = buyer.get(reference).quote
    buyer.quote(Money(500_000))
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
    with pytest.raises(sqlite3.IntegrityError, match="never edited"):
        buyer.store.do(lambda tx: tx.purchases.save(replace(purchase, quote=dearer)))
    more = replace(purchase.quote, amount=Money(100))
    with pytest.raises(sqlite3.IntegrityError, match="never edited"):
        buyer.store.do(lambda tx: tx.purchases.save(replace(purchase, quote=more)))


def test_one_event_never_begins_two(buyer: FloatBuyer) -> None:
    buyer.coded()
    buyer.events -= 1
    with pytest.raises(sqlite3.IntegrityError, match="idempotency_key"):
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
    assert buyer.request(WALLET) == InsufficientFunds(total, WALLET, Money(8_000))
    assert buyer.store.tx.purchases.every() == []


def test_money_taken_before_the_yes_is_short(buyer: FloatBuyer) -> None:
    reference = buyer.quote()
    _spend(buyer, 2_500_000)
    assert isinstance(buyer.confirm(reference), InsufficientFunds)
    assert buyer.get(reference).state is S.QUOTED


def test_money_taken_while_the_code_is_out_refuses_and_spends_the_code(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.OTP_SENT)
    _short_meanwhile(buyer, reference)
    purchase = buyer.get(reference)
    assert (purchase.state, purchase.reason) == (S.REFUSED, "short")
    newest = buyer.store.tx.otps.newest(reference)
    assert newest is not None
    assert newest.status is OtpStatus.USED
    assert buyer.phases(reference) == []


def test_held_money_is_not_available_to_another(buyer: FloatBuyer) -> None:
    in_state(buyer, S.UNKNOWN)
    assert isinstance(buyer.request(Money(2_000_000)), InsufficientFunds)
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


# The bank ---------------------------------------------------------------------------------------


def test_what_was_not_sent_is_tried_every_five_seconds_for_a_minute(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    began, tries = buyer.store.now, []
    while buyer.get(reference).state is S.AUTHORISED:
        tries.append((buyer.store.now - began).total_seconds())
        buyer.answered(buyer.submitting(reference), NOT_SENT)
        due_at = buyer.get(reference).due_at
        assert due_at is not None
        buyer.store.now = due_at
        if buyer.store.now >= began + timedelta(seconds=60):
            buyer.scan()
    assert tries == [5.0 * n for n in range(12)]
    purchase = buyer.get(reference)
    assert (purchase.state, purchase.reason) == (S.FAILED, "bank_down")
    assert purchase.settled_at == began + timedelta(seconds=60)
    assert buyer.available() == 3_000_000


def test_what_was_not_sent_may_still_be_sent(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    buyer.answered(buyer.submitting(reference), NOT_SENT)
    buyer.store.wait(seconds=5)
    buyer.answered(buyer.submitting(reference), SUCCESS)
    assert buyer.get(reference).state is S.SUCCEEDED


def test_the_end_of_a_lease_leaves_it_unknown_with_its_holds(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.SUBMITTING)
    buyer.store.wait(seconds=LEASE.total_seconds(), milliseconds=-1)
    assert buyer.scan() == ([], [])
    buyer.store.wait(milliseconds=1)
    work, settled = buyer.scan()
    assert (work, settled) == ([], [PurchaseChange(buyer.get(reference))])
    assert buyer.get(reference).state is S.UNKNOWN
    assert buyer.reviews(reference) == 1
    assert buyer.available() < 3_000_000


def test_a_restart_ends_the_lease(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.SUBMITTING)
    assert buyer.restart() == 1
    buyer.scan()
    assert buyer.get(reference).state is S.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "state"),
    [(SUCCESS, S.SUCCEEDED), (REJECTED, S.FAILED), (NO_READABLE_ANSWER, S.UNKNOWN)],
)
def test_an_answer_after_the_lease_settles_what_is_unknown(
    buyer: FloatBuyer, answer: FloatAnswer, state: PurchaseState
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    _lease_ends(buyer, reference)
    settled = buyer.answered(claimed, answer)
    assert (settled is None) == (state is S.UNKNOWN)
    assert buyer.get(reference).state is state
    assert buyer.reviews(reference) == (1 if state is S.UNKNOWN else 0)


def test_a_late_word_that_nothing_was_sent_lets_go_of_what_is_unknown(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    _lease_ends(buyer, reference)
    assert buyer.get(reference).state is S.UNKNOWN
    assert buyer.answered(claimed, NOT_SENT) == PurchaseChange(buyer.get(reference))
    purchase = buyer.get(reference)
    assert (purchase.state, purchase.reason, purchase.due_at) == (S.FAILED, "bank_down", None)
    assert buyer.available() == 3_000_000
    assert buyer.reviews(reference) == 0


@pytest.mark.parametrize("said", [SUCCESS, FAILED])
def test_a_late_word_that_nothing_was_sent_takes_back_no_outcome(
    buyer: FloatBuyer, said: StatusAnswer
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    _lease_ends(buyer, reference)
    buyer.asked(reference, said)
    before = buyer.get(reference), buyer.phases(reference)
    assert buyer.answered(claimed, NOT_SENT) is None
    assert (buyer.get(reference), buyer.phases(reference)) == before


@pytest.mark.parametrize("first", [SUCCESS, REJECTED, NO_READABLE_ANSWER])
@pytest.mark.parametrize("second", [SUCCESS, REJECTED, NOT_SENT, NO_READABLE_ANSWER])
def test_a_second_answer_to_the_request_changes_nothing(
    buyer: FloatBuyer, first: FloatAnswer, second: FloatAnswer
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    buyer.answered(claimed, first)
    before = buyer.get(reference), buyer.phases(reference)
    assert buyer.answered(claimed, second) is None
    assert (buyer.get(reference), buyer.phases(reference)) == before
    assert buyer.store.count("SELECT count(*) FROM provider_calls") == 1


@pytest.mark.parametrize("first", [SUCCESS, FAILED])
@pytest.mark.parametrize("second", [SUCCESS, FAILED, OPEN, SILENCE])
def test_a_second_word_of_the_status_query_changes_nothing(
    buyer: FloatBuyer, first: StatusAnswer, second: StatusAnswer
) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    claimed = buyer.get(reference)
    buyer.asked(reference, first)
    before = buyer.get(reference), buyer.phases(reference)
    assert buyer.told(claimed, second) is None
    assert (buyer.get(reference), buyer.phases(reference)) == before


def test_a_claim_that_was_lost_sends_nothing(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    late = buyer.claim(reference)
    buyer.restart()
    newer = buyer.claim(reference)
    assert buyer.begin(late) is None
    assert buyer.begin(newer) is not None
    assert buyer.begin(newer) is None


def test_a_late_not_sent_moves_nothing(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    late = buyer.claim(reference)
    buyer.restart()
    buyer.submitting(reference)
    before = buyer.get(reference)
    assert buyer.answered(late, NOT_SENT) is None
    assert buyer.get(reference) == before


def test_the_request_asks_for_what_was_quoted(buyer: FloatBuyer) -> None:
    submitting = buyer.submitting(in_state(buyer, S.AUTHORISED))
    order = float_settlement.order(submitting)
    assert (order.reference, order.amount) == (submitting.reference, AMOUNT)
    assert (order.short_code, order.phone) == ("400187", buyer.person.phone)
    assert order.ordered_at == buyer.store.now


# Questions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [OPEN, SILENCE])
def test_the_bank_is_asked_at_the_set_ages_then_hourly_then_daily(
    buyer: FloatBuyer, answer: StatusAnswer
) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    began, ages = buyer.store.now, []
    for _ in range(6 + 24 + 3):
        assert buyer.asked(reference, answer) is None
        ages.append(buyer.store.now - began)
    seconds = [15, *(60 * n for n in (1, 2, 5, 10, 30)), *(3600 * n for n in range(1, 25))]
    days = [timedelta(days=n) for n in (2, 3, 4)]
    assert ages == [timedelta(seconds=n) for n in seconds] + days
    assert buyer.get(reference).state is S.UNKNOWN
    assert buyer.available() < 3_000_000


def test_an_unknown_one_may_be_asked_about_at_once_and_only_that(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    asked = buyer.store.do(lambda tx: float_settlement.query_now(tx, reference))
    assert asked is not None
    assert asked.due_at == buyer.store.now
    assert buyer.asked(reference, SUCCESS) is not None
    assert buyer.store.do(lambda tx: float_settlement.query_now(tx, reference)) is None


@pytest.mark.parametrize("state", [s for s in S if s is not S.UNKNOWN])
def test_nothing_else_is_asked_about(buyer: FloatBuyer, state: PurchaseState) -> None:
    reference = in_state(buyer, state)
    before = buyer.get(reference)
    assert buyer.store.do(lambda tx: float_settlement.query_now(tx, reference)) is None
    assert buyer.get(reference) == before


def test_a_late_question_does_not_move_the_schedule(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    buyer.store.wait(seconds=15)
    late = buyer.claim(reference)
    buyer.store.now += LEASE
    buyer.claim(reference)
    before = buyer.get(reference)
    assert buyer.told(late, OPEN) is None
    assert buyer.get(reference) == before
    assert buyer.told(late, SUCCESS) is not None


def test_each_outcome_has_its_evidence(buyer: FloatBuyer) -> None:
    references = [in_state(buyer, state) for state in (S.FAILED, S.UNKNOWN)]
    buyer.asked(references[1], SUCCESS)
    rows = buyer.store.conn.execute("SELECT operation, kind, source FROM evidence").fetchall()
    assert rows == [
        (references[0], "failed", "ncba.float"),
        (references[1], "unknown", "ncba.float"),
        (references[1], "succeeded", "ncba.status"),
    ]


# Found by reading -----------------------------------------------------------------------------


def test_a_colleague_at_the_same_address_gets_a_quote_of_their_own(buyer: FloatBuyer) -> None:
    """The chat was linked to somebody else of the partner while a quote stood there."""
    buyer.quote()
    other = buyer.store.do(
        lambda tx: tx.people.add_person("DEMO", "Baraka", Role.OPERATOR, OTHER_PHONE, None, "en")
    )
    buyer.person = replace(buyer.person, id=other, name="Baraka", phone=OTHER_PHONE)
    assert isinstance(buyer.confirm(buyer.quote()), CodeSent)


def test_no_other_code_is_sent_once_the_number_has_changed(buyer: FloatBuyer) -> None:
    reference = buyer.coded()
    buyer.store.wait(seconds=31)
    buyer.person = replace(buyer.person, phone=OTHER_PHONE, phone_changed_at=buyer.store.now)
    assert not isinstance(buyer.resend(reference), CodeSent)


def test_a_purchase_whose_code_was_forgotten_is_no_problem(buyer: FloatBuyer) -> None:
    buyer.type(buyer.coded())
    buyer.store.wait(days=91)
    buyer.store.do(lambda tx: otp.clean_up(tx, timedelta(days=90), 500))
    assert buyer.store.tx.ledger.violations() == []


def test_a_purchase_whose_code_was_forgotten_before_anothers_is_no_problem(
    buyer: FloatBuyer,
) -> None:
    """Between the two codes' ages, for some minutes."""
    first = buyer.coded()
    buyer.store.wait(minutes=5)
    second = buyer.coded(address="2")
    buyer.store.wait(minutes=4)
    for reference in (first, second):
        buyer.type(reference)
    buyer.store.wait(days=90, minutes=-6)
    _, gone = buyer.store.do(lambda tx: otp.clean_up(tx, timedelta(days=90), 500))
    assert (gone, buyer.store.tx.ledger.violations()) == (1, [])
