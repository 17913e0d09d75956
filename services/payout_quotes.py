"""Payout quotes: whether a person may pay this customer this much now, and what it costs.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services import approvals, otp, spending
from services.domain.business_days import start_of_day_at
from services.domain.fees import Quote
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Partner, Person
from services.domain.payout import PREFIX, Payout, PayoutState
from services.domain.payout_tariff import payout_quote
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.policy import Policy
from services.ports import Random, Tx

NEW_FOR = timedelta(hours=24)  # how long a recipient counts as new from the first payout on
ALIKE_WITHIN = timedelta(hours=24)  # how long after a payment the same again is asked about
REMARKS = "Payment"  # what a payout says on the short code's statement beside its reference


def request(
    tx: Tx,
    random: Random,
    policy: Policy,
    person: Person,
    channel: str,
    address: str,
    key: str,
    recipient: Phone,
    amount: Money,
    changes: str | None = None,
) -> Payout | Shortfall | Refusal:
    """Quote a payout for this address. ``changes`` is the quote that this one replaces, if its
    amount or recipient was edited; one that was left ends. One of the same amount and recipient
    that awaits approval is continued.

    Refusals: those of ``check``.
    """
    refusal = check(tx, policy, person, recipient, amount)
    if refusal is not None:
        return refusal
    if approvals.is_needed(person.partner, amount):
        asked = tx.payouts.awaiting(person.id, channel, address, amount, recipient)
        if asked is not None:
            return asked
    price = payout_quote(amount)
    if (short := shortfall(tx, person.partner.code, price)) is not None:
        return short
    standing = tx.payouts.quoted(channel, address)
    if standing is not None:
        is_own = own_payout(tx, person, standing.reference) is not None
        if is_own and standing.reference == changes:
            return requote(tx, policy, standing, person, recipient, price)
        tx.payouts.save(standing.transition_to(PayoutState.CANCELLED, settled_at=tx.now))
    code = person.partner.code
    return add(tx, random, policy, code, person, channel, address, key, recipient, price)


def add(
    tx: Tx,
    random: Random,
    policy: Policy,
    partner: str,
    person: Person | None,
    channel: str,
    address: str,
    key: str,
    recipient: Phone,
    price: Quote,
    remarks: str | None = None,
    client_reference: str | None = None,
) -> Payout:
    """A quote of something that was checked; ``person`` is ``None`` where a partner's system acts
    without one, and of a row of a batch."""
    assert policy.payout_short_code is not None
    payout = Payout(
        reference="",
        partner=partner,
        person_id=None if person is None else person.id,
        channel=channel,
        address=address,
        language="en" if person is None else person.language,
        quote=price,
        phone=None if person is None else person.phone,
        recipient=recipient,
        short_code=policy.payout_short_code,
        remarks="",
        client_reference=client_reference,
        state=PayoutState.QUOTED,
        reason=None,
        created_at=tx.now,
        quoted_at=tx.now,
        authorised_at=None,
        ready_since=None,
        submitted_at=None,
        settled_at=None,
        conversation_id=None,
        claimed_paid_at=None,
        receipt=None,
        recipient_name=None,
        attempt=0,
        due_at=None,
    )

    def draw() -> Payout:
        reference = new_reference(PREFIX, random)
        said = remarks or f"{REMARKS} {reference}"
        return replace(payout, reference=reference, remarks=said)

    return draw_unique(draw, lambda drawn: tx.payouts.add(drawn, key))


def check(
    tx: Tx, policy: Policy, person: Person, recipient: Phone, amount: Money
) -> Refusal | None:
    """Whether this person may pay this much to this phone now.

    Refusals: those of ``check_may_pay`` and ``check_amount``.
    """
    return check_may_pay(tx, policy, person) or check_amount(
        tx, person.partner.code, recipient, amount
    )


def check_may_pay(tx: Tx, policy: Policy, person: Person) -> Refusal | None:
    """Whether this person may pay customers at all now.

    Refusals: those of ``check_partner`` and ``approvals.check_freeze``, ``otp_locked``.
    """
    refusal = check_partner(tx, policy, person.partner)
    refusal = refusal or approvals.check_freeze(tx, policy, person)
    if refusal is not None:
        return refusal
    return Refusal("otp_locked") if otp.is_locked(tx, person.phone) else None


def check_partner(tx: Tx, policy: Policy, partner: Partner) -> Refusal | None:
    """Whether anybody of the partner, or a system of it, may pay customers now.

    Refusals: ``pay_not_set_up``, ``suspended``, ``pay_frozen``, ``pay_paused``.
    """
    if policy.payout_short_code is None:
        return Refusal("pay_not_set_up")
    if partner.suspended:
        return Refusal.of("suspended", partner=partner.code)
    if partner.payouts_frozen_at is not None:
        return Refusal("pay_frozen")
    return None if tx.payout_pauses.standing() is None else Refusal("pay_paused")


def check_amount(tx: Tx, partner: str, recipient: Phone, amount: Money) -> Refusal | None:
    """Whether the partner may pay this much to this phone now.

    Refusals: ``part_shillings``, ``pay_least``, ``pay_most``, ``pay_day``, ``pay_recipient_day``,
    ``pay_recipient_new``.
    """
    return (
        check_any_recipient(tx, partner, amount)
        or check_recipient_day(tx, partner, recipient, amount)
        or _check_new_recipient(tx, partner, recipient, amount)
    )


def check_any_recipient(tx: Tx, partner: str, amount: Money) -> Refusal | None:
    """The same, as far as it does not depend on who is paid.

    Refusals: ``part_shillings``, ``pay_least``, ``pay_most``, ``pay_day``.
    """
    if not amount.is_whole:
        return Refusal("part_shillings")
    if amount < (least := tx.limits.in_force("payout.min", partner)):
        return Refusal.of("pay_least", minimum=least)
    if (most := tx.limits.in_force("payout.max", partner)) < amount:
        return Refusal.of("pay_most", maximum=most)
    return check_day(tx, partner, amount)


def check_day(tx: Tx, partner: str, amount: Money) -> Refusal | None:
    """The partner's daily limit, if one is set. Refusal: ``pay_day``."""
    most = tx.limits.find("payout.day", partner)
    if most is None:
        return None
    return _left("pay_day", most, tx.payouts.paid_since(partner, _today(tx)), amount)


def check_recipient_day(tx: Tx, partner: str, recipient: Phone, amount: Money) -> Refusal | None:
    """M-PESA itself lets nobody receive more in a day (facts: Daraja 3, 6). Refusal:
    ``pay_recipient_day``."""
    most = tx.limits.in_force("payout.recipient.day", partner)
    paid = tx.payouts.paid_since(partner, _today(tx), recipient)
    return _left("pay_recipient_day", most, paid, amount)


def _check_new_recipient(tx: Tx, partner: str, recipient: Phone, amount: Money) -> Refusal | None:
    """A wrong number that was saved or typed once costs no more than this before it is noticed."""
    first = tx.payouts.first_paid_at(partner, recipient)
    if first is not None and tx.now >= first + NEW_FOR:
        return None
    most = tx.limits.in_force("payout.recipient.new", partner)
    since = tx.now if first is None else first
    return _left(
        "pay_recipient_new", most, tx.payouts.paid_since(partner, since, recipient), amount
    )


def _left(code: str, most: Money, paid: Money, amount: Money) -> Refusal | None:
    if paid + amount <= most:
        return None
    left = most - paid if paid < most else Money(0, most.currency)
    return Refusal.of(code, left=left, maximum=most)


def _today(tx: Tx) -> datetime:
    return start_of_day_at(tx.now)


def alike(tx: Tx, payout: Payout) -> Payout | None:
    """Another one of the same amount to the same phone that is under way, or was paid within a
    day."""
    return find_alike(tx, payout.partner, payout.recipient, payout.amount, payout.reference)


def find_alike(
    tx: Tx, partner: str, recipient: Phone, amount: Money, but: str = ""
) -> Payout | None:
    """One of this amount to this phone that is under way, or was paid within a day; never
    ``but``."""
    return tx.payouts.similar(partner, recipient, amount, tx.now - ALIKE_WITHIN, but)


def own_payout(tx: Tx, person: Person, reference: str) -> Payout | None:
    """The payout, if this person began it."""
    found = spending.own(tx, person, reference)
    return found if isinstance(found, Payout) else None


def shortfall(tx: Tx, partner: str, price: Quote) -> Shortfall | None:
    available = tx.ledger.balance(Account(partner, AccountKind.FLOAT)).available
    return Shortfall.of(price.total, available, tx.limits.in_force("float.min", partner))


def requote(
    tx: Tx, policy: Policy, payout: Payout, person: Person, recipient: Phone, price: Quote
) -> Payout:
    """Price an unconfirmed one anew, for this recipient."""
    assert policy.payout_short_code is not None
    payout = replace(
        payout.transition_to(payout.state, quoted_at=tx.now),
        quote=price,
        recipient=recipient,
        short_code=policy.payout_short_code,
        phone=person.phone,
    )
    tx.payouts.save(payout)
    return payout
