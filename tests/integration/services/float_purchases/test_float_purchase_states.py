"""Every state a float purchase can reach, and what it books and holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services import approvals, otp, spending
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.bank import (
    FloatAnswer,
    StatusAnswer,
)
from services.domain.fees import FeeKind
from services.domain.float_purchase import HOLDS, TRANSITIONS, Purchase, PurchaseState
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.partner import Role
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.float_quotes import Requoted
from services.float_settlement import PurchaseChange
from services.spending import CodeSent
from tests.kit import float_by_pin as by_pin
from tests.kit.float_buyer import (
    FAILED,
    NO_READABLE_ANSWER,
    NOT_SENT,
    REJECTED,
    SUCCESS,
    WALLET,
    FloatBuyer,
    S,
    in_state,
    lease_ends,
    short_meanwhile,
)
from tests.kit.plain_store import OTHER_PHONE


def _limit_meanwhile(buyer: FloatBuyer, reference: str) -> None:
    buyer.limit("float.day", Money(100))
    buyer.type(reference)


def _no_way(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.do(lambda tx: spending.undeliverable(tx, reference))


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
    buyer.store.do(lambda tx: spending.expire(tx, references))


def _cancelled(buyer: FloatBuyer, reference: str) -> None:
    assert buyer.cancel(reference) == buyer.get(reference)


def _forgotten(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(hours=1, milliseconds=1)
    assert buyer.store.do(lambda tx: spending.drop_stale_quotes(tx, timedelta(hours=1))) == 1


def _token_fails_for_a_minute(buyer: FloatBuyer, reference: str) -> None:
    claimed = buyer.claim(reference)
    buyer.store.wait(seconds=60)
    buyer.answered(claimed, NOT_SENT)


def _nobody_comes_for_a_minute(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(seconds=60)
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
    """The quote has expired meanwhile, but nothing that was shown has changed."""
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


def _by_pin(buyer: FloatBuyer, reference: str) -> None:
    by_pin.set_pin(buyer)
    by_pin.confirm(buyer, reference)
    by_pin.type_pin(buyer, reference)


def _three_wrong_pins(buyer: FloatBuyer, reference: str) -> None:
    by_pin.set_pin(buyer)
    by_pin.three_wrong(buyer, reference)


def _approved_and_by_pin(buyer: FloatBuyer, reference: str) -> None:
    _agreed(buyer, reference)
    _by_pin(buyer, reference)


ARROWS: dict[tuple[PurchaseState, PurchaseState], list[Callable[[FloatBuyer, str], object]]] = {
    (S.QUOTED, S.QUOTED): [
        lambda buyer, reference: buyer.request(Money(500_000), changes=reference)
    ],
    (S.QUOTED, S.OTP_SENT): [lambda buyer, reference: buyer.confirm(reference)],
    (S.QUOTED, S.CANCELLED): [_cancelled, _forgotten],
    (S.QUOTED, S.AWAITING_APPROVAL): [_asks_a_second],
    (S.QUOTED, S.AUTHORISED): [_by_pin],
    (S.QUOTED, S.REFUSED): [_three_wrong_pins],
    (S.AWAITING_APPROVAL, S.AWAITING_APPROVAL): [_fee_meanwhile],
    (S.AWAITING_APPROVAL, S.OTP_SENT): [_approved, _approved_hours_later],
    (S.AWAITING_APPROVAL, S.AUTHORISED): [_approved_and_by_pin],
    (S.AWAITING_APPROVAL, S.CANCELLED): [_cancelled],
    (S.AWAITING_APPROVAL, S.REFUSED): [_declined, _nobody_decides, _approved_and_left],
    (S.OTP_SENT, S.AUTHORISED): [lambda buyer, reference: buyer.type(reference)],
    (S.OTP_SENT, S.OTP_EXPIRED): [_typed_late, _asked_for_another_late, _swept],
    (S.OTP_SENT, S.OTP_LOCKED): [_three_wrong],
    (S.OTP_SENT, S.CANCELLED): [_cancelled],
    (S.OTP_SENT, S.REFUSED): [short_meanwhile, _limit_meanwhile, _no_way],
    (S.AUTHORISED, S.SUBMITTING): [lambda buyer, reference: buyer.submitting(reference)],
    (S.AUTHORISED, S.FAILED): [_token_fails_for_a_minute, _nobody_comes_for_a_minute],
    (S.SUBMITTING, S.AUTHORISED): [_answer(NOT_SENT)],
    (S.SUBMITTING, S.SUCCEEDED): [_answer(SUCCESS)],
    (S.SUBMITTING, S.FAILED): [_answer(REJECTED), _unsent_for_a_minute],
    (S.SUBMITTING, S.UNKNOWN): [_answer(NO_READABLE_ANSWER), lease_ends],
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
    assert buyer.store.do(lambda tx: spending.undeliverable(tx, reference)) is None
    buyer.store.do(lambda tx: spending.expire(tx, [reference]))
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


# Approval by a second person --------------------------------------------------------------------


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
    assert short == Shortfall(Money(3_000_001), WALLET, Money(100))
    buyer.fee(FeeKind.PROCESSING)
    assert buyer.type(buyer.coded(WALLET)) == buyer.store.tx.purchases.newest()
    assert buyer.available() == 0


# Edge cases -----------------------------------------------------------------------------------


def test_a_colleague_at_the_same_address_gets_a_quote_of_their_own(buyer: FloatBuyer) -> None:
    """The chat was linked to a colleague at the same partner while a quote was open."""
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
    assert buyer.store.tx.invariants.violations() == []


def test_a_purchase_whose_code_was_forgotten_before_anothers_is_no_problem(
    buyer: FloatBuyer,
) -> None:
    """For some minutes, one code is old enough to be deleted and the other is not."""
    first = buyer.coded()
    buyer.store.wait(minutes=5)
    second = buyer.coded(address="2")
    buyer.store.wait(minutes=4)
    for reference in (first, second):
        buyer.type(reference)
    buyer.store.wait(days=90, minutes=-6)
    _, gone = buyer.store.do(lambda tx: otp.clean_up(tx, timedelta(days=90), 500))
    assert (gone, buyer.store.tx.invariants.violations()) == (1, [])
