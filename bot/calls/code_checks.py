"""Calls about a code that was sent: check it, look at it, mark those whose time is over."""

from __future__ import annotations

from typing import Any

from bot.calls.answers import Problem, Reply, not_found
from bot.calls.caller import CallContext, missing_scope
from bot.calls.code_holders import is_hidden, scope_of
from bot.calls.float import not_yet
from bot.calls.refusals import wrong_code
from bot.calls.requests import CodeCheckRequest, NothingRequest
from bot.handlers.wrong_codes import report_wrong_code
from bot.outbox.carriers import MAIL, SMS
from services import otp, spending, topups
from services.domain.instant import to_rfc3339
from services.domain.otp import Binding, Otp, OtpStatus
from services.domain.partner import Person
from services.domain.spending import Spending, SpendingState, binding, is_in
from services.domain.topup import TopUp, TopUpState
from services.otp import NotPassed

CLEANED_MAX = 500  # codes that one call marks


def check(call: CallContext, request: CodeCheckRequest) -> Reply | Problem:
    """Every check counts an attempt; the code is not used."""
    found = _with_code(call, request.reference)
    if isinstance(found, Problem):
        return found
    operation, person, code = found
    if code is None:
        assert not isinstance(operation, TopUp), "nobody approves a top-up"
        if not is_in(operation, SpendingState.AWAITING_APPROVAL):
            return wrong_code(0, "This operation waits for no code.")
        return not_yet(call, request.reference)
    if code.status is OtpStatus.USED:
        return wrong_code(0, "This code was used.")
    bound = _binding(operation, person)
    answer = otp.verify(
        call.tx,
        call.app.keys,
        bound,
        request.otp_code,
        limits=call.app.policy.code_limits,
    )
    if isinstance(answer, NotPassed):
        report_wrong_code(call.acts_with(person), bound, answer, request.otp_code)
        _end(call, operation, answer.status)
    status = answer.status if isinstance(answer, NotPassed) else OtpStatus.PENDING
    if isinstance(answer, NotPassed) and otp.is_replaced(
        call.tx, call.app.keys, bound, request.otp_code
    ):
        status = OtpStatus.REVOKED
    return Reply(
        {
            "valid": not isinstance(answer, NotPassed),
            "remaining_attempts": answer.tries_left,
            "status": status.value,
        }
    )


def look(call: CallContext, reference: str) -> Reply | Problem:
    found = _with_code(call, reference)
    if isinstance(found, Problem):
        return found
    code = found[2]
    if code is None:
        return not_found()
    return Reply(status_document(call, code))


def status_document(call: CallContext, code: Otp) -> dict[str, Any]:
    status = code.status
    if status is OtpStatus.PENDING and code.expires_at <= call.tx.now:
        status = OtpStatus.EXPIRED
    return {
        "reference": code.binding.operation,
        "status": status.value,
        "attempts": code.attempts,
        "remaining_attempts": code.tries_left if status is OtpStatus.PENDING else 0,
        "expires_at": to_rfc3339(code.expires_at),
        "created_at": to_rfc3339(code.created_at),
        "sms": call.tx.outbox.delivery_of(code.id, SMS),
        "email": call.tx.outbox.delivery_of(code.id, MAIL),
    }


def clean_up(call: CallContext, request: NothingRequest) -> Reply:
    """Mark own codes whose time is over, with what waits for them."""
    operations = otp.clean_up_of(call.tx, call.partner.code, CLEANED_MAX)
    spending.expire(call.tx, operations)
    topups.expire(call.tx, operations)
    return Reply({"cleaned_count": len(operations)})


def _with_code(
    call: CallContext, reference: str
) -> tuple[TopUp | Spending, Person, Otp | None] | Problem:
    """The operation with its person and its newest code."""
    operation = call.tx.topups.get(reference) or spending.get(call.tx, reference)
    if operation is None or is_hidden(call, operation):
        return not_found()
    if (problem := missing_scope(call.key, frozenset({scope_of(operation)}))) is not None:
        return problem
    code = call.tx.otps.newest(reference)
    if code is None and call.tx.approvals.get(reference) is None:
        return not_found()
    person = None if operation.person_id is None else call.tx.people.of_id(operation.person_id)
    return not_found() if person is None else (operation, person, code)


def _binding(operation: TopUp | Spending, person: Person) -> Binding:
    if not isinstance(operation, TopUp):
        return binding(operation)
    return topups.code_binding(person, operation.reference, operation.amount, operation.phone)


def _end(call: CallContext, operation: TopUp | Spending, status: OtpStatus) -> None:
    """A code that ended takes along what waited for it."""
    if status is OtpStatus.PENDING:
        return
    if isinstance(operation, TopUp):
        if operation.state is TopUpState.OTP_SENT:
            topups.end_with_code(call.tx, operation, status)
    else:
        spending.end_with_code(call.tx, operation, status)
