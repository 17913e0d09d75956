"""Float purchases, the person's side: code, authorise, cancel (docs/architecture.md).

Each function runs inside a transaction and makes no outside calls. The bank's answers are recorded
by ``services.float_settlement``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services import approvals, otp
from services.approvals import AwaitingApproval
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import float_holds
from services.domain.money import Money
from services.domain.otp import CODE_LIMITS, Binding, CodeLimits, OtpStatus, Purpose
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.float_quotes import (
    InsufficientFunds,
    Requoted,
    check,
    current_quote,
    own_purchase,
    requote,
    shortfall,
)
from services.otp import Issued, NotPassed
from services.policy import Policy
from services.ports import Keys, Random, Tx

PAGE = 500  # rows of one clean-up transaction

CONFIRMABLE = frozenset({PurchaseState.QUOTED, PurchaseState.AWAITING_APPROVAL})
_CANCELLABLE = CONFIRMABLE | {PurchaseState.OTP_SENT}


@dataclass(frozen=True, slots=True)
class CodeSent:
    purchase: Purchase
    issued: Issued


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
    """The person confirmed what was shown: send the code that approves exactly that.

    Refusals: those of ``check_confirmed`` and of ``otp.generate``.
    """
    purchase = check_confirmed(tx, policy, person, reference, amount, fees, total)
    if not isinstance(purchase, Purchase):
        return purchase
    issued = otp.generate(
        tx, keys, random, binding(purchase), purchase.phone, limits=policy.code_limits
    )
    if isinstance(issued, Refusal):
        return issued
    purchase = purchase.transition_to(PurchaseState.OTP_SENT)
    tx.purchases.save(purchase)
    return CodeSent(purchase, issued)


def check_confirmed(
    tx: Tx,
    policy: Policy,
    person: Person,
    reference: str,
    amount: Money,
    fees: Money,
    total: Money,
) -> Purchase | AwaitingApproval | Requoted | InsufficientFunds | Refusal:
    """Whether what was shown and confirmed can be bought now; a large purchase first awaits
    approval.

    Refusals: those of ``float_quotes.check``, ``approvals.request`` and
    ``approvals.still_awaiting``; ``float_over`` if it is past confirmation.
    """
    purchase = own_purchase(tx, person, reference)
    if purchase is None or purchase.state not in CONFIRMABLE:
        return Refusal("float_over")
    refusal = check(tx, policy, person, amount, whole=not policy.float_part_shillings)
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
        price = current_quote(tx, person.partner.code, amount)
        if (short := shortfall(tx, purchase.partner, price)) is not None:
            return short
        purchase = requote(tx, purchase, person, policy.short_code, price)
        if not was_asked or (price.amount, price.fees, price.total) != shown:
            return Requoted(purchase)
    if (short := shortfall(tx, purchase.partner, purchase.quote)) is not None:
        return short
    if not was_asked and approvals.is_needed(person.partner, purchase.amount):
        return approvals.request(tx, policy, person, purchase)
    return purchase


def resend(
    tx: Tx,
    keys: Keys,
    random: Random,
    person: Person,
    reference: str,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> CodeSent | Purchase | Refusal:
    """Send another code, which revokes the previous one; returns the purchase if it has ended.

    Refusals: those of ``otp.generate``.
    """
    purchase = own_purchase(tx, person, reference)
    if purchase is None:
        return Refusal("float_over")
    purchase = _as_of_now(tx, purchase)
    if purchase.state is not PurchaseState.OTP_SENT:
        return purchase
    # The number was changed meanwhile: no code for this purchase
    if purchase.phone != person.phone:
        otp.revoke(tx, reference)
        return end(tx, purchase, PurchaseState.CANCELLED, None)
    issued = otp.generate(tx, keys, random, binding(purchase), purchase.phone, limits=limits)
    return issued if isinstance(issued, Refusal) else CodeSent(purchase, issued)


def as_of_now(tx: Tx, person: Person, reference: str) -> Purchase | None:
    """This person's purchase, ended if its code has expired."""
    purchase = own_purchase(tx, person, reference)
    return None if purchase is None else _as_of_now(tx, purchase)


def authorise(
    tx: Tx, keys: Keys, policy: Policy, person: Person, reference: str, code: str
) -> Purchase | NotPassed | Refusal:
    """Check the code; if it is right, consume it and hold the money, in one transaction.

    Returns the purchase in its next state, including ``REFUSED``, ``OTP_LOCKED`` and
    ``OTP_EXPIRED``; ``NotPassed`` while tries are left. A right code with insufficient funds ends
    it: the code is consumed, and nothing is held.
    """
    purchase = own_purchase(tx, person, reference)
    if purchase is None:
        return Refusal("float_over")
    if purchase.state is not PurchaseState.OTP_SENT:
        return purchase
    answer = otp.validate(tx, keys, binding(purchase), code, limits=policy.code_limits)
    if isinstance(answer, NotPassed):
        if answer.status is OtpStatus.PENDING:
            return answer
        return end_with_code(tx, purchase, answer.status)
    return hold(tx, policy, person, purchase)


def hold(tx: Tx, policy: Policy, person: Person, purchase: Purchase) -> Purchase:
    """The code or the PIN was right: hold the money, or end the purchase as ``REFUSED`` if it may
    no longer be bought."""
    refusal = check(tx, policy, person, purchase.amount, whole=not policy.float_part_shillings)
    if refusal is not None:
        return end(tx, purchase, PurchaseState.REFUSED, refusal.code)
    if not approvals.is_approval_valid(tx, purchase):
        return end(tx, purchase, PurchaseState.REFUSED, "second_left")
    if shortfall(tx, purchase.partner, purchase.quote) is not None:
        return end(tx, purchase, PurchaseState.REFUSED, "short")
    tx.ledger.book(*float_holds(purchase.reference, purchase.partner, purchase.quote))
    purchase = purchase.transition_to(PurchaseState.AUTHORISED, authorised_at=tx.now, due_at=tx.now)
    tx.purchases.save(purchase)
    return purchase


_ENDED_BY = {
    OtpStatus.LOCKED: PurchaseState.OTP_LOCKED,
    OtpStatus.EXPIRED: PurchaseState.OTP_EXPIRED,
}


def end_with_code(tx: Tx, purchase: Purchase, status: OtpStatus) -> Purchase:
    """End one whose code can no longer be used; one that does not wait for it stays."""
    if purchase.state is not PurchaseState.OTP_SENT:
        return purchase
    return end(tx, purchase, _ENDED_BY.get(status, PurchaseState.CANCELLED), None)


def cancel(tx: Tx, person: Person, reference: str) -> Purchase | None:
    """Cancel it if no money is held yet, and revoke its code. ``None`` if it was too late."""
    purchase = own_purchase(tx, person, reference)
    if purchase is None or purchase.state not in _CANCELLABLE:
        return None
    otp.revoke(tx, reference)
    approvals.withdraw(tx, reference)
    return end(tx, purchase, PurchaseState.CANCELLED, None)


def undeliverable(tx: Tx, reference: str) -> Purchase | None:
    """Its code cannot be delivered: revoke the code and end the purchase."""
    purchase = tx.purchases.get(reference)
    if purchase is None or purchase.state is not PurchaseState.OTP_SENT:
        return None
    otp.revoke(tx, reference)
    return end(tx, purchase, PurchaseState.REFUSED, "code_undeliverable")


def expire(tx: Tx, references: list[str]) -> None:
    """Their codes have expired."""
    for reference in references:
        purchase = tx.purchases.get(reference)
        if purchase is not None and purchase.state is PurchaseState.OTP_SENT:
            end(tx, purchase, PurchaseState.OTP_EXPIRED, None)


def drop_stale_quotes(tx: Tx, max_age: timedelta) -> int:
    """Cancel quotes older than ``max_age``; returns how many, at most ``PAGE``."""
    stale = tx.purchases.stale_quotes(tx.now - max_age, PAGE)
    for purchase in stale:
        end(tx, purchase, PurchaseState.CANCELLED, None)
    return len(stale)


def binding(purchase: Purchase) -> Binding:
    """What the purchase's code approves: the total that leaves the wallet, and its destination."""
    assert purchase.person_id is not None
    return Binding(
        purpose=Purpose.FLOAT_PURCHASE,
        operation=purchase.reference,
        partner=purchase.partner,
        person_id=purchase.person_id,
        amount=purchase.quote.total,
        destination=purchase.short_code,
    )


def _as_of_now(tx: Tx, purchase: Purchase) -> Purchase:
    """The purchase, ended if its code has expired."""
    if purchase.state is PurchaseState.OTP_SENT:
        newest = otp.status(tx, purchase.reference)
        if newest is not None and newest.status is OtpStatus.EXPIRED:
            return end(tx, purchase, PurchaseState.OTP_EXPIRED, None)
    return purchase


def end(tx: Tx, purchase: Purchase, state: PurchaseState, reason: str | None) -> Purchase:
    purchase = purchase.transition_to(state, reason=reason, settled_at=tx.now, due_at=None)
    tx.purchases.save(purchase)
    return purchase
