"""Payouts held back: by an owner, by an admin, and what waits meanwhile."""

from __future__ import annotations

from datetime import timedelta

from services import payout_freeze
from services.domain.otp import Purpose
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed, Passed
from tests.kit.payout_payer import TAKEN, PayoutPayer, S, in_state, paid

HOURS = timedelta(hours=2)  # far longer than an order may wait when nothing holds it back


def freeze(payer: PayoutPayer) -> bool:
    return payer.store.do(lambda tx: payout_freeze.freeze(tx, payer.person))


def is_frozen(payer: PayoutPayer) -> bool:
    partner = payer.store.tx.people.partner(payer.person.partner.code)
    assert partner is not None
    return partner.payouts_frozen_at is not None


def is_due(payer: PayoutPayer, reference: str) -> bool:
    return any(one.reference == reference for one in payer.scan()[0])


def reload(payer: PayoutPayer) -> None:
    person = payer.store.tx.people.of_id(payer.person.id)
    assert person is not None
    payer.person = person


def requested(payer: PayoutPayer) -> Issued | Refusal:
    reload(payer)
    return payer.store.do(
        lambda tx: payout_freeze.request_thaw(
            tx, payer.keys, payer.random, payer.policy, payer.person
        )
    )


def typed(payer: PayoutPayer, change: str, code: str) -> Passed | NotPassed:
    return payer.store.do(
        lambda tx: payout_freeze.thaw(tx, payer.keys, payer.policy, payer.person, change, code)
    )


def test_what_is_frozen_waits_with_its_float_held_and_goes_on(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    held = payer.available()
    assert freeze(payer)
    reload(payer)
    assert not freeze(payer)
    payer.store.now += HOURS
    assert not is_due(payer, reference)
    assert (payer.state(reference), payer.available()) == (S.AUTHORISED, held)
    issued = requested(payer)
    assert isinstance(issued, Issued)
    change = payer.store.conn.execute(
        "SELECT operation FROM otp_validations WHERE purpose = ?", (Purpose.THAW_PAYOUTS,)
    ).fetchone()[0]
    wrong = "000000" if issued.code != "000000" else "000001"
    assert isinstance(typed(payer, change, wrong), NotPassed)
    assert is_frozen(payer)
    assert isinstance(typed(payer, change, issued.code), Passed)
    assert not is_frozen(payer)
    assert is_due(payer, reference)


def test_what_mpesa_was_asked_for_ends_while_frozen(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    freeze(payer)
    payer.says(paid(payer.get(reference)))
    assert payer.state(reference) is S.PAID


def test_one_that_is_frozen_after_it_was_claimed_is_not_sent(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    claimed = payer.claim(reference)
    freeze(payer)
    assert payer.begin(claimed) is None
    assert payer.state(reference) is S.AUTHORISED


def test_what_is_not_frozen_needs_no_code(payer: PayoutPayer) -> None:
    assert requested(payer) == Refusal("pay_not_frozen")


def test_an_admins_pause_holds_everybodys_back_until_it_ends(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    pause, resume = payout_freeze.pause_all, payout_freeze.resume_all
    assert payer.store.do(pause) is None
    assert payer.store.do(pause) == Refusal("payouts_paused_already")
    payer.store.now += HOURS
    assert not is_due(payer, reference)
    assert payer.store.do(lambda tx: resume(tx, "admin:1")) is None
    assert payer.store.do(lambda tx: resume(tx, "admin:1")) == Refusal("payouts_not_paused")
    payer.answered(payer.submitting(reference), TAKEN)
    assert payer.state(reference) is S.ACCEPTED
