"""The older names, one row each: what is not said here is as the row that each stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from bot.http.api.older import balances, codes, documents, money, operations
from bot.http.api.older.requests import LookRequest, OlderCodeRequest, OlderFloatRequest
from bot.http.api.queries import OffsetQuery
from bot.http.api.route import Decide, Idempotency, Route

WALLET = "/functions/v1/wallet-manager"
OTP = "/functions/v1/otp-manager"


def older_routes(current: Sequence[Route]) -> tuple[Route, ...]:
    named = {route.name: route for route in current}

    def older(
        name: str, path: str, decide: Decide, answer: type[BaseModel], **changes: Any
    ) -> Route:
        route = named[name]
        keyed = route.idempotency is not Idempotency.IGNORED
        defaults: dict[str, Any] = {
            "name": f"older_{name}",
            "summary": f"{route.summary} (older name)",
            "path": path,
            "decide": decide,
            "answer": answer,
            "status": 200,
            # Its clients send no key. Without one, a request that is sent twice is two requests.
            "idempotency": Idempotency.HONOURED if keyed else Idempotency.IGNORED,
            "tagged": False,
            "describes": "",
            "problem": documents.OlderProblemDocument,
            "successor": name,
        }
        return replace(route, **{**defaults, **changes})

    return (
        older(
            "get_balance",
            f"{WALLET}/balance",
            balances.balance,
            documents.OlderBalanceDocument,
        ),
        older(
            "start_topup",
            f"{WALLET}/topup/stk-push",
            money.start_topup,
            documents.StartedTopUpDocument,
            describes="Accepted is not paid: ask `stk-push/query`.",
        ),
        older(
            "validate_topup",
            f"{WALLET}/topup/validate",
            money.ask_bank("transaction_id", operations.validated_topup),
            documents.ValidatedTopUpDocument,
            body=LookRequest,
            shows=operations.validated_topup,
            examples={"transaction_id": "TU-7K3QF9"},
        ),
        older(
            "query_stk_push",
            f"{WALLET}/stk-push/query",
            money.ask_bank("stk_push_transaction_id", operations.queried_topup),
            documents.QueriedTopUpDocument,
            body=LookRequest,
            shows=operations.queried_topup,
            examples={"stk_push_transaction_id": "TU-7K3QF9"},
        ),
        older(
            "buy_float",
            f"{WALLET}/float/purchase",
            money.buy_float,
            documents.BoughtFloatDocument,
            body=OlderFloatRequest,
            describes="Accepted is not bought: ask `stk-push/query`.",
            examples={
                "float_amount": "5000.00",
                "otp_reference": "FL-7K3QF9",
                "otp_code": "123456",
            },
        ),
        older(
            "list_transactions",
            f"{WALLET}/transactions",
            money.transactions,
            documents.TransactionsDocument,
            query=OffsetQuery,
        ),
        older(
            "generate_code",
            f"{OTP}/generate",
            codes.generate,
            documents.GeneratedCodeDocument,
            body=OlderCodeRequest,
        ),
        older(
            "validate_code",
            f"{OTP}/validate",
            codes.validate,
            documents.ValidatedCodeDocument,
            describes="A wrong, expired, locked or used code is `valid: false`.",
        ),
        older("get_code_status", f"{OTP}/status", codes.status, documents.OlderCodeReportDocument),
        older("clean_up_codes", f"{OTP}/cleanup", codes.clean_up, documents.OlderCleanedDocument),
    )
