"""What answers may look like, for the OpenAPI document and the docs page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from bot.http.api import documents

TOP_UP: dict[str, Any] = {
    "reference": "TU-7K3QF9",
    "kind": "topup",
    "status": "pending",
    "reason": None,
    "final": False,
    "version": 1,
    "amount": "1500.00",
    "currency": "KES",
    "fees": None,
    "transfer_fee": None,
    "processing_fee": None,
    "total": None,
    "wallet_change": "0.00",
    "phone": "254722000111",
    "receipt": None,
    "description": "Order 1042",
    "created_at": "2026-11-30T08:15:02.120Z",
    "updated_at": "2026-11-30T08:15:02.120Z",
}
PAID: dict[str, Any] = {
    **TOP_UP,
    "status": "paid",
    "final": True,
    "version": 2,
    "wallet_change": "1500.00",
    "receipt": "SKU7H2M4XQ",
    "updated_at": "2026-11-30T08:15:21.480Z",
}
PURCHASE: dict[str, Any] = {
    **TOP_UP,
    "reference": "FL-9M2RTC",
    "kind": "float",
    "version": 2,
    "amount": "5000.00",
    "fees": "50.00",
    "transfer_fee": "25.00",
    "processing_fee": "25.00",
    "total": "5050.00",
    "phone": None,
    "description": None,
}
PAYOUT: dict[str, Any] = {
    **TOP_UP,
    "reference": "PO-4XW9RZ",
    "kind": "payout",
    "fees": "5.00",
    "transfer_fee": "5.00",
    "processing_fee": "0.00",
    "total": "1505.00",
    "phone": None,
    "description": None,
    "recipient_phone": "254722000111",
    "recipient_name": None,
    "remarks": "Payment PO-4XW9RZ",
    "client_reference": "payroll-11-17",
}
BATCH: dict[str, Any] = {
    "reference": "BA-5NQ8TX",
    "kind": "payout_batch",
    "status": "awaiting_approval",
    "reason": None,
    "final": False,
    "version": 1,
    "rows": 2,
    "amount": "2200.00",
    "currency": "KES",
    "fees": "10.00",
    "total": "2210.00",
    "digest": "5d41f0c0ad4a4a2f9f6c0f3ad4b9fa0dd8b3d3c7a1b8e1f4d6a5c29b7e08f613",
    "doubles": 0,
    "counts": {
        "awaiting_approval": 2,
        "awaiting_code": 0,
        "pending": 0,
        "paid": 0,
        "returned": 0,
        "paid_after_return": 0,
        "unknown": 0,
        "cancelled": 0,
    },
    "created_at": "2026-11-30T08:15:02.120Z",
    "updated_at": "2026-11-30T08:15:02.120Z",
}
FILE = "phone,amount,reference,name\n0722000111,1500,S-1042,Mary Wanjiku\n0733000222,700,S-1043,\n"
_PRICE = {
    name: PURCHASE[name]
    for name in ("amount", "currency", "fees", "transfer_fee", "processing_fee", "total")
}
_ENDPOINT: dict[str, Any] = {
    "id": "we_4TQ8ZK2M7R",
    "url": "https://duka.example/events",
    "types": ["topup.paid"],
    "description": None,
    "enabled": True,
    "created_at": "2026-11-30T08:00:00.000Z",
}
EVENT: dict[str, Any] = {
    "id": "ev_DUKA_42",
    "type": "topup.paid",
    "timestamp": "2026-11-30T08:15:21.480Z",
    "data": PAID,
    "meta": {"request_id": "req_8T2KQ7M4XW9RZ3CN", "idempotency_key": "order-1042-try-1"},
}

EXAMPLES: Mapping[type[BaseModel], dict[str, Any]] = {
    documents.BalanceDocument: {
        "partner_id": "DUKA",
        "currency": "KES",
        "wallet": {
            "balance": "50000.00",
            "available": "44950.00",
            "held": "5050.00",
            "low_balance_threshold": "1000.00",
            "low": False,
        },
        "float": {
            "balance": "12000.00",
            "available": "12000.00",
            "held": "0.00",
            "low_balance_threshold": "0.00",
            "low": False,
        },
        "as_of": "2026-11-30T08:15:02.120Z",
    },
    documents.OperationDocument: TOP_UP,
    documents.PayoutDocument: PAYOUT,
    documents.FollowedDocument: TOP_UP,
    documents.PayoutBatchDocument: BATCH,
    documents.PayoutBatchRowsDocument: {
        "data": [
            {
                "row": 1,
                "phone_number": "254722000111",
                "amount": "1500.00",
                "currency": "KES",
                "reference": "S-1042",
                "name": "Mary Wanjiku",
                "remarks": None,
                "status": "paid",
                "reason": None,
                "payout": "PO-4XW9RZ",
                "receipt": "SKU7H2M4XQ",
                "recipient_name": "MARY WANJIKU",
                "settled_at": "2026-11-30T08:21:40.310Z",
            }
        ],
        "next_cursor": None,
    },
    documents.HistoryDocument: {"data": [PAID], "next_cursor": None},
    documents.QuoteDocument: {
        "kind": "float",
        **_PRICE,
        "wallet_after": "44950.00",
        "float_after": "17000.00",
        "approval_needed": False,
        "allowed": True,
        "reason": None,
    },
    documents.CodeDocument: {
        "reference": "FL-9M2RTC",
        "status": "awaiting_code",
        "expires_at": "2026-11-30T08:25:02.120Z",
        "max_attempts": 3,
        "sent_to": {"phone": "2547*****678", "email": "w…@duka.example"},
        "quote": _PRICE,
    },
    documents.CodeCheckDocument: {"valid": True, "remaining_attempts": 2, "status": "pending"},
    documents.CodeReportDocument: {
        "reference": "FL-9M2RTC",
        "status": "pending",
        "attempts": 1,
        "remaining_attempts": 2,
        "expires_at": "2026-11-30T08:25:02.120Z",
        "created_at": "2026-11-30T08:15:02.120Z",
        "sms": "delivered",
        "email": "sent",
    },
    documents.CleanedDocument: {"cleaned_count": 1},
    documents.CreatedEndpointDocument: {**_ENDPOINT, "secret": "whsec_c2VjcmV0IG9mIHlvdXIgb3du"},
    documents.EndpointsDocument: {
        "data": [{**_ENDPOINT, "last_success_at": None, "last_error": None}]
    },
    documents.TestDocument: {
        "id": "ev_DUKA_43",
        "type": "webhook.test",
        "endpoint": "we_4TQ8ZK2M7R",
    },
    documents.ResentDocument: {"id": "ev_DUKA_42", "endpoints": 1},
    documents.EventsDocument: {"data": [EVENT], "has_more": False},
}


def example_of(model: type[BaseModel], kind: str = "") -> dict[str, Any] | None:
    """``kind`` of an operation, where the call has only one."""
    if model is documents.OperationDocument and kind == "float":
        return PURCHASE
    return EXAMPLES.get(model)
