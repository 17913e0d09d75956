"""The call that has a one-time code sent, and creates the operation that it approves."""

from __future__ import annotations

from bot.calls import payout_codes
from bot.calls.answers import FieldError, Problem, ProblemCode, Reply, invalid, not_found
from bot.calls.caller import CHANNEL, CallContext, missing_scope
from bot.calls.code_holders import holder_of, is_hidden, registered, scope_of
from bot.calls.fields import WHOLE_ONLY
from bot.calls.float import APPROVAL_NEEDED, quote_changed
from bot.calls.refusals import problem_of, too_little, wrong_code
from bot.calls.requests import NEW_CODE, CodeRequest
from bot.calls.sent_codes import send, sent
from bot.handlers import approvals as approval_handlers
from services import float_purchases, float_quotes, otp, spending, topups
from services.approvals import AwaitingApproval
from services.domain.api_key import Scope
from services.domain.float_purchase import Purchase
from services.domain.money import Money
from services.domain.otp import OtpStatus, Purpose
from services.domain.partner import Person
from services.domain.payout import Payout
from services.domain.payout_batch import Batch
from services.domain.public_operation import PublicKind
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall, Spending, SpendingState, is_in
from services.domain.topup import TopUp, TopUpState
from services.float_quotes import Requoted
from services.spending import CodeSent

SCOPES = {
    Purpose.FLOAT_PURCHASE: Scope.FLOAT,
    Purpose.WALLET_TOPUP: Scope.TOPUP,
    Purpose.DISBURSEMENT: Scope.PAYOUT,
}
PURPOSES = {
    PublicKind.FLOAT: Purpose.FLOAT_PURCHASE,
    PublicKind.TOPUP: Purpose.WALLET_TOPUP,
    PublicKind.PAYOUT: Purpose.DISBURSEMENT,
}


def generate(call: CallContext, request: CodeRequest) -> Reply | Problem:
    if request.reference is not None:
        if beside := [name for name in NEW_CODE if getattr(request, name) is not None]:
            return invalid(*(FieldError(f"/{name}", _ALONE) for name in beside))
        return _another(call, request.reference)
    if request.purpose is None or request.amount is None:
        absent = [name for name in ("purpose", "amount") if getattr(request, name) is None]
        return invalid(*(FieldError(f"/{name}", "This is missing.") for name in absent))
    purpose = Purpose(request.purpose)
    if (problem := missing_scope(call.key, frozenset({SCOPES[purpose]}))) is not None:
        return problem
    if request.recipient is not None and purpose is not Purpose.DISBURSEMENT:
        return invalid(FieldError("/recipient", "Only a payout has a recipient."))
    if purpose is Purpose.WALLET_TOPUP:
        return _for_topup(call, request, request.amount)
    if request.payer_phone is not None:
        return invalid(FieldError("/payer_phone", "Only a top-up has a payer."))
    if purpose is Purpose.DISBURSEMENT:
        return payout_codes.open_with_code(call, request, request.amount)
    return _for_float(call, request, request.amount)


_ALONE = "With a reference, nothing else is said."


def _for_topup(call: CallContext, request: CodeRequest, amount: Money) -> Reply | Problem:
    if request.payer_phone is None:
        return invalid(FieldError("/payer_phone", "This is missing."))
    if not amount.is_whole:
        return invalid(FieldError("/amount", WHOLE_ONLY))
    person = registered(call, request.phone_number, request.email_address)
    if isinstance(person, Problem):
        return person
    app = call.app
    opened = topups.open_with_code(
        call.tx,
        app.keys,
        app.random,
        app.policy,
        person,
        CHANNEL,
        call.key.id,
        call.turn.key,
        amount,
        request.payer_phone,
    )
    return _topup_code(call, person, opened)


def _for_float(call: CallContext, request: CodeRequest, amount: Money) -> Reply | Problem:
    person = registered(call, request.phone_number, request.email_address)
    if isinstance(person, Problem):
        return person
    app = call.app
    purchase = float_quotes.open_for_system(
        call.tx, app.random, app.policy, person, CHANNEL, call.key.id, call.turn.key, amount
    )
    match purchase:
        case Refusal():
            return problem_of(app.texts, purchase)
        case Shortfall():
            return too_little(purchase)
    problem = _confirm(call, person, purchase)
    if isinstance(problem, Problem):
        spending.cancel(call.tx, person, purchase.reference)  # nobody has seen it
    return problem


def _confirm(call: CallContext, person: Person, purchase: Purchase) -> Reply | Problem:
    app, quote = call.app, purchase.quote
    result = float_purchases.confirm(
        call.tx,
        app.keys,
        app.random,
        app.policy,
        person,
        purchase.reference,
        amount=quote.amount,
        fees=quote.fees,
        total=quote.total,
    )
    match result:
        case Refusal():
            return problem_of(app.texts, result)
        case Shortfall():
            return too_little(result)
        case Requoted(requoted):
            return quote_changed(requoted.quote)
        case AwaitingApproval():
            if not result.fresh:
                return APPROVAL_NEEDED
            approval_handlers.notify_approvers(call.acts_with(person), result)
            return sent(person, result.operation.reference, None, result.operation.quote)
        case CodeSent():
            return send(call, person, result)


def _another(call: CallContext, reference: str) -> Reply | Problem:
    """Another code for what waits for one, or the first after an approval."""
    found = call.tx.topups.get(reference) or spending.get(call.tx, reference)
    if found is None or is_hidden(call, found):
        return not_found()
    if (problem := missing_scope(call.key, frozenset({scope_of(found)}))) is not None:
        return problem
    if isinstance(found, TopUp) and found.state is not TopUpState.OTP_SENT:
        return _OVER
    if isinstance(found, Payout) and found.person_id is None:  # it went without a code
        return _OVER
    assert not isinstance(found, Batch), "hidden: its code is typed in the chat"
    person = holder_of(call, found.person_id)
    if isinstance(person, Problem):
        return person
    if isinstance(found, TopUp):
        return _another_for_topup(call, person, found)
    if not is_in(found, SpendingState.AWAITING_APPROVAL):
        return _another_for(call, person, found)
    if isinstance(found, Payout):
        return payout_codes.confirm(call, person, found)
    return _confirm(call, person, found)


def _another_for_topup(call: CallContext, person: Person, topup: TopUp) -> Reply | Problem:
    app = call.app
    if _ended_by_time(call, topup.reference):
        topups.end_with_code(call.tx, topup, OtpStatus.EXPIRED)
        return _EXPIRED
    resent = topups.resend(call.tx, app.keys, app.random, app.policy, person, topup)
    return _topup_code(call, person, resent)


def _another_for(call: CallContext, person: Person, found: Spending) -> Reply | Problem:
    app = call.app
    result = spending.resend(
        call.tx, app.keys, app.random, person, found, limits=app.policy.code_limits
    )
    match result:
        case Refusal():
            return problem_of(app.texts, result)
        case CodeSent():
            return send(call, person, result)
        case _:
            return _EXPIRED if is_in(result, SpendingState.OTP_EXPIRED) else _OVER


_EXPIRED = Problem(ProblemCode.OTP_EXPIRED, "The code has expired, and the operation with it.")
_OVER = wrong_code(0, "This operation waits for no code.")


def _ended_by_time(call: CallContext, reference: str) -> bool:
    code = otp.status(call.tx, reference)
    return code is not None and code.status is OtpStatus.EXPIRED


def _topup_code(
    call: CallContext, person: Person, result: topups.CodeSent | Refusal
) -> Reply | Problem:
    if isinstance(result, Refusal):
        return problem_of(call.app.texts, result)
    topup = result.topup
    facts = {"amount": topup.amount, "phone": topup.phone}
    call.acts_with(person).send_code(result.issued, "sms.topup_code", facts)
    return sent(person, topup.reference, result.issued.otp, None)
