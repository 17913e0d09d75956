"""Float quotes: whether a person may buy, and what it costs now.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from services import approvals, otp, spending
from services.domain.business_days import start_of_day_at
from services.domain.fees import FeeKind, Quote, quote
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.policy import Policy
from services.ports import Random, Tx


@dataclass(frozen=True, slots=True)
class Requoted:
    """The quote expired before it was confirmed: this is the new one to show."""

    purchase: Purchase


def request(
    tx: Tx,
    random: Random,
    policy: Policy,
    person: Person,
    channel: str,
    address: str,
    key: str,
    amount: Money,
    changes: str | None = None,
) -> Purchase | Shortfall | Refusal:
    """Quote ``amount`` for this address. ``changes`` is the quote that this one replaces, if its
    amount was edited; one that was left ends. A purchase of the same amount that awaits approval is
    continued.

    Refusals: those of ``check``.
    """
    refusal = check(tx, policy, person, amount)
    if refusal is not None:
        return refusal
    assert policy.short_code is not None
    if approvals.is_needed(person.partner, amount):
        asked = tx.purchases.awaiting(person.id, channel, address, amount)
        if asked is not None:
            return asked
    price = current_quote(tx, person.partner.code, amount)
    if (short := shortfall(tx, person.partner.code, price)) is not None:
        return short
    standing = tx.purchases.quoted(channel, address)
    if standing is not None:
        is_own = own_purchase(tx, person, standing.reference) is not None
        if is_own and standing.reference == changes:
            return requote(tx, standing, person, policy.short_code, price)
        tx.purchases.save(standing.transition_to(PurchaseState.CANCELLED, settled_at=tx.now))
    return _add(tx, random, policy, person, channel, address, key, price)


def open_for_system(
    tx: Tx,
    random: Random,
    policy: Policy,
    person: Person,
    channel: str,
    address: str,
    key: str,
    amount: Money,
) -> Purchase | Shortfall | Refusal:
    """Quote ``amount`` for a partner's system; ``person`` gets the code. In the same transaction it
    is confirmed or dropped: nobody looks at it.

    Refusals: those of ``check``.
    """
    refusal = check(tx, policy, person, amount, whole=not policy.float_part_shillings)
    if refusal is not None:
        return refusal
    price = current_quote(tx, person.partner.code, amount)
    if (short := shortfall(tx, person.partner.code, price)) is not None:
        return short
    return _add(tx, random, policy, person, channel, address, key, price)


def _add(
    tx: Tx,
    random: Random,
    policy: Policy,
    person: Person,
    channel: str,
    address: str,
    key: str,
    price: Quote,
) -> Purchase:
    assert policy.short_code is not None
    purchase = Purchase(
        reference="",
        partner=person.partner.code,
        person_id=person.id,
        channel=channel,
        address=address,
        language=person.language,
        quote=price,
        phone=person.phone,
        short_code=policy.short_code,
        state=PurchaseState.QUOTED,
        reason=None,
        created_at=tx.now,
        quoted_at=tx.now,
        authorised_at=None,
        submitted_at=None,
        settled_at=None,
        bank_id=None,
        attempt=0,
        due_at=None,
    )
    return draw_unique(
        lambda: replace(purchase, reference=new_reference("FL", random)),
        lambda drawn: tx.purchases.add(drawn, key),
    )


def check(
    tx: Tx, policy: Policy, person: Person, amount: Money, *, whole: bool = True
) -> Refusal | None:
    """Whether this person may buy this much float now. ``whole``: whole shillings only.

    Refusals: those of ``check_may_buy`` and ``check_amount``.
    """
    return check_may_buy(tx, policy, person) or check_amount(
        tx, person.partner.code, amount, whole=whole
    )


def check_amount(tx: Tx, partner: str, amount: Money, *, whole: bool = True) -> Refusal | None:
    """Whether the partner may buy this much now.

    Refusals: ``part_shillings``, ``float_least``, ``float_most``, ``float_day``,
    ``float_day_desk``.
    """
    if whole and not amount.is_whole:
        return Refusal("part_shillings")
    if amount < (least := tx.limits.in_force("float.min", partner)):
        return Refusal.of("float_least", minimum=least)
    if (most := tx.limits.in_force("float.max", partner)) < amount:
        return Refusal.of("float_most", maximum=most)
    return _check_day(tx, partner, amount)


def check_may_buy(tx: Tx, policy: Policy, person: Person) -> Refusal | None:
    """Whether this person may buy float at all now.

    Refusals: ``float_not_set_up``, ``suspended``, those of ``approvals.check_freeze``,
    ``otp_locked``.
    """
    if policy.short_code is None:
        return Refusal("float_not_set_up")
    if person.partner.suspended:
        return Refusal.of("suspended", partner=person.partner.code)
    if (refusal := approvals.check_freeze(tx, policy, person)) is not None:
        return refusal
    return Refusal("otp_locked") if otp.is_locked(tx, person.phone) else None


def _check_day(tx: Tx, partner: str, amount: Money) -> Refusal | None:
    """The daily limits of the partner and of all partners together, if set."""
    today = start_of_day_at(tx.now)
    most = tx.limits.find("float.day", partner)
    if most is not None:
        left = most - tx.purchases.bought_since(today, partner)
        if left < amount:
            return Refusal.of("float_day", maximum=most, left=max(left, Money(0)))
    most = tx.limits.find("float.day.desk")
    if most is not None and most - tx.purchases.bought_since(today) < amount:
        return Refusal("float_day_desk")
    return None


def reprice(tx: Tx, policy: Policy, person: Person, reference: str) -> Requoted | Shortfall | None:
    """A new quote to show if the partner's fees changed after the one shown.

    ``None`` if the quote still holds, or cannot be confirmed anyway: ``confirm`` says why.
    """
    purchase = own_purchase(tx, person, reference)
    if purchase is None or purchase.state is not PurchaseState.QUOTED:
        return None
    quoted, price = purchase.quote, current_quote(tx, purchase.partner, purchase.amount)
    if (quoted.fees, quoted.total) == (price.fees, price.total):
        return None
    if check(tx, policy, person, purchase.amount) is not None:
        return None
    if (short := shortfall(tx, purchase.partner, price)) is not None:
        return short
    assert policy.short_code is not None
    return Requoted(requote(tx, purchase, person, policy.short_code, price))


def own_purchase(tx: Tx, person: Person, reference: str) -> Purchase | None:
    """The purchase, if this person began it."""
    found = spending.own(tx, person, reference)
    return found if isinstance(found, Purchase) else None


def current_quote(tx: Tx, partner: str, amount: Money) -> Quote:
    return quote(
        amount,
        tx.fees.in_force(partner, FeeKind.TRANSFER),
        tx.fees.in_force(partner, FeeKind.PROCESSING),
    )


def shortfall(tx: Tx, partner: str, price: Quote) -> Shortfall | None:
    available = tx.ledger.balance(Account(partner, AccountKind.WALLET)).available
    return Shortfall.of(price.total, available)


def requote(tx: Tx, purchase: Purchase, person: Person, short_code: str, price: Quote) -> Purchase:
    purchase = replace(
        purchase.transition_to(purchase.state, quoted_at=tx.now),
        quote=price,
        short_code=short_code,
        phone=person.phone,
    )
    tx.purchases.save(purchase)
    return purchase
