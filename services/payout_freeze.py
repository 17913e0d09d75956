"""Holding payouts back: an owner freezes the partner's, an admin pauses everybody's.

Functions run inside a transaction and make no outside calls. What is not on its way waits with its
float held; what M-PESA has been asked for cannot be taken back.
"""

from __future__ import annotations

from services import approvals, otp
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from services.domain.partner import Person
from services.domain.payout_pause import BY_ADMIN
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed, Passed
from services.ownership import draw_reference
from services.policy import Policy
from services.ports import Keys, Random, Tx

PREFIX = "TH"  # of the reference of a thaw that waits for its code
_NOTHING = Money(0)


def is_held_back(tx: Tx, partner: str) -> bool:
    """Whether an owner froze the partner's payouts, or all are paused."""
    found = tx.people.partner(partner)
    assert found is not None
    return found.payouts_frozen_at is not None or tx.payout_pauses.standing() is not None


def freeze(tx: Tx, person: Person) -> bool:
    """Hold the partner's payouts back at once; false if they are held back already."""
    if person.partner.payouts_frozen_at is not None:
        return False
    tx.people.freeze_payouts(person.partner.code, frozen=True)
    return True


def request_thaw(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person
) -> Issued | Refusal:
    """Send a code that lets the partner's payouts go on.

    Refusals: ``pay_not_frozen``, those of ``approvals.check_freeze`` and of ``otp.generate``.
    """
    if person.partner.payouts_frozen_at is None:
        return Refusal("pay_not_frozen")
    return resend(tx, keys, random, policy, person, draw_reference(tx, random, PREFIX))


def resend(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person, change: str
) -> Issued | Refusal:
    """Another code for the same thaw; the one before is revoked. Refusals as before."""
    if (refusal := approvals.check_freeze(tx, policy, person)) is not None:
        return refusal
    bound = thaw_binding(person, change)
    return otp.generate(tx, keys, random, bound, person.phone, limits=policy.code_limits)


def thaw(
    tx: Tx, keys: Keys, policy: Policy, person: Person, change: str, code: str
) -> Passed | NotPassed:
    """Check the code; if it is right, the partner's payouts go on."""
    bound = thaw_binding(person, change)
    answer = otp.validate(tx, keys, bound, code, limits=policy.code_limits)
    if isinstance(answer, Passed):
        tx.people.freeze_payouts(person.partner.code, frozen=False)
        tx.payouts.thaw(person.partner.code)
    return answer


def thaw_binding(person: Person, change: str) -> Binding:
    """What the code of a thaw approves: that this partner's payouts go on."""
    return Binding(
        purpose=Purpose.THAW_PAYOUTS,
        operation=change,
        partner=person.partner.code,
        person_id=person.id,
        amount=_NOTHING,
        destination="payouts",
    )


def pause_all(tx: Tx) -> Refusal | None:
    """An admin holds everybody's payouts back. Refusal: ``payouts_paused_already``."""
    if tx.payout_pauses.begin(BY_ADMIN, None):
        return None
    return Refusal("payouts_paused_already")


def resume_all(tx: Tx, by: str) -> Refusal | None:
    """An admin lets everybody's payouts go on. Refusal: ``payouts_not_paused``."""
    if not tx.payout_pauses.end(by):
        return Refusal("payouts_not_paused")
    tx.payouts.thaw()
    tx.payouts.query_all()
    return None
