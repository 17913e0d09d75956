"""Calls about money under their older names: each asks the call itself, and words its answer."""

from __future__ import annotations

from collections.abc import Callable

from bot.calls import float, reading, topups
from bot.calls.answers import Document, FieldError, Problem, Reply, invalid
from bot.calls.caller import CallContext
from bot.calls.requests import FloatRequest, ReferenceRequest
from bot.http.api.older import operations
from bot.http.api.older.balances import spendable
from bot.http.api.older.numbers import number
from bot.http.api.older.problems import under_older_names
from bot.http.api.older.requests import NAMES, LookRequest, OlderFloatRequest
from bot.http.api.route import Decide, Given
from services.domain.public_operation import PublicOperation
from services.ports import Tx

Shape = Callable[[Tx, PublicOperation], Document]


def start_topup(call: CallContext, given: Given) -> Reply | Problem:
    return _worded(call, topups.start(call, given.body), operations.started_topup)


def ask_bank(named: str, shape: Shape) -> Decide:
    """``named``: the member that clients of that service sent, and so the one that is missing."""

    def decide(call: CallContext, given: Given) -> Reply | Problem:
        reference = _reference(given.body, named)
        if isinstance(reference, Problem):
            return reference
        request = ReferenceRequest.model_construct(reference=reference)
        return _worded(call, topups.ask_bank(call, request), shape)

    return decide


def _reference(request: LookRequest, named: str) -> str | Problem:
    sent = [(name, found) for name in NAMES if (found := getattr(request, name)) is not None]
    if not sent:
        return invalid(FieldError(f"/{named}", "This is missing."))
    first: str = sent[0][1]
    others = [name for name, found in sent if found != first]
    if others:
        return invalid(*(FieldError(f"/{name}", "The references differ.") for name in others))
    return first


def buy_float(call: CallContext, given: Given) -> Reply | Problem:
    asked: OlderFloatRequest = given.body
    request = FloatRequest.model_construct(
        amount=asked.float_amount,
        otp_reference=asked.otp_reference,
        otp_code=asked.otp_code,
        transfer_fee=asked.transfer_fee,
        processing_fee=asked.processing_fee,
        description=asked.description,
    )
    result = float.buy(call, request)
    if isinstance(result, Problem):
        return under_older_names(result, {"/amount": "/float_amount"})

    def bought(tx: Tx, operation: PublicOperation) -> Document:
        return {
            "success": True,
            "transactionId": operation.reference,
            "reference": operation.reference,
            "floatAmount": number(operation.amount),
            "totalAmount": number(operation.total or operation.amount),
            "newWalletBalance": number(spendable(call)),
        }

    return _worded(call, result, bought)


def transactions(call: CallContext, given: Given) -> Reply:
    limit, offset = given.query.limit, given.query.offset
    page, total = reading.page_at(call, limit, offset)
    return Reply(
        {
            "success": True,
            "transactions": [operations.transaction(call.tx, found) for found in page],
            "pagination": {"limit": limit, "offset": offset, "total": total},
        }
    )


def _worded(call: CallContext, result: Reply | Problem, shape: Shape) -> Reply | Problem:
    if isinstance(result, Problem):
        return result
    assert result.operation is not None, "these calls are about one operation"
    operation = reading.find(call, result.operation)
    assert operation is not None, "the call has just found it"
    return Reply(shape(call.tx, operation), result.operation)
