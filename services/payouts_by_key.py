"""Payouts that a partner's system asks for: with a person's code, or without one under the ceiling
that an owner set for its key.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from dataclasses import dataclass

from services import approvals, payout_quotes, payouts
from services.domain.api_key import ApiKey
from services.domain.business_days import start_of_day_at
from services.domain.money import Money
from services.domain.partner import Partner, Person
from services.domain.payout import Payout
from services.domain.payout_tariff import payout_quote
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.policy import Policy
from services.ports import Random, Tx


@dataclass(frozen=True, slots=True)
class Alike:
    """One of the same amount to the same phone is under way, or was paid within a day."""

    standing: Payout


def open_for_system(
    tx: Tx,
    random: Random,
    policy: Policy,
    person: Person,
    channel: str,
    address: str,
    key: str,
    recipient: Phone,
    amount: Money,
) -> Payout | Shortfall | Refusal:
    """Quote a payout that ``person``'s code will approve. In the same transaction it is confirmed
    or dropped: nobody looks at it. Refusals: those of ``payout_quotes.check``."""
    refusal = payout_quotes.check(tx, policy, person, recipient, amount)
    if refusal is not None:
        return refusal
    price = payout_quote(amount)
    if (short := payout_quotes.shortfall(tx, person.partner.code, price)) is not None:
        return short
    code = person.partner.code
    return payout_quotes.add(
        tx, random, policy, code, person, channel, address, key, recipient, price
    )


def start_without_code(
    tx: Tx,
    random: Random,
    policy: Policy,
    partner: Partner,
    api_key: ApiKey,
    channel: str,
    key: str,
    recipient: Phone,
    amount: Money,
    remarks: str | None = None,
    client_reference: str | None = None,
    *,
    again: bool = False,
) -> Payout | Alike | Shortfall | Refusal:
    """Hold the float for a payout that stays under the key's ceiling. The ceiling spares the code
    only: what needs a second person needs the code as well, which follows the approval.

    Refusals: those of ``payout_quotes.check_partner`` and ``payout_quotes.check_amount``;
    ``payout_needs_code``.
    """
    refusal = payout_quotes.check_partner(tx, policy, partner)
    refusal = refusal or payout_quotes.check_amount(tx, partner.code, recipient, amount)
    if refusal is not None:
        return refusal
    if approvals.is_needed(partner, amount) or not is_under_ceiling(tx, api_key, amount):
        return Refusal("payout_needs_code")
    standing = payout_quotes.find_alike(tx, partner.code, recipient, amount)
    if standing is not None and not again:
        return Alike(standing)
    price = payout_quote(amount)
    if (short := payout_quotes.shortfall(tx, partner.code, price)) is not None:
        return short
    payout = payout_quotes.add(
        tx,
        random,
        policy,
        partner.code,
        None,
        channel,
        api_key.id,
        key,
        recipient,
        price,
        remarks,
        client_reference,
    )
    return payouts.hold_checked(tx, payout, None)


def is_under_ceiling(tx: Tx, api_key: ApiKey, amount: Money) -> bool:
    """Whether the key's payouts of this business day, with and without codes, stay at or under its
    ceiling with ``amount`` more."""
    today = start_of_day_at(tx.now)
    paid = tx.payouts.paid_since(api_key.partner, today, key=api_key.id)
    return paid + amount <= api_key.payout_ceiling
