"""How much a key may pay customers in a business day without a code: an owner sets it with one.

Functions run inside a transaction. Until the code was typed nothing is stored but the code, which
is bound to key, amount and owner.
"""

from __future__ import annotations

from collections.abc import Sequence

from services import approvals, otp
from services.domain.api_key import ApiKey, Scope
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed
from services.ownership import draw_reference
from services.policy import Policy
from services.ports import Keys, Random, Tx

PREFIX = "CE"
CEILING_MAX = Money(1_000_000_000_00)


def paying_keys(tx: Tx, partner: str) -> Sequence[ApiKey]:
    """The partner's keys that are valid and may pay customers, newest first."""
    return [key for key in tx.api_keys.of(partner) if _pays(tx, key)]


def request_change(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person, key_id: str, ceiling: Money
) -> Issued | Refusal:
    """Send the owner a code that sets this ceiling of this key; 0 takes it away.

    Refusals: those of ``check``, ``above_maximum``, those of ``otp.generate``.
    """
    if (refusal := check(tx, policy, person, key_id)) is not None:
        return refusal
    if ceiling > CEILING_MAX:
        return Refusal.of("above_maximum", maximum=CEILING_MAX)
    change = draw_reference(tx, random, PREFIX)
    return _issue(tx, keys, random, policy, person, code_binding(person, change, key_id, ceiling))


def resend_code(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person, before: Binding
) -> Issued | Refusal:
    """Another code for the same change; the one before is revoked. Refusals: those of ``check`` and
    ``otp.generate``."""
    refusal = check(tx, policy, person, before.destination)
    return refusal or _issue(tx, keys, random, policy, person, before)


def confirm_change(
    tx: Tx,
    keys: Keys,
    policy: Policy,
    person: Person,
    change: str,
    key_id: str,
    ceiling: Money,
    code: str,
) -> ApiKey | NotPassed | Refusal:
    """Check the code; if it is right, the ceiling counts from now. Returns the key as it was.

    Refusals: those of ``check``, which end the change before the code is looked at.
    """
    if (refusal := check(tx, policy, person, key_id)) is not None:
        otp.revoke(tx, change)
        return refusal
    binding = code_binding(person, change, key_id, ceiling)
    answer = otp.validate(tx, keys, binding, code, limits=policy.code_limits)
    if isinstance(answer, NotPassed):
        return answer
    before = tx.api_keys.get(key_id)
    assert before is not None, "it was just checked"
    tx.api_keys.set_ceiling(key_id, ceiling)
    return before


def check(tx: Tx, policy: Policy, person: Person, key_id: str) -> Refusal | None:
    """Whether the person may set this key's ceiling now: with it, whoever has the key needs no code
    of anybody.

    Refusals: those of ``approvals.check_freeze``; ``api_key_over`` if the key is not the partner's,
    not valid, or may not pay customers.
    """
    if (refusal := approvals.check_freeze(tx, policy, person)) is not None:
        return refusal
    key = tx.api_keys.get(key_id)
    is_own = key is not None and key.partner == person.partner.code and _pays(tx, key)
    return None if is_own else Refusal("api_key_over")


def cancel(tx: Tx, person: Person, change: str) -> None:
    """Nothing is changed; the code is revoked."""
    newest = tx.otps.newest(change)
    if newest is not None and newest.binding.person_id == person.id:
        otp.revoke(tx, change)


def code_binding(person: Person, change: str, key_id: str, ceiling: Money) -> Binding:
    return Binding(
        purpose=Purpose.API_CEILING,
        operation=change,
        partner=person.partner.code,
        person_id=person.id,
        amount=ceiling,
        destination=key_id,
    )


def _issue(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person, binding: Binding
) -> Issued | Refusal:
    return otp.generate(tx, keys, random, binding, person.phone, limits=policy.code_limits)


def _pays(tx: Tx, key: ApiKey) -> bool:
    return key.is_active(tx.now) and key.grants(Scope.PAYOUT)
