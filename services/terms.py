"""Contract terms of partners: fees and limits, in force from the moment they are set.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from services.domain.fees import Fee
from services.domain.limits import EVERYBODY, LEAST, PAIRS, LimitName
from services.domain.money import Money
from services.domain.refusal import Refusal
from services.ports import Tx


def set_fee(
    tx: Tx, partner: str, fee: Fee, source: str, *, instead_of: Fee | None = None
) -> Fee | Refusal:
    """Add a version of the fee, in force from now; a confirmed quote keeps its own.

    ``instead_of`` is the version shown before confirmation. Refusals: ``no_partner``,
    ``fee_changed``, ``fee_same``.
    """
    if tx.people.partner(partner) is None:
        return Refusal("no_partner")
    standing = tx.fees.in_force(partner, fee.kind)
    if instead_of is not None and standing != instead_of:
        return Refusal.of("fee_changed", version=standing.version, terms=standing)
    if instead_of is not None and standing.has_terms_of(fee):
        return Refusal("fee_same")
    tx.fees.set(partner, fee, source)
    return tx.fees.in_force(partner, fee.kind)


def check_limit(tx: Tx, name: str, amount: Money, partner: str = EVERYBODY) -> Refusal | None:
    """Whether the limit can be set like this.

    Refusals: ``no_partner``, ``limit_of_desk`` if it is not a partner's limit, ``limit_least``
    (minimum) if the minimum would be zero, ``limit_crossed`` (other) if it would exceed the
    maximum.
    """
    if partner != EVERYBODY and tx.people.partner(partner) is None:
        return Refusal("no_partner")
    if partner != EVERYBODY and name == LimitName.FLOAT_DAY_DESK:
        return Refusal("limit_of_desk")
    for least, most in PAIRS:
        if name not in (least, most):
            continue
        if name == least and amount < LEAST:
            return Refusal.of("limit_least", minimum=LEAST)
        other = tx.limits.find(most if name == least else least, partner)
        if other is not None and (other < amount if name == least else amount < other):
            return Refusal.of("limit_crossed", other=other)
    return None


def set_limit(
    tx: Tx, name: str, amount: Money, source: str, partner: str = EVERYBODY
) -> Refusal | None:
    """Add a dated row, in force from now. Refusals: those of ``check_limit``."""
    refusal = check_limit(tx, name, amount, partner)
    if refusal is None:
        tx.limits.set_from_now(name, amount, source, partner)
    return refusal
