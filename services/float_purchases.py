"""Float purchases, the person's side: quote, code, authorise, cancel (docs/architecture.md).

Each function runs inside a transaction and calls nobody outside. What the bank says is taken in
by ``services.float_settlement``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from services import approvals, otp
from services.approvals import AwaitingApproval
from services.domain.business_days import start_of_day_at
from services.domain.fees import FeeKind, Quote, quote
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import Account, AccountKind, float_holds
from services.domain.money import Money
from services.domain.otp import Binding, OtpStatus, Purpose
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed
from services.policy import Policy
from services.ports import Keys, Random, Tx

PAGE = 500  # rows of one clean-up transaction

_CONFIRMABLE = frozenset({PurchaseState.QUOTED, PurchaseState.AWAITING_APPROVAL})
_CANCELLABLE = _CONFIRMABLE | {PurchaseState.OTP_SENT}


@dataclass(frozen=True, slots=True)
class InsufficientFunds:
    """The wallet holds less than the purchase costs; ``missing`` in whole shillings."""

    total: Money
    available: Money
    missing: Money


@dataclass(frozen=True, slots=True)
class Requoted:
    """The quote had run out before it was confirmed: here is another to look at."""

    purchase: Purchase


@dataclass(frozen=True, slots=True)
class CodeSent:
    purchase: Purchase
    issued: Issued


def request(
    tx: Tx,
    random: Random,
    policy: Policy,
    person: Person,
    channel: str,
    address: str,
    key: str,
    amount: Money,
) -> Purchase | InsufficientFunds | Refusal:
    """Quote ``amount`` for this address; an older quote that nobody confirmed is taken over, and
    one of the same amount that a second person was asked about is gone on with.

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
    price = _quote(tx, person.partner.code, amount)
    if (short := _short(tx, person.partner.code, price)) is not None:
        return short
    standing = tx.purchases.quoted(channel, address)
    if standing is not None and _own(tx, person, standing.reference) is not None:
        return _requote(tx, standing, person, policy.short_code, price)
    if standing is not None:  # the address is somebody else's now
        tx.purchases.save(standing.transition_to(PurchaseState.CANCELLED, settled_at=tx.now))
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


def check(tx: Tx, policy: Policy, person: Person, amount: Money) -> Refusal | None:
    """Whether this person may buy so much float now.

    Refusals: those of ``check_may_buy``, ``part_shillings``, ``float_least``, ``float_most``,
    ``float_day``, ``float_day_desk``.
    """
    if (refusal := check_may_buy(tx, policy, person)) is not None:
        return refusal
    partner = person.partner.code
    if not amount.is_whole:
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
    """The limits of a business day, of the partner and of the whole desk, where they are set."""
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


def confirm(
    tx: Tx,
    keys: Keys,
    random: Random,
    policy: Policy,
    person: Person,
    reference: str,
    amount: Money,
    fees: Money,
    total: Money,
) -> CodeSent | AwaitingApproval | Requoted | InsufficientFunds | Refusal:
    """The person said yes to what was shown: send the code that approves exactly that.

    A large one first awaits a second person. Refusals: those of ``check``, ``approvals.request``,
    ``approvals.still_awaiting`` and ``otp.generate``; ``float_over`` when it is decided already.
    """
    purchase = _own(tx, person, reference)
    if purchase is None or purchase.state not in _CONFIRMABLE:
        return Refusal("float_over")
    refusal = check(tx, policy, person, amount)
    if refusal is not None:
        return refusal
    was_asked = purchase.state is PurchaseState.AWAITING_APPROVAL
    if was_asked and (still := approvals.still_awaiting(tx, purchase)) is not None:
        return still
    shown = (amount, fees, total)
    quoted = purchase.quote
    if (
        tx.now >= purchase.quote_ends_at
        or (quoted.amount, quoted.fees, quoted.total) != shown
        or purchase.short_code != policy.short_code
        or purchase.phone != person.phone
    ):
        assert policy.short_code is not None
        price = _quote(tx, person.partner.code, amount)
        if (short := _short(tx, purchase.partner, price)) is not None:
            return short
        purchase = _requote(tx, purchase, person, policy.short_code, price)
        if not was_asked or (price.amount, price.fees, price.total) != shown:
            return Requoted(purchase)
    if (short := _short(tx, purchase.partner, purchase.quote)) is not None:
        return short
    if not was_asked and approvals.is_needed(person.partner, purchase.amount):
        return approvals.request(tx, policy, person, purchase)
    issued = otp.generate(tx, keys, random, binding(purchase), purchase.phone)
    if isinstance(issued, Refusal):
        return issued
    purchase = purchase.transition_to(PurchaseState.OTP_SENT)
    tx.purchases.save(purchase)
    return CodeSent(purchase, issued)


def reprice(
    tx: Tx, policy: Policy, person: Person, reference: str
) -> Requoted | InsufficientFunds | None:
    """A new quote to look at, where the partner's fees were changed after the one that was shown.

    ``None`` where the quote stands, and where it cannot be confirmed anyway: ``confirm`` says why.
    """
    purchase = _own(tx, person, reference)
    if purchase is None or purchase.state is not PurchaseState.QUOTED:
        return None
    quoted, price = purchase.quote, _quote(tx, purchase.partner, purchase.amount)
    if (quoted.fees, quoted.total) == (price.fees, price.total):
        return None
    if check(tx, policy, person, purchase.amount) is not None:
        return None
    if (short := _short(tx, purchase.partner, price)) is not None:
        return short
    assert policy.short_code is not None
    return Requoted(_requote(tx, purchase, person, policy.short_code, price))


def resend(
    tx: Tx, keys: Keys, random: Random, person: Person, reference: str
) -> CodeSent | Purchase | Refusal:
    """Another code, which kills the one before; the purchase itself when it has ended.

    Refusals: those of ``otp.generate``.
    """
    purchase = _own(tx, person, reference)
    if purchase is None:
        return Refusal("float_over")
    purchase = _as_of_now(tx, purchase)
    if purchase.state is not PurchaseState.OTP_SENT:
        return purchase
    if purchase.phone != person.phone:  # a number that was changed meanwhile gets no code for it
        otp.revoke(tx, reference)
        return _end(tx, purchase, PurchaseState.CANCELLED, None)
    issued = otp.generate(tx, keys, random, binding(purchase), purchase.phone)
    return issued if isinstance(issued, Refusal) else CodeSent(purchase, issued)


def as_of_now(tx: Tx, person: Person, reference: str) -> Purchase | None:
    """This person's purchase, ended where its code's time has run out."""
    purchase = _own(tx, person, reference)
    return None if purchase is None else _as_of_now(tx, purchase)


def authorise(
    tx: Tx, keys: Keys, policy: Policy, person: Person, reference: str, code: str
) -> Purchase | NotPassed | Refusal:
    """Check the code; when it is right, consume it and hold the money, in this one transaction.

    Returns the purchase in its next state, also where that is ``REFUSED``, ``OTP_LOCKED`` or
    ``OTP_EXPIRED``; ``NotPassed`` while tries are left. A right code with too little money ends
    it: the code is spent, and nothing is held.
    """
    purchase = _own(tx, person, reference)
    if purchase is None:
        return Refusal("float_over")
    if purchase.state is not PurchaseState.OTP_SENT:
        return purchase
    answer = otp.validate(tx, keys, binding(purchase), code)
    if isinstance(answer, NotPassed):
        if answer.status is OtpStatus.PENDING:
            return answer
        return _end(tx, purchase, _ENDED_BY.get(answer.status, PurchaseState.CANCELLED), None)
    refusal = check(tx, policy, person, purchase.amount)
    if refusal is not None:
        return _end(tx, purchase, PurchaseState.REFUSED, refusal.code)
    if not approvals.is_approval_valid(tx, purchase):
        return _end(tx, purchase, PurchaseState.REFUSED, "second_left")
    if _short(tx, purchase.partner, purchase.quote) is not None:
        return _end(tx, purchase, PurchaseState.REFUSED, "short")
    tx.ledger.book(*float_holds(purchase.reference, purchase.partner, purchase.quote))
    purchase = purchase.transition_to(PurchaseState.AUTHORISED, authorised_at=tx.now, due_at=tx.now)
    tx.purchases.save(purchase)
    return purchase


_ENDED_BY = {
    OtpStatus.LOCKED: PurchaseState.OTP_LOCKED,
    OtpStatus.EXPIRED: PurchaseState.OTP_EXPIRED,
}


def cancel(tx: Tx, person: Person, reference: str) -> Purchase | None:
    """Let it go, if no money is held yet; its code dies. ``None`` when it was too late."""
    purchase = _own(tx, person, reference)
    if purchase is None or purchase.state not in _CANCELLABLE:
        return None
    otp.revoke(tx, reference)
    approvals.withdraw(tx, reference)
    return _end(tx, purchase, PurchaseState.CANCELLED, None)


def undeliverable(tx: Tx, reference: str) -> Purchase | None:
    """Its code can reach nobody: the code dies, and the purchase with it."""
    purchase = tx.purchases.get(reference)
    if purchase is None or purchase.state is not PurchaseState.OTP_SENT:
        return None
    otp.revoke(tx, reference)
    return _end(tx, purchase, PurchaseState.REFUSED, "code_undeliverable")


def expire(tx: Tx, references: list[str]) -> None:
    """Their codes' time has run out."""
    for reference in references:
        purchase = tx.purchases.get(reference)
        if purchase is not None and purchase.state is PurchaseState.OTP_SENT:
            _end(tx, purchase, PurchaseState.OTP_EXPIRED, None)


def drop_stale_quotes(tx: Tx, kept: timedelta) -> int:
    """Cancel quotes that were made so long ago; returns how many, ``PAGE`` at most."""
    stale = tx.purchases.stale_quotes(tx.now - kept, PAGE)
    for purchase in stale:
        _end(tx, purchase, PurchaseState.CANCELLED, None)
    return len(stale)


def binding(purchase: Purchase) -> Binding:
    """What the purchase's code approves: the total that leaves the wallet, and where it goes."""
    assert purchase.person_id is not None
    return Binding(
        purpose=Purpose.FLOAT_PURCHASE,
        operation=purchase.reference,
        partner=purchase.partner,
        person_id=purchase.person_id,
        amount=purchase.quote.total,
        destination=purchase.short_code,
    )


def _own(tx: Tx, person: Person, reference: str) -> Purchase | None:
    """The purchase, if this very person began it."""
    purchase = tx.purchases.get(reference)
    if purchase is None or purchase.person_id != person.id:
        return None
    return purchase if purchase.partner == person.partner.code else None


def _as_of_now(tx: Tx, purchase: Purchase) -> Purchase:
    """The purchase, ended if its code's time has run out."""
    if purchase.state is PurchaseState.OTP_SENT:
        newest = otp.status(tx, purchase.reference)
        if newest is not None and newest.status is OtpStatus.EXPIRED:
            return _end(tx, purchase, PurchaseState.OTP_EXPIRED, None)
    return purchase


def _quote(tx: Tx, partner: str, amount: Money) -> Quote:
    return quote(
        amount,
        tx.fees.in_force(partner, FeeKind.TRANSFER),
        tx.fees.in_force(partner, FeeKind.PROCESSING),
    )


def _short(tx: Tx, partner: str, price: Quote) -> InsufficientFunds | None:
    available = tx.ledger.balance(Account(partner, AccountKind.WALLET)).available
    if price.total <= available:
        return None
    missing = price.total - available
    shillings = -(-missing.cents // 100)
    return InsufficientFunds(price.total, available, Money(shillings * 100))


def _requote(tx: Tx, purchase: Purchase, person: Person, short_code: str, price: Quote) -> Purchase:
    purchase = replace(
        purchase.transition_to(purchase.state, quoted_at=tx.now),
        quote=price,
        short_code=short_code,
        phone=person.phone,
    )
    tx.purchases.save(purchase)
    return purchase


def _end(tx: Tx, purchase: Purchase, state: PurchaseState, reason: str | None) -> Purchase:
    purchase = purchase.transition_to(state, reason=reason, settled_at=tx.now, due_at=None)
    tx.purchases.save(purchase)
    return purchase
