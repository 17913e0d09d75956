"""The calls of the API, one row each (docs/api.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.calls import code_checks, codes, float, payouts, reading, topups, webhooks
from bot.calls.answers import Problem, Reply
from bot.calls.answers import ProblemCode as P
from bot.calls.caller import CallContext
from bot.calls.requests import (
    CodeCheckRequest,
    CodeRequest,
    FloatRequest,
    NothingRequest,
    PayoutRequest,
    QuoteRequest,
    ReferenceRequest,
    TopUpRequest,
)
from bot.http.api import documents
from bot.http.api.history_query import history
from bot.http.api.older.table import older_routes
from bot.http.api.queries import (
    EventsQuery,
    HistoryQueryString,
    OperationQuery,
    ReferenceQuery,
)
from bot.http.api.route import Decide, Idempotency, Route
from bot.turns.calls import Budget
from services.domain.api_key import Scope

READ = frozenset({Scope.READ})
TOPUP = frozenset({Scope.TOPUP})
FLOAT = frozenset({Scope.FLOAT})
PAYOUT = frozenset({Scope.PAYOUT})
CODES = frozenset({Scope.FLOAT, Scope.TOPUP, Scope.PAYOUT})
WEBHOOKS = frozenset({Scope.WEBHOOKS})
_LIMITS = frozenset({P.SUSPENDED, P.FROZEN, P.LIMIT_EXCEEDED})
_CODE = frozenset({P.OTP_WRONG, P.OTP_EXPIRED, P.OTP_LOCKED, P.OTP_ADDRESS_UNKNOWN})


def by_body(function: Callable[[CallContext, Any], Reply | Problem]) -> Decide:
    """A call that needs nothing but its body."""
    return lambda call, given: function(call, given.body)


def by_path(function: Callable[[CallContext, str], Reply | Problem], name: str) -> Decide:
    """A call that needs nothing but what its path names."""
    return lambda call, given: function(call, given.path[name])


V1: tuple[Route, ...] = (
    Route(
        "get_balance",
        "GET",
        "/v1/balance",
        "Balances of the wallet and the float",
        READ,
        lambda call, given: reading.balance(call),
        documents.BalanceDocument,
        tagged=True,
        describes="Poll it with If-None-Match: 304 while nothing has changed.",
    ),
    Route(
        "start_topup",
        "POST",
        "/v1/topup/stk-push",
        "Top up the wallet by an M-PESA prompt",
        TOPUP,
        by_body(topups.start),
        documents.OperationDocument,
        status=202,
        budget=Budget.MOVES,
        body=TopUpRequest,
        idempotency=Idempotency.REQUIRED,
        problems=_LIMITS | _CODE | {P.DUPLICATE_SUSPECTED, P.OTP_REQUIRED, P.NOT_FOUND},
        describes="Accepted is not paid: follow the operation, its events, or `wait`.",
        examples={"amount": "1500.00", "phone_number": "0722000111", "description": "Order 1042"},
    ),
    Route(
        "validate_topup",
        "POST",
        "/v1/topup/validate",
        "Ask the bank about a top-up now",
        TOPUP,
        by_body(topups.validate),
        documents.OperationDocument,
        body=ReferenceRequest,
        problems=frozenset({P.NOT_FOUND}),
        asks_bank=True,
        examples={"reference": "TU-7K3QF9"},
    ),
    Route(
        "query_stk_push",
        "POST",
        "/v1/stk-push/query",
        "Ask the bank about a prompt now, or M-PESA about a payout",
        READ,
        by_body(topups.ask_bank),
        documents.OperationDocument,
        body=ReferenceRequest,
        problems=frozenset({P.NOT_FOUND}),
        asks_bank=True,
        examples={"reference": "TU-7K3QF9"},
    ),
    Route(
        "get_operation",
        "GET",
        "/v1/operations/{reference}",
        "One operation",
        READ,
        by_path(reading.operation, "reference"),
        documents.OperationDocument,
        query=OperationQuery,
        problems=frozenset({P.NOT_FOUND}),
        waits=True,
        describes="With `wait`, answers as soon as the version is above `version`, or it is final.",
    ),
    Route(
        "list_transactions",
        "GET",
        "/v1/transactions",
        "The history, newest first",
        READ,
        lambda call, given: history(call, given.query),
        documents.HistoryDocument,
        query=HistoryQueryString,
    ),
    Route(
        "quote",
        "POST",
        "/v1/quotes",
        "What a purchase of float or a payout would cost now; moves nothing",
        READ,
        by_body(reading.quote),
        documents.QuoteDocument,
        body=QuoteRequest,
        examples={"kind": "float", "amount": "5000.00"},
    ),
    Route(
        "generate_code",
        "POST",
        "/v1/otp/generate",
        "Send a one-time code, and create the operation that it approves",
        CODES,
        by_body(codes.generate),
        documents.CodeDocument,
        status=201,
        budget=Budget.MOVES,
        body=CodeRequest,
        idempotency=Idempotency.HONOURED,
        problems=_LIMITS
        | _CODE
        | {P.INSUFFICIENT_FUNDS, P.APPROVAL_NEEDED, P.QUOTE_CHANGED, P.NOT_FOUND},
        describes="With `reference` alone: another code, or the first after an approval.",
        examples={"purpose": "float_purchase", "amount": "5000.00"},
    ),
    Route(
        "validate_code",
        "POST",
        "/v1/otp/validate",
        "Check a code without using it; every check counts an attempt",
        CODES,
        by_body(code_checks.check),
        documents.CodeCheckDocument,
        budget=Budget.MOVES,
        body=CodeCheckRequest,
        problems=frozenset({P.OTP_WRONG, P.APPROVAL_NEEDED, P.NOT_FOUND}),
        examples={"reference": "FL-7K3QF9", "otp_code": "123456"},
    ),
    Route(
        "get_code_status",
        "GET",
        "/v1/otp/status",
        "How a code stands, and whether it was delivered",
        CODES,
        lambda call, given: code_checks.look(call, given.query.reference),
        documents.CodeReportDocument,
        budget=Budget.MOVES,
        query=ReferenceQuery,
        problems=frozenset({P.NOT_FOUND}),
    ),
    Route(
        "clean_up_codes",
        "POST",
        "/v1/otp/cleanup",
        "Mark own codes whose time is over",
        CODES,
        by_body(code_checks.clean_up),
        documents.CleanedDocument,
        budget=Budget.MOVES,
        body=NothingRequest,
    ),
    Route(
        "buy_float",
        "POST",
        "/v1/float/purchase",
        "Buy B2C float with a code",
        FLOAT,
        by_body(float.buy),
        documents.OperationDocument,
        status=202,
        budget=Budget.MOVES,
        body=FloatRequest,
        idempotency=Idempotency.REQUIRED,
        problems=_LIMITS
        | _CODE
        | {P.INSUFFICIENT_FUNDS, P.APPROVAL_NEEDED, P.OTP_REQUIRED}
        | {P.QUOTE_CHANGED, P.NOT_FOUND},
        describes="Accepted is not bought: follow the operation, its events, or `wait`.",
        examples={"amount": "5000.00", "otp_reference": "FL-7K3QF9", "otp_code": "123456"},
    ),
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
        problems=_LIMITS
        | _CODE
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
        "create_webhook_endpoint",
        "POST",
        "/v1/webhook-endpoints",
        "Have events sent to an address",
        WEBHOOKS,
        by_body(webhooks.create),
        documents.CreatedEndpointDocument,
        status=201,
        body=webhooks.EndpointRequest,
        problems=frozenset({P.LIMIT_EXCEEDED}),
        examples={"url": "https://duka.example/events", "types": ["topup.paid"]},
    ),
    Route(
        "list_webhook_endpoints",
        "GET",
        "/v1/webhook-endpoints",
        "Where events are sent",
        WEBHOOKS,
        lambda call, given: webhooks.listed(call),
        documents.EndpointsDocument,
    ),
    Route(
        "delete_webhook_endpoint",
        "DELETE",
        "/v1/webhook-endpoints/{endpoint}",
        "Send no more events there",
        WEBHOOKS,
        by_path(webhooks.remove, "endpoint"),
        None,
        status=204,
        problems=frozenset({P.NOT_FOUND}),
    ),
    Route(
        "test_webhook_endpoint",
        "POST",
        "/v1/webhook-endpoints/{endpoint}/test",
        "Send a test event there, once",
        WEBHOOKS,
        by_path(webhooks.test, "endpoint"),
        documents.TestDocument,
        status=202,
        body=NothingRequest,
        problems=frozenset({P.NOT_FOUND}),
    ),
    Route(
        "list_events",
        "GET",
        "/v1/events",
        "The feed of events, oldest first",
        WEBHOOKS,
        lambda call, given: reading.events(call, given.query.after, given.query.limit),
        documents.EventsDocument,
        query=EventsQuery,
        describes="Kept for 90 days. Read it to catch up on what a webhook has missed.",
    ),
    Route(
        "resend_event",
        "POST",
        "/v1/events/{event}/resend",
        "Send an event again to every endpoint that wants it",
        WEBHOOKS,
        by_path(webhooks.resend, "event"),
        documents.ResentDocument,
        status=202,
        body=NothingRequest,
        problems=frozenset({P.NOT_FOUND}),
    ),
)

OLDER = older_routes(V1)
ROUTES: tuple[Route, ...] = (*V1, *OLDER)
