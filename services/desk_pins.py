"""Desk PINs: set with a code, checked where a channel asks for no code (facts: USSD, Security).

Functions run inside a transaction; a PIN leaves them only as a digest. Wrong ones count over
everything that a person does with it, and nothing but a new PIN gives tries back.
"""

from __future__ import annotations

from dataclasses import dataclass

from services import approvals, otp
from services.domain.desk_pin import (
    CHANGE_LIFE,
    DeskPin,
    PinChange,
    Weakness,
    digest,
    find_weakness,
)
from services.domain.money import Money
from services.domain.otp import Binding, Purpose, same
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.otp import Issued, Passed
from services.ownership import draw_reference
from services.policy import Policy
from services.ports import Keys, Random, Tx

NOTHING = Money(0)


@dataclass(frozen=True, slots=True)
class NotPassed:
    """The PIN was wrong. Without ``tries_left`` it is locked from now on."""

    tries_left: int

    @property
    def locked(self) -> bool:
        return self.tries_left == 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """It was typed once, and is wanted once more."""


@dataclass(frozen=True, slots=True)
class Different:
    """The second typing was not the first: both are wanted again."""


@dataclass(frozen=True, slots=True)
class PinSet:
    """The new PIN counts, and it alone."""


@dataclass(frozen=True, slots=True)
class ChangeOver:
    """The change has ended: its ten minutes are over, or another took its place."""


# Setting one --------------------------------------------------------------------------------


def request_change(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person
) -> Issued | Refusal:
    """Send a code that lets the person choose a PIN.

    Refusals: ``account_rests``, ``frozen``, those of ``otp.generate``.
    """
    if (refusal := approvals.check_freeze(tx, policy, person)) is not None:
        return refusal
    return _issue(tx, keys, random, policy, person, draw_reference(tx, random, "PN"))


def resend_code(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person, change: str
) -> Issued | Refusal:
    """Another code for the same change; the one before is revoked. Refusals as before."""
    refusal = approvals.check_freeze(tx, policy, person)
    return refusal or _issue(tx, keys, random, policy, person, change)


def _issue(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person, change: str
) -> Issued | Refusal:
    binding = code_binding(person, change)
    return otp.generate(tx, keys, random, binding, person.phone, limits=policy.code_limits)


def prove(
    tx: Tx, keys: Keys, policy: Policy, person: Person, change: str, code: str
) -> Passed | otp.NotPassed:
    """Check the code; if it is right, a PIN can be chosen for ten minutes."""
    binding = code_binding(person, change)
    answer = otp.validate(tx, keys, binding, code, limits=policy.code_limits)
    if isinstance(answer, Passed):
        tx.desk_pins.begin_change(change, person.id)
    return answer


def choose(
    tx: Tx, keys: Keys, policy: Policy, person: Person, change: str, pin: str
) -> Chosen | ChangeOver | Refusal:
    """The first typing. Refusals: those of ``check_choice``; of ``approvals.check_freeze``, which
    end the change."""
    standing = open_change(tx, person, change)
    if standing is None:
        return ChangeOver()
    if (refusal := approvals.check_freeze(tx, policy, person)) is not None:
        tx.desk_pins.end_change(change)
        return refusal
    if otp.is_used(tx, keys, code_binding(person, change), pin):
        return Refusal("pin_is_code")
    if (refusal := check_choice(person, pin)) is not None:
        return refusal
    tx.desk_pins.note_first(change, keys.pepper_id, _digest(keys, keys.pepper_id, person, pin))
    return Chosen()


def check_choice(person: Person, pin: str) -> Refusal | None:
    """Whether it is hard enough to guess.

    Refusals: ``pin_same``, ``pin_run``, ``pin_pairs``, ``pin_year``, ``pin_number``.
    """
    match find_weakness(pin, person.phone):
        case None:
            return None
        case Weakness.SAME:
            return Refusal("pin_same")
        case Weakness.RUN:
            return Refusal("pin_run")
        case Weakness.PAIRS:
            return Refusal("pin_pairs")
        case Weakness.YEAR:
            return Refusal("pin_year")
        case Weakness.NUMBER:
            return Refusal("pin_number")


def repeat(
    tx: Tx, keys: Keys, policy: Policy, person: Person, change: str, pin: str
) -> PinSet | Different | ChangeOver | Refusal:
    """The second typing. The same as the first sets the PIN, and unlocks it. Refusals: those of
    ``approvals.check_freeze``, which end the change."""
    standing = open_change(tx, person, change)
    if standing is None or standing.pepper_id is None or standing.digest is None:
        return ChangeOver()
    if (refusal := approvals.check_freeze(tx, policy, person)) is not None:
        tx.desk_pins.end_change(change)
        return refusal
    if not same(_digest(keys, standing.pepper_id, person, pin), standing.digest):
        tx.desk_pins.note_first(change, None, None)
        return Different()
    tx.desk_pins.end_change(change)
    tx.desk_pins.put(person.id, keys.pepper_id, _digest(keys, keys.pepper_id, person, pin))
    return PinSet()


def open_change(tx: Tx, person: Person, change: str) -> PinChange | None:
    """This person's change whose code was right, until its ten minutes are over."""
    found = tx.desk_pins.change(change)
    if found is None or found.person_id != person.id:
        return None
    return found if tx.now < found.proved_at + CHANGE_LIFE else None


def cancel(tx: Tx, person: Person, change: str) -> None:
    """Nothing is changed; the code is revoked."""
    newest = tx.otps.newest(change)
    if newest is not None and newest.binding.person_id == person.id:
        otp.revoke(tx, change)
        tx.desk_pins.end_change(change)


def code_binding(person: Person, change: str) -> Binding:
    return Binding(
        purpose=Purpose.DESK_PIN,
        operation=change,
        partner=person.partner.code,
        person_id=person.id,
        amount=NOTHING,
        destination=person.phone.msisdn,
    )


# Using one ----------------------------------------------------------------------------------


def find(tx: Tx, person: Person) -> DeskPin | None:
    return tx.desk_pins.find(person.id)


def check_usable(tx: Tx, policy: Policy, person: Person) -> Refusal | None:
    """Whether the person's PIN can be asked for now: it is frozen with the contact that its code
    went to.

    Refusals: ``pin_none``, ``pin_locked``, ``frozen``.
    """
    pin = find(tx, person)
    if pin is None:
        return Refusal("pin_none")
    if pin.is_locked:
        return Refusal("pin_locked")
    return approvals.check_contact_freeze(tx, policy, person)


def check(
    tx: Tx, keys: Keys, policy: Policy, person: Person, pin: str
) -> Passed | NotPassed | Refusal:
    """Count the try as wrong, then compare: it counts whatever the answer. A right one gives the
    tries back. Refusals: those of ``check_usable``, which count nothing."""
    if (refusal := check_usable(tx, policy, person)) is not None:
        return refusal
    stored = tx.desk_pins.count_attempt(person.id)
    assert stored is not None, "it can be used"
    if not same(_digest(keys, stored.pepper_id, person, pin), stored.digest):
        return NotPassed(stored.tries_left)
    renewed = _digest(keys, keys.pepper_id, person, pin)
    tx.desk_pins.clear_attempts(person.id, keys.pepper_id, renewed)
    return Passed()


def ask(tx: Tx, binding: Binding) -> None:
    """Keep what a PIN is asked for, if it has no row of its own yet."""
    tx.desk_pins.ask(binding)


def approve(
    tx: Tx, keys: Keys, policy: Policy, person: Person, binding: Binding, pin: str
) -> Passed | NotPassed | Refusal:
    """Check the PIN, and record what it approved if it is right. Refusals: those of ``check``;
    ``pin_other`` if that was approved before, or something else was asked for."""
    assert binding.person_id == person.id, "a PIN approves for its own person"
    answer = check(tx, keys, policy, person, pin)
    if isinstance(answer, Passed) and not tx.desk_pins.approve(binding):
        return Refusal("pin_other")
    return answer


def is_approved(tx: Tx, binding: Binding) -> bool:
    """Whether a right PIN approved exactly this."""
    return tx.desk_pins.approved(binding.operation, binding.purpose) == binding


def _digest(keys: Keys, pepper_id: str, person: Person, pin: str) -> str:
    return digest(keys.pepper(pepper_id), person.id, pin)
