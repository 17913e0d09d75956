"""Float purchases that a desk PIN approves, where a channel asks for no code.

Functions run inside a transaction and make no outside calls. The person confirms a quote and types
the PIN; all checks are those of a purchase by code.
"""

from __future__ import annotations

from services import approvals, desk_pins, spending
from services.approvals import AwaitingApproval
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.money import Money
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.domain.spending import CONFIRMABLE, Shortfall, SpendingState, binding, is_in
from services.float_purchases import check_confirmed, hold
from services.float_quotes import Requoted, own_purchase, requote
from services.otp import Passed
from services.policy import Policy
from services.ports import Keys, Tx


def check_allowed(tx: Tx, policy: Policy, person: Person, amount: Money) -> Refusal | None:
    """Whether this person's PIN may buy this much. Refusals: ``float_most_ussd``, those of
    ``desk_pins.check_usable``."""
    most = policy.ussd_float_max
    if most is not None and most < amount:
        return Refusal.of("float_most_ussd", maximum=most)
    return desk_pins.check_usable(tx, policy, person)


def confirm(
    tx: Tx,
    policy: Policy,
    person: Person,
    reference: str,
    amount: Money,
    fees: Money,
    total: Money,
) -> Purchase | AwaitingApproval[Purchase] | Requoted | Shortfall | Refusal:
    """The person confirmed what was shown: returns the purchase, which the PIN may approve for ten
    minutes from now.

    Refusals: those of ``check_allowed`` and of ``float_purchases.check_confirmed``.
    """
    if (refusal := check_allowed(tx, policy, person, amount)) is not None:
        return refusal
    confirmed = check_confirmed(tx, policy, person, reference, amount, fees, total)
    if not isinstance(confirmed, Purchase):
        return confirmed
    return requote(tx, confirmed, person, confirmed.short_code, confirmed.quote)


def authorise(
    tx: Tx, keys: Keys, policy: Policy, person: Person, reference: str, pin: str
) -> Purchase | desk_pins.NotPassed | Refusal:
    """Check the PIN; if it is right, record what it approved and hold the money, in one
    transaction.

    Returns the purchase in its next state, or as it has ended meanwhile; ``NotPassed`` for a wrong
    PIN, the last of which ends the purchase. Refusals: ``float_over`` if it is somebody else's,
    those of ``check_allowed`` and of ``desk_pins.approve``.
    """
    purchase = as_of_now(tx, person, reference)
    if purchase is None:
        return Refusal("float_over")
    if not is_in(purchase, *CONFIRMABLE):
        return purchase
    if (refusal := check_allowed(tx, policy, person, purchase.amount)) is not None:
        return refusal
    answer = desk_pins.approve(tx, keys, policy, person, binding(purchase), pin)
    match answer:
        case Refusal():
            return answer
        case desk_pins.NotPassed(locked=True):
            spending.end(tx, purchase, SpendingState.REFUSED, "desk_pin_locked")
            return answer
        case desk_pins.NotPassed():
            return answer
        case Passed():
            return hold(tx, policy, person, purchase)


def as_of_now(tx: Tx, person: Person, reference: str) -> Purchase | None:
    """This person's purchase, ended if a PIN can no longer approve it: its quote is too old, or it
    needs a colleague's approval that it does not have."""
    purchase = own_purchase(tx, person, reference)
    if purchase is None or not is_in(purchase, *CONFIRMABLE):
        return purchase
    if purchase.quote_ends_at <= tx.now:
        return spending.end(tx, purchase, SpendingState.REFUSED, "quote_over")
    was_asked = purchase.state is PurchaseState.AWAITING_APPROVAL
    if not was_asked and approvals.is_needed(person.partner, purchase.amount):
        return spending.end(tx, purchase, SpendingState.REFUSED, "second_needed")
    return _approved(tx, purchase) if was_asked else purchase


def _approved(tx: Tx, purchase: Purchase) -> Purchase:
    """One that a colleague approved, ended if that no longer counts."""
    still = approvals.still_awaiting(tx, purchase)
    assert not isinstance(still, AwaitingApproval), "before it is approved, no PIN is asked for"
    now = tx.purchases.get(purchase.reference)
    assert now is not None
    if still is None or now.state is not PurchaseState.AWAITING_APPROVAL:
        return now
    return spending.end(tx, now, SpendingState.REFUSED, "second_unused")
