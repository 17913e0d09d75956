"""Payouts, the person's side: confirm and authorise (docs/architecture.md).

Each function runs inside a transaction and makes no outside calls. What M-PESA says is recorded by
``services.payout_settlement``.
"""

from __future__ import annotations

from dataclasses import replace

from services import approvals, spending
from services.approvals import AwaitingApproval
from services.domain.ledger import payout_holds
from services.domain.money import Money
from services.domain.partner import Person
from services.domain.payout import Payout, PayoutState
from services.domain.payout_batch import REPEATED
from services.domain.payout_tariff import payout_quote
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import CONFIRMABLE, Shortfall, SpendingState, is_in
from services.otp import NotPassed
from services.payout_quotes import check, own_payout, requote, shortfall
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
    recipient: Phone,
    amount: Money,
    fees: Money,
) -> CodeSent[Payout] | AwaitingApproval[Payout] | Shortfall | Refusal:
    """The person confirmed what was shown: send the code that approves exactly that.

    Refusals: those of ``check_confirmed`` and of ``otp.generate``.
    """
    payout = check_confirmed(tx, policy, person, reference, recipient, amount, fees)
    if not isinstance(payout, Payout):
        return payout
    return spending.send_code(tx, keys, random, payout, limits=policy.code_limits)


def check_confirmed(
    tx: Tx,
    policy: Policy,
    person: Person,
    reference: str,
    recipient: Phone,
    amount: Money,
    fees: Money,
) -> Payout | AwaitingApproval[Payout] | Shortfall | Refusal:
    """Whether what was shown and confirmed can be paid now; a large payout first awaits approval.

    Refusals: those of ``payout_quotes.check``, ``approvals.request`` and
    ``approvals.still_awaiting``; ``pay_over`` if it is past confirmation, was not quoted as shown,
    or its person or short code is another by now.
    """
    payout = own_payout(tx, person, reference)
    if payout is None or not is_in(payout, *CONFIRMABLE):
        return Refusal("pay_over")
    # Back at a quote shown earlier: what is confirmed is that one.
    is_earlier = (payout.recipient, payout.amount) != (recipient, amount)
    price = payout_quote(amount) if is_earlier else payout.quote
    if price.fees != fees or (is_earlier and not is_in(payout, SpendingState.QUOTED)):
        return Refusal("pay_over")
    if payout.phone != person.phone or payout.short_code != policy.payout_short_code:
        spending.end(tx, payout, SpendingState.CANCELLED, None)
        return Refusal("pay_over")
    refusal = check(tx, policy, person, recipient, amount)
    if refusal is not None:
        return refusal
    if is_earlier:
        payout = requote(tx, policy, payout, person, recipient, price)
    was_asked = is_in(payout, SpendingState.AWAITING_APPROVAL)
    if was_asked and (still := approvals.still_awaiting(tx, payout)) is not None:
        return still
    if (short := shortfall(tx, payout.partner, payout.quote)) is not None:
        return short
    if not was_asked and approvals.is_needed(person.partner, payout.amount):
        return approvals.request(tx, policy, person, payout)
    return payout


def authorise(
    tx: Tx,
    keys: Keys,
    policy: Policy,
    person: Person,
    reference: str,
    code: str,
    remarks: str | None = None,
    client_reference: str | None = None,
    *,
    again: bool = False,
) -> Payout | NotPassed | Refusal:
    """Check the code; if it is right, consume it and hold the float, in one transaction. What a
    partner's system says of the payout comes with the code. ``again``: one more is meant, whatever
    a file has paid since it was quoted; otherwise that ends it.

    Returns the payout in its next state, including ``REFUSED``, ``OTP_LOCKED`` and
    ``OTP_EXPIRED``; ``NotPassed`` while tries are left. A right code with too little float ends
    it: the code is consumed, and nothing is held.
    """
    payout = own_payout(tx, person, reference)
    if payout is None:
        return Refusal("pay_over")
    if payout.state is not PayoutState.OTP_SENT:
        return payout
    wrong = spending.check_code(tx, keys, payout, code, limits=policy.code_limits)
    if wrong is not None:
        return wrong
    payout = replace(
        payout,
        remarks=remarks or payout.remarks,
        client_reference=client_reference or payout.client_reference,
    )
    if not again and tx.payouts.has_row_since(payout):
        return spending.end(tx, payout, SpendingState.REFUSED, REPEATED)
    return hold(tx, policy, person, payout)


def hold(tx: Tx, policy: Policy, person: Person, payout: Payout) -> Payout:
    """The code was right, or none is needed: hold the float, or end the payout as ``REFUSED`` if it
    may no longer be made."""
    refusal = check(tx, policy, person, payout.recipient, payout.amount)
    return hold_checked(tx, payout, refusal)


def hold_checked(tx: Tx, payout: Payout, refusal: Refusal | None) -> Payout:
    """Hold the float unless the check of who asks for it has refused."""
    if refusal is not None:
        return spending.end(tx, payout, SpendingState.REFUSED, refusal.code)
    if not approvals.is_approval_valid(tx, payout):
        return spending.end(tx, payout, SpendingState.REFUSED, "second_left")
    if shortfall(tx, payout.partner, payout.quote) is not None:
        return spending.end(tx, payout, SpendingState.REFUSED, "float_short")
    tx.ledger.book(*payout_holds(payout.reference, payout.partner, payout.quote))
    payout = payout.transition_to(
        PayoutState.AUTHORISED, authorised_at=tx.now, ready_since=tx.now, due_at=tx.now
    )
    tx.payouts.save(payout)
    return payout
