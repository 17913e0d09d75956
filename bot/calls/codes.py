"""The call that has a one-time code sent, and creates the operation that it approves."""

from __future__ import annotations

from bot.calls.answers import FieldError, Problem, ProblemCode, Reply, invalid, not_found
from bot.calls.caller import CHANNEL, CallContext, missing_scope
from bot.calls.code_holders import holder_of, is_hidden, registered
from bot.calls.fields import WHOLE_ONLY
from bot.calls.float import APPROVAL_NEEDED, quote_changed, quote_document
from bot.calls.refusals import problem_of, too_little, wrong_code
from bot.calls.requests import NEW_CODE, CodeRequest
from bot.handlers import approvals as approval_handlers
from bot.handlers.float import send_code
from services import float_purchases, float_quotes, otp, spending, topups
from services.approvals import AwaitingApproval
from services.domain.api_key import Scope
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.instant import to_rfc3339
from services.domain.money import Money
from services.domain.otp import CHECKS_MAX, Otp, OtpStatus, Purpose
from services.domain.partner import Person
from services.domain.public_operation import PublicKind, Status
from services.domain.refusal import Refusal
from services.domain.topup import TopUpState
from services.float_quotes import InsufficientFunds, Requoted
from services.spending import CodeSent

SCOPES = {Purpose.FLOAT_PURCHASE: Scope.FLOAT, Purpose.WALLET_TOPUP: Scope.TOPUP}
PURPOSES = {PublicKind.FLOAT: Purpose.FLOAT_PURCHASE, PublicKind.TOPUP: Purpose.WALLET_TOPUP}


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
    if purpose is Purpose.WALLET_TOPUP:
        return _for_topup(call, request, request.amount)
    if request.payer_phone is not None:
        return invalid(FieldError("/payer_phone", "Only a top-up has a payer."))
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
    sent = topups.open_with_code(
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
    return _topup_code(call, person, sent)


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
        case InsufficientFunds():
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
        case InsufficientFunds():
            return too_little(result)
        case Requoted(requoted):
            return quote_changed(requoted.quote)
        case AwaitingApproval():
            if not result.fresh:
                return APPROVAL_NEEDED
            approval_handlers.notify_approvers(call.acts_with(person), result)
            return _sent(call, person, result.operation.reference, None, result.operation)
        case CodeSent():
            return _float_code(call, person, result)


def _another(call: CallContext, reference: str) -> Reply | Problem:
    """Another code for what waits for one, or the first after an approval."""
    topup = call.tx.topups.get(reference)
    purchase = call.tx.purchases.get(reference)
    found = topup or purchase
    if found is None or is_hidden(call, found):
        return not_found()
    scope = Scope.FLOAT if topup is None else Scope.TOPUP
    if (problem := missing_scope(call.key, frozenset({scope}))) is not None:
        return problem
    if topup is not None and topup.state is not TopUpState.OTP_SENT:
        return _OVER
    person = holder_of(call, found.person_id)
    if isinstance(person, Problem):
        return person
    app = call.app
    if topup is not None:
        if _ended_by_time(call, reference):
            topups.end_with_code(call.tx, topup, OtpStatus.EXPIRED)
            return _EXPIRED
        return _topup_code(
            call, person, topups.resend(call.tx, app.keys, app.random, app.policy, person, topup)
        )
    assert purchase is not None
    if purchase.state is PurchaseState.AWAITING_APPROVAL:
        return _confirm(call, person, purchase)
    result = spending.resend(
        call.tx, app.keys, app.random, person, purchase, limits=app.policy.code_limits
    )
    match result:
        case Refusal():
            return problem_of(app.texts, result)
        case Purchase(state=PurchaseState.OTP_EXPIRED):
            return _EXPIRED
        case Purchase():
            return _OVER
        case CodeSent():
            return _float_code(call, person, result)


_EXPIRED = Problem(ProblemCode.OTP_EXPIRED, "The code has expired, and the operation with it.")
_OVER = wrong_code(0, "This operation waits for no code.")


def _ended_by_time(call: CallContext, reference: str) -> bool:
    code = otp.status(call.tx, reference)
    return code is not None and code.status is OtpStatus.EXPIRED


def _topup_code(
    call: CallContext, person: Person, sent: topups.CodeSent | Refusal
) -> Reply | Problem:
    if isinstance(sent, Refusal):
        return problem_of(call.app.texts, sent)
    topup = sent.topup
    facts = {"amount": topup.amount, "phone": topup.phone}
    call.acts_with(person).send_code(sent.issued, "sms.topup_code", facts)
    return _sent(call, person, topup.reference, sent.issued.otp, None)


def _float_code(call: CallContext, person: Person, sent: CodeSent[Purchase]) -> Reply:
    send_code(call.acts_with(person), sent)
    return _sent(call, person, sent.operation.reference, sent.issued.otp, sent.operation)


def _sent(
    call: CallContext, person: Person, reference: str, code: Otp | None, purchase: Purchase | None
) -> Reply:
    status = Status.AWAITING_APPROVAL if code is None else Status.AWAITING_CODE
    document = {
        "reference": reference,
        "status": status.value,
        "expires_at": None if code is None else to_rfc3339(code.expires_at),
        "max_attempts": CHECKS_MAX,
        "sent_to": {
            "phone": None if code is None else person.phone.masked,
            "email": None if code is None else _masked(person.email),
        },
        "quote": None if purchase is None else quote_document(purchase.quote),
    }
    return Reply(document, reference)


def _masked(email: str | None) -> str | None:
    if email is None:
        return None
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"
