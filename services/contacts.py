"""A person's own number and mail address: each is verified by a code before it counts.

Functions run inside a transaction and make no outside calls. The requested change is kept only in
the conversation and in the code's binding; nothing changes before the code has passed.
"""

from __future__ import annotations

from dataclasses import dataclass

from services import approvals, otp
from services.domain.ids import new_reference
from services.domain.money import Money
from services.domain.otp import CODE_LIMITS, Binding, ChannelAddress, CodeLimits, Otp, Purpose
from services.domain.partner import Person
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed
from services.policy import Policy
from services.ports import Keys, Random, Tx

NOTHING = Money(0)
Contact = Phone | str  # a phone number or a mail address


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """What the person had before the change."""

    old_phone: Phone
    old_email: str | None


def request_change(
    tx: Tx,
    keys: Keys,
    random: Random,
    policy: Policy,
    person: Person,
    account: ChannelAddress,
    new: Contact,
) -> Issued | Refusal:
    """Send a code to verify a new number or address.

    It counts against the limits of ``account``, which asks. Refusals: ``account_rests``,
    ``contact_same``, those of ``otp.generate``.
    """
    if (refusal := approvals.check_account_freeze(tx, policy, person)) is not None:
        return refusal
    if new in (person.phone, person.email):
        return Refusal("contact_same")
    binding = _binding(person, new_reference("CH", random), new)
    phone = new if isinstance(new, Phone) else person.phone
    return otp.generate(tx, keys, random, binding, phone, account, limits=policy.code_limits)


def resend_code(
    tx: Tx,
    keys: Keys,
    random: Random,
    account: ChannelAddress,
    before: Otp,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> Issued | Refusal:
    """Send another code for the change that ``before`` was for. Refusals: those of
    ``otp.generate``."""
    return otp.generate(tx, keys, random, before.binding, before.phone, account, limits=limits)


def confirm_change(
    tx: Tx,
    keys: Keys,
    person: Person,
    change: str,
    new: Contact,
    code: str,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> ContactChanged | NotPassed:
    """Check the typed code; if it is right, make the change and freeze purchases.

    Facts: one-time codes.
    """
    answer = otp.validate(tx, keys, _binding(person, change, new), code, limits=limits)
    if isinstance(answer, NotPassed):
        return answer
    if isinstance(new, Phone):
        tx.people.set_phone(person.id, new)
        otp.carry_lock_over(tx, person.phone, new)
    else:
        tx.people.set_email(person.id, new)
    return ContactChanged(person.phone, person.email)


def cancel(tx: Tx, person: Person, change: str) -> None:
    """The change is cancelled; its code is revoked."""
    newest = tx.otps.newest(change)
    if newest is not None and newest.binding.person_id == person.id:
        otp.revoke(tx, change)


def _binding(person: Person, change: str, new: Contact) -> Binding:
    by_phone = isinstance(new, Phone)
    return Binding(
        purpose=Purpose.LINK_PHONE if by_phone else Purpose.PROVE_MAIL,
        operation=change,
        partner=person.partner.code,
        person_id=person.id,
        amount=NOTHING,
        destination=new.msisdn if isinstance(new, Phone) else new,
    )
