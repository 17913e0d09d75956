"""The calls that pay customers, one row each: single payouts, and batches (docs/api.md)."""

from __future__ import annotations

from bot.calls import payout_batches, payouts
from bot.calls.answers import FieldError, Problem, Reply, invalid
from bot.calls.answers import ProblemCode as P
from bot.calls.batch_requests import BatchFile, BatchRequest
from bot.calls.caller import CallContext
from bot.calls.requests import NothingRequest, PayoutRequest
from bot.http.api import documents
from bot.http.api.queries import BatchQuery, RowsQuery
from bot.http.api.route import CSV, Given, Idempotency, Route, by_body, by_path
from bot.turns.calls import Budget
from services.domain.api_key import Scope

PAYOUT = frozenset({Scope.PAYOUT})
LIMITS = frozenset({P.SUSPENDED, P.FROZEN, P.LIMIT_EXCEEDED})
CODE = frozenset({P.OTP_WRONG, P.OTP_EXPIRED, P.OTP_LOCKED, P.OTP_ADDRESS_UNKNOWN})
_BATCH_BODY_MAX = 1024 * 1024  # bytes


def _create_batch(call: CallContext, given: Given) -> Reply | Problem:
    """A file has no members beside its rows, so its query says what a body in JSON says itself."""
    query, body = given.query, given.body
    if isinstance(body, BatchFile):
        return payout_batches.create(call, body, accept_doubles=bool(query.accept_doubles))
    if query.accept_doubles is not None:
        return invalid(FieldError("/accept_doubles", "A body in JSON says this itself."))
    return payout_batches.create(call, body, accept_doubles=bool(body.accept_doubles))


def _rows(call: CallContext, given: Given) -> Reply | Problem:
    query = given.query
    return payout_batches.rows(call, given.path["batch"], query.limit, query.cursor)


PAYOUTS: tuple[Route, ...] = (
    Route(
        "pay_customer",
        "POST",
        "/v1/payouts",
        "Pay a customer from float",
        PAYOUT,
        by_body(payouts.pay),
        documents.PayoutDocument,
        status=202,
        budget=Budget.MOVES,
        body=PayoutRequest,
        idempotency=Idempotency.REQUIRED,
        problems=LIMITS
        | CODE
        | {P.INSUFFICIENT_FUNDS, P.APPROVAL_NEEDED, P.OTP_REQUIRED}
        | {P.DUPLICATE_SUSPECTED, P.NOT_FOUND},
        describes="Accepted is not paid: follow the operation, its events, or `wait`. The code may"
        " be left out while the key's payouts of the day stay under the ceiling that an owner set.",
        examples={
            "amount": "1500.00",
            "phone_number": "0722000111",
            "client_reference": "payroll-11-17",
        },
    ),
    Route(
        "get_payout",
        "GET",
        "/v1/payouts/{reference}",
        "One payout",
        PAYOUT,
        by_path(payouts.find, "reference"),
        documents.PayoutDocument,
        problems=frozenset({P.NOT_FOUND}),
    ),
    Route(
        "create_payout_batch",
        "POST",
        "/v1/payout-batches",
        "Have many payouts approved as one",
        PAYOUT,
        _create_batch,
        documents.PayoutBatchDocument,
        status=202,
        budget=Budget.MOVES,
        query=BatchQuery,
        body=BatchRequest,
        csv=True,
        body_max=_BATCH_BODY_MAX,
        idempotency=Idempotency.REQUIRED,
        problems=LIMITS
        | {P.INVALID_ROWS, P.DUPLICATE_SUSPECTED, P.INSUFFICIENT_FUNDS}
        | {P.APPROVAL_NEEDED, P.OTP_LOCKED},
        describes="Accepted is not paid: a second person agrees in the chat, and the person who"
        " answers for the key types a code there. Then each row is a payout of its own. A CSV file"
        " is read as people send it in the chat.",
        examples={
            "rows": [
                {
                    "phone_number": "0722000111",
                    "amount": "1500.00",
                    "reference": "S-1042",
                    "name": "Mary Wanjiku",
                },
                {"phone_number": "0733000222", "amount": 700, "reference": "S-1043"},
            ]
        },
    ),
    Route(
        "get_payout_batch",
        "GET",
        "/v1/payout-batches/{batch}",
        "One batch, with how its rows stand",
        PAYOUT,
        by_path(payout_batches.show, "batch"),
        documents.PayoutBatchDocument,
        problems=frozenset({P.NOT_FOUND}),
    ),
    Route(
        "list_payout_batch_rows",
        "GET",
        "/v1/payout-batches/{batch}/rows",
        "The rows of a batch, with what became of them",
        PAYOUT,
        _rows,
        documents.PayoutBatchRowsDocument,
        query=RowsQuery,
        problems=frozenset({P.NOT_FOUND}),
    ),
    Route(
        "get_payout_batch_result",
        "GET",
        "/v1/payout-batches/{batch}/result.csv",
        "The same as a file",
        PAYOUT,
        by_path(payout_batches.result, "batch"),
        None,
        media_type=CSV,
        problems=frozenset({P.NOT_FOUND}),
    ),
    Route(
        "stop_payout_batch",
        "POST",
        "/v1/payout-batches/{batch}/stop",
        "Pay no row that is not on its way",
        PAYOUT,
        by_path(payout_batches.stop, "batch"),
        documents.PayoutBatchDocument,
        body=NothingRequest,
        problems=frozenset({P.NOT_FOUND}),
        describes="One that does not run yet never will. One that is over stays as it is.",
    ),
)
