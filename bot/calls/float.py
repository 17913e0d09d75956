"""The call that buys float with a code."""

from __future__ import annotations

from bot.calls.answers import Problem, ProblemCode, Reply, not_found
from bot.calls.caller import CallContext
from bot.calls.code_holders import holder_of, is_hidden
from bot.calls.reading import operation
from bot.calls.refusals import (
    CODE_EXPIRED,
    CODE_LOCKED,
    CODE_SPENT,
    problem_of,
    too_little,
    wrong_code,
)
from bot.calls.requests import FloatRequest
from bot.calls.sent_codes import quote_document
from bot.handlers.wrong_codes import report_wrong_code
from services import float_purchases, float_quotes, otp
from services.domain.approval import Decision
from services.domain.fees import Quote
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.otp import OtpStatus
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.domain.spending import binding
from services.otp import NotPassed

APPROVAL_NEEDED = Problem(
    ProblemCode.APPROVAL_NEEDED, "A second person of yours must approve this first, in the chat."
)
_ENDED = {
    PurchaseState.OTP_EXPIRED: CODE_EXPIRED,
    PurchaseState.OTP_LOCKED: CODE_LOCKED,
}
_NO_CODE_YET = Problem(
    ProblemCode.OTP_REQUIRED, "This was approved: have its code sent by POST /v1/otp/generate."
)


def quote_changed(quote: Quote) -> Problem:
    return Problem(
        ProblemCode.QUOTE_CHANGED,
        "The fees differ from those that were quoted.",
        {"quote": quote_document(quote)},
    )


def buy(call: CallContext, request: FloatRequest) -> Reply | Problem:
    """Check the code, and hold the money. What does not fit the quote costs no attempt."""
    purchase = call.tx.purchases.get(request.otp_reference)
    if purchase is None or is_hidden(call, purchase):
        return not_found()
    if purchase.state is PurchaseState.AWAITING_APPROVAL:
        return not_yet(call, purchase.reference)
    if purchase.state in _ENDED:
        return _ENDED[purchase.state]
    if purchase.state is not PurchaseState.OTP_SENT:
        return CODE_SPENT
    if (problem := _differs(call, request, purchase)) is not None:
        return problem
    holder = holder_of(call, purchase.person_id)
    if isinstance(holder, Problem):
        return holder
    app, code = call.app, request.otp_code
    result = float_purchases.authorise(
        call.tx, app.keys, app.policy, holder, purchase.reference, code
    )
    match result:
        case NotPassed():
            turn = call.acts_with(holder)
            report_wrong_code(turn, binding(purchase), result, code)
            return wrong_code(result.tries_left)
        case Refusal():
            return not_found()
        case Purchase(state=PurchaseState.AUTHORISED):
            if request.description is not None:
                call.tx.public_operations.describe(purchase.reference, request.description)
            return operation(call, purchase.reference)
        case Purchase():
            if result.state is PurchaseState.OTP_LOCKED:
                turn, locked = call.acts_with(holder), NotPassed(OtpStatus.LOCKED)
                report_wrong_code(turn, binding(result), locked, code)
            return _not_bought(call, result, holder)


def not_yet(call: CallContext, purchase: str) -> Problem:
    """Why a purchase that had to be approved has no code to be used."""
    approval = call.tx.approvals.get(purchase)
    is_approved = approval is not None and approval.decision is Decision.APPROVED
    return _NO_CODE_YET if is_approved else APPROVAL_NEEDED


def _differs(call: CallContext, request: FloatRequest, purchase: Purchase) -> Problem | None:
    quote = purchase.quote
    if request.amount != quote.amount:
        newest = otp.status(call.tx, purchase.reference)
        left = 0 if newest is None else newest.tries_left
        return wrong_code(left, "This code is for another amount.")
    given = (
        (request.transfer_fee, quote.transfer_fee),
        (request.processing_fee, quote.processing_fee),
    )
    if any(fee is not None and fee != quoted for fee, quoted in given):
        return quote_changed(quote)
    return None


def _not_bought(call: CallContext, purchase: Purchase, holder: Person) -> Problem:
    if purchase.state in _ENDED:
        return _ENDED[purchase.state]
    if purchase.state is not PurchaseState.REFUSED:
        return CODE_SPENT
    assert purchase.reason is not None
    if purchase.reason == "short":
        short = float_quotes.shortfall(call.tx, purchase.partner, purchase.quote)
        assert short is not None, "it was refused for that in this transaction"
        return too_little(short)
    policy = call.app.policy
    # Its facts are not stored: they are the same in this transaction.
    refusal = float_quotes.check(
        call.tx, policy, holder, purchase.amount, whole=not policy.float_part_shillings
    )
    return problem_of(call.app.texts, refusal or Refusal(purchase.reason))
