"""Codes that approve payouts: a new one with its operation, or the first after an approval."""

from __future__ import annotations

from bot.calls.answers import FieldError, Problem, Reply, invalid
from bot.calls.caller import CHANNEL, CallContext
from bot.calls.code_holders import registered
from bot.calls.fields import WHOLE_ONLY
from bot.calls.float import APPROVAL_NEEDED
from bot.calls.refusals import float_short, problem_of
from bot.calls.requests import CodeRequest
from bot.calls.sent_codes import send, sent
from bot.handlers import approvals as approval_handlers
from services import payouts, payouts_by_key, spending
from services.approvals import AwaitingApproval
from services.domain.money import Money
from services.domain.partner import Person
from services.domain.payout import Payout
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.spending import CodeSent


def open_with_code(call: CallContext, request: CodeRequest, amount: Money) -> Reply | Problem:
    if request.recipient is None:
        return invalid(FieldError("/recipient", "This is missing."))
    if not amount.is_whole:
        return invalid(FieldError("/amount", WHOLE_ONLY))
    person = registered(call, request.phone_number, request.email_address)
    if isinstance(person, Problem):
        return person
    app, tx = call.app, call.tx
    payout = payouts_by_key.open_for_system(
        tx,
        app.random,
        app.policy,
        person,
        CHANNEL,
        call.key.id,
        call.turn.key,
        request.recipient,
        amount,
    )
    match payout:
        case Refusal():
            return problem_of(app.texts, payout)
        case Shortfall():
            return float_short(payout)
    answer = confirm(call, person, payout)
    if isinstance(answer, Problem):
        spending.cancel(tx, person, payout.reference)  # nobody has seen it
    return answer


def confirm(call: CallContext, person: Person, payout: Payout) -> Reply | Problem:
    """Send the code, or ask for the approval that comes before it."""
    app = call.app
    result = payouts.confirm(
        call.tx,
        app.keys,
        app.random,
        app.policy,
        person,
        payout.reference,
        payout.recipient,
        payout.amount,
        payout.quote.fees,
    )
    match result:
        case Refusal():
            return problem_of(app.texts, result)
        case Shortfall():
            return float_short(result)
        case AwaitingApproval():
            if not result.fresh:
                return APPROVAL_NEEDED
            approval_handlers.notify_approvers(call.acts_with(person), result)
            return sent(person, payout.reference, None, payout.quote)
        case CodeSent():
            return send(call, person, result)
