"""The call that pays a customer: with a code, or under the key's ceiling without one."""

from __future__ import annotations

from bot.calls.answers import FieldError, Problem, Reply, invalid, not_found
from bot.calls.caller import CHANNEL, CallContext
from bot.calls.code_holders import holder_of, is_hidden
from bot.calls.float import not_yet
from bot.calls.reading import operation
from bot.calls.refusals import (
    CODE_EXPIRED,
    CODE_LOCKED,
    CODE_SPENT,
    alike,
    float_short,
    problem_of,
    wrong_code,
)
from bot.calls.requests import PayoutRequest
from bot.handlers.wrong_codes import report_wrong_code
from services import otp, payout_quotes, payouts, payouts_by_key
from services.domain.otp import OtpStatus
from services.domain.partner import Person
from services.domain.payout import Payout, PayoutState
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall, binding
from services.otp import NotPassed
from services.payouts_by_key import Alike

_ENDED = {
    PayoutState.OTP_EXPIRED: CODE_EXPIRED,
    PayoutState.OTP_LOCKED: CODE_LOCKED,
}
_OTHER = "This code is for another amount or recipient."


def pay(call: CallContext, request: PayoutRequest) -> Reply | Problem:
    if (request.otp_reference is None) != (request.otp_code is None):
        missing = "/otp_code" if request.otp_code is None else "/otp_reference"
        return invalid(FieldError(missing, "A code is sent with its reference."))
    if request.otp_reference is not None and request.otp_code is not None:
        return _with_code(call, request, request.otp_reference, request.otp_code)
    return _without_code(call, request)


def find(call: CallContext, reference: str) -> Reply | Problem:
    """One payout; an operation of another kind is not there."""
    if call.tx.payouts.get(reference) is None:
        return not_found()
    return operation(call, reference)


def _without_code(call: CallContext, request: PayoutRequest) -> Reply | Problem:
    started = payouts_by_key.start_without_code(
        call.tx,
        call.app.random,
        call.app.policy,
        call.partner,
        call.key,
        CHANNEL,
        call.turn.key,
        request.phone_number,
        request.amount,
        request.remarks,
        request.client_reference,
        again=bool(request.again),
    )
    match started:
        case Refusal():
            return problem_of(call.app.texts, started)
        case Alike(standing):
            return alike(standing.reference)
        case Shortfall():
            return float_short(started)
        case Payout(reference=reference):
            return operation(call, reference)


def _with_code(
    call: CallContext, request: PayoutRequest, reference: str, code: str
) -> Reply | Problem:
    """Go on with the operation that the code was sent for. What the code costs is counted last."""
    payout = call.tx.payouts.get(reference)
    if payout is None or is_hidden(call, payout):
        return not_found()
    if (problem := _unfit(call, request, payout)) is not None:
        return problem
    holder = holder_of(call, payout.person_id)
    if isinstance(holder, Problem):
        return holder
    app = call.app
    result = payouts.authorise(
        call.tx,
        app.keys,
        app.policy,
        holder,
        reference,
        code,
        request.remarks,
        request.client_reference,
        again=bool(request.again),
    )
    match result:
        case NotPassed():
            report_wrong_code(call.acts_with(holder), binding(payout), result, code)
            return wrong_code(result.tries_left)
        case Refusal():
            return not_found()
        case Payout(state=PayoutState.AUTHORISED):
            return operation(call, reference)
        case Payout():
            if result.state is PayoutState.OTP_LOCKED:
                turn, locked = call.acts_with(holder), NotPassed(OtpStatus.LOCKED)
                report_wrong_code(turn, binding(payout), locked, code)
            return _not_paid(call, result, holder)


def _unfit(call: CallContext, request: PayoutRequest, payout: Payout) -> Problem | None:
    """What keeps the code from being looked at, and so costs no attempt."""
    if payout.state is PayoutState.AWAITING_APPROVAL:
        return not_yet(call, payout.reference)
    if payout.state in _ENDED:
        return _ENDED[payout.state]
    if payout.state is not PayoutState.OTP_SENT:
        return CODE_SPENT
    if (request.amount, request.phone_number) != (payout.amount, payout.recipient):
        newest = otp.status(call.tx, payout.reference)
        return wrong_code(0 if newest is None else newest.tries_left, _OTHER)
    # That payouts rest says nothing of this one, which may go on afterwards with the same code.
    refusal = payout_quotes.check_partner(call.tx, call.app.policy, call.partner)
    if refusal is not None:
        return problem_of(call.app.texts, refusal)
    standing = payout_quotes.alike(call.tx, payout)
    return alike(standing.reference) if standing is not None and not request.again else None


def _not_paid(call: CallContext, payout: Payout, holder: Person) -> Problem:
    if payout.state in _ENDED:
        return _ENDED[payout.state]
    if payout.state is not PayoutState.REFUSED:
        return CODE_SPENT
    assert payout.reason is not None
    if payout.reason == "float_short":
        short = payout_quotes.shortfall(call.tx, payout.partner, payout.quote)
        assert short is not None, "it was refused for that in this transaction"
        return float_short(short)
    # Its facts are not stored: they are the same in this transaction.
    refusal = payout_quotes.check(call.tx, call.app.policy, holder, payout.recipient, payout.amount)
    return problem_of(call.app.texts, refusal or Refusal(payout.reason))
