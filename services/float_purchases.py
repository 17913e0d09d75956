"""Float purchases, the person's side: confirm and authorise (docs/architecture.md).

Each function runs inside a transaction and makes no outside calls. The bank's answers are recorded
by ``services.float_settlement``.
"""

from __future__ import annotations

from services import approvals, spending
from services.approvals import AwaitingApproval
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import float_holds
from services.domain.money import Money
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.domain.spending import CONFIRMABLE, Shortfall, SpendingState, is_in
from services.float_quotes import (
    Requoted,
    check,
    current_quote,
    own_purchase,
    requote,
    shortfall,
)
from services.otp import NotPassed
from services.policy import Policy
from services.ports import Keys, Random, Tx
from services.spending import CodeSent


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
) -> CodeSent[Purchase] | AwaitingApproval[Purchase] | Requoted | Shortfall | Refusal:
    """The person confirmed what was shown: send the code that approves exactly that.

    Refusals: those of ``check_confirmed`` and of ``otp.generate``.
    """
    purchase = check_confirmed(tx, policy, person, reference, amount, fees, total)
    if not isinstance(purchase, Purchase):
        return purchase
    return spending.send_code(tx, keys, random, purchase, limits=policy.code_limits)


def check_confirmed(
    tx: Tx,
    policy: Policy,
    person: Person,
    reference: str,
    amount: Money,
    fees: Money,
    total: Money,
) -> Purchase | AwaitingApproval[Purchase] | Requoted | Shortfall | Refusal:
    """Whether what was shown and confirmed can be bought now; a large purchase first awaits
    approval.

    Refusals: those of ``float_quotes.check``, ``approvals.request`` and
    ``approvals.still_awaiting``; ``float_over`` if it is past confirmation.
    """
    purchase = own_purchase(tx, person, reference)
    if purchase is None or not is_in(purchase, *CONFIRMABLE):
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
    wrong = spending.check_code(tx, keys, purchase, code, limits=policy.code_limits)
    return hold(tx, policy, person, purchase) if wrong is None else wrong


def hold(tx: Tx, policy: Policy, person: Person, purchase: Purchase) -> Purchase:
    """The code or the PIN was right: hold the money, or end the purchase as ``REFUSED`` if it may
    no longer be bought."""
    refusal = check(tx, policy, person, purchase.amount, whole=not policy.float_part_shillings)
    if refusal is not None:
        return spending.end(tx, purchase, SpendingState.REFUSED, refusal.code)
    if not approvals.is_approval_valid(tx, purchase):
        return spending.end(tx, purchase, SpendingState.REFUSED, "second_left")
    if shortfall(tx, purchase.partner, purchase.quote) is not None:
        return spending.end(tx, purchase, SpendingState.REFUSED, "short")
    tx.ledger.book(*float_holds(purchase.reference, purchase.partner, purchase.quote))
    purchase = purchase.transition_to(PurchaseState.AUTHORISED, authorised_at=tx.now, due_at=tx.now)
    tx.purchases.save(purchase)
    return purchase
