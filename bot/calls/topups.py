"""Calls that top up the wallet."""

from __future__ import annotations

from bot.calls.answers import FieldError, Problem, Reply, invalid, not_found
from bot.calls.caller import CHANNEL, CallContext
from bot.calls.code_holders import holder_of, is_hidden
from bot.calls.reading import find, operation
from bot.calls.refusals import (
    CODE_EXPIRED,
    CODE_LOCKED,
    CODE_SPENT,
    duplicate,
    problem_of,
    wrong_code,
)
from bot.calls.requests import ReferenceRequest, TopUpRequest
from bot.handlers.wrong_codes import report_wrong_code
from services import outcome_queries, topups
from services.domain.otp import OtpStatus
from services.domain.refusal import Refusal
from services.domain.topup import POLLS, TopUp, TopUpState
from services.otp import NotPassed
from services.topups import Duplicate

ASKED_EVERY = POLLS[0][1]  # as often as the schedule asks at most
_ENDED = {
    TopUpState.OTP_EXPIRED: CODE_EXPIRED,
    TopUpState.OTP_LOCKED: CODE_LOCKED,
}
_OTHER = "This code is not for this top-up."


def start(call: CallContext, request: TopUpRequest) -> Reply | Problem:
    if (request.otp_reference is None) != (request.otp_code is None):
        missing = "/otp_code" if request.otp_code is None else "/otp_reference"
        return invalid(FieldError(missing, "A code is sent with its reference."))
    if request.otp_reference is not None and request.otp_code is not None:
        return _with_code(call, request, request.otp_reference, request.otp_code)
    started = topups.start_for_system(
        call.tx,
        call.app.random,
        call.partner,
        CHANNEL,
        call.key.id,
        call.turn.key,
        request.amount,
        request.phone_number,
        policy=call.app.policy,
        again=bool(request.again),
    )
    match started:
        case Refusal():
            return problem_of(call.app.texts, started)
        case Duplicate(standing):
            return duplicate(standing.reference)
        case TopUp(reference=reference):
            return _begun(call, reference, request.description)


def _with_code(
    call: CallContext, request: TopUpRequest, reference: str, code: str
) -> Reply | Problem:
    """Go on with the operation that the code was sent for. What the code costs is counted last."""
    topup = call.tx.topups.get(reference)
    if topup is None or is_hidden(call, topup):
        return not_found()
    if topup.state in _ENDED:
        return _ENDED[topup.state]
    if topup.state is not TopUpState.OTP_SENT:
        return CODE_SPENT
    if (topup.amount, topup.phone) != (request.amount, request.phone_number):
        newest = call.tx.otps.newest(reference)
        assert newest is not None, "it was begun with a code"
        return wrong_code(newest.tries_left, _OTHER)
    policy = call.app.policy
    refusal = topups.check_for_system(call.tx, policy, call.partner, topup.amount, topup.phone)
    if refusal is not None:
        return problem_of(call.app.texts, refusal)
    partner = call.partner.code
    standing = topups.find_duplicate(call.tx, partner, topup.amount, topup.phone)
    if standing is not None and not request.again:
        return duplicate(standing.reference)
    holder = holder_of(call, topup.person_id)
    if isinstance(holder, Problem):
        return holder
    binding = topups.code_binding(holder, reference, topup.amount, topup.phone)
    begun = topups.authorise(call.tx, call.app.keys, call.app.policy, holder, topup, code)
    if isinstance(begun, NotPassed):
        report_wrong_code(call.acts_with(holder), binding, begun, code)
        return wrong_code(begun.tries_left)
    if begun.state is TopUpState.OTP_LOCKED:
        report_wrong_code(call.acts_with(holder), binding, NotPassed(OtpStatus.LOCKED), code)
    if begun.state is not TopUpState.CREATED:
        return _ENDED.get(begun.state, CODE_SPENT)
    return _begun(call, reference, request.description)


def _begun(call: CallContext, reference: str, description: str | None) -> Reply | Problem:
    if description is not None:
        call.tx.public_operations.describe(reference, description)
    return operation(call, reference)


def validate(call: CallContext, request: ReferenceRequest) -> Reply | Problem:
    """``ask_bank`` about a top-up: a key for top-ups sees no others."""
    if call.tx.topups.get(request.reference) is None:
        return not_found()
    return ask_bank(call, request)


def ask_bank(call: CallContext, request: ReferenceRequest) -> Reply | Problem:
    """Have the bank, or M-PESA about a payout, asked about it now, if it can say anything new and
    was not asked just now."""
    if find(call, request.reference) is None:
        return not_found()
    asked_at = call.tx.evidence.asked_at(request.reference)
    if asked_at is None or call.tx.now - asked_at >= ASKED_EVERY:
        outcome_queries.query_now(call.tx, request.reference)
    return operation(call, request.reference)
