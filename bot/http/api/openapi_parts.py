"""Parts of the OpenAPI document that are the same for every call, or for many."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from bot.calls.fields import REFERENCE
from bot.http.api.problems import MEDIA_TYPE
from services.domain.ids import ALPHABET

API_VERSION = "1"
DESCRIPTION = (
    "Top up a wallet by M-PESA, buy B2C float, pay customers from it, and follow what becomes of"
    " each. Send a key with every call, and an Idempotency-Key with whatever moves money. HEAD goes"
    " wherever GET goes. Every error is a problem (RFC 9457); its `code` says what to do."
)
SECURITY_SCHEMES: dict[str, Any] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Your own, and the same whenever you send this request again.",
    # Without an example: one that many requests had would be a mismatch for all but the first.
    "schema": {"type": "string", "pattern": '^([A-Za-z0-9_-]{16,128}|"[A-Za-z0-9_-]{16,128}")$'},
}
IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the answer before.",
    "schema": {"type": "string"},
}


def _header(description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema, **more}


_TEXT = {"type": "string"}
HEADERS: dict[str, Any] = {
    "Allow": _header("The methods that this path has.", _TEXT),
    "ETag": _header("Of this answer, for If-None-Match.", _TEXT, required=True),
    "Idempotent-Replayed": _header(
        "This is the first answer once more: nothing was done now.", {"const": "true"}
    ),
    "Location": _header("Where the operation is.", _TEXT, required=True),
    "RateLimit": _header(
        "How many calls are left, and for how many seconds.", _TEXT, example='"reads";r=599;t=60'
    ),
    "RateLimit-Policy": _header(
        "How many calls within how many seconds.", _TEXT, example='"reads";q=600;w=60'
    ),
    "Retry-After": _header("Seconds to wait.", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": _header("How to send a key.", _TEXT, example="ApiKey"),
    "x-request-id": _header(
        "This request; tell us it when you ask about one.",
        {"type": "string", "pattern": "^req_"},
        required=True,
    ),
}
WEBHOOK_HEADERS: list[dict[str, Any]] = [
    {"name": name, "in": "header", "required": True, "description": text, "schema": _TEXT}
    for name, text in (
        ("webhook-id", "The event's id, the same on every try."),
        ("webhook-timestamp", "Seconds since 1970, of this try."),
        ("webhook-signature", "One or more of `v1,…`, with blanks between them."),
    )
]
_OF_STATUS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",)}
_KEYLESS = (401, 405, 413)  # answered before there is a key whose calls are counted
_TAGS = {
    "balance": "Balance",
    "operations": "Operations",
    "transactions": "Operations",
    "topup": "Top-ups",
    "stk-push": "Top-ups",
    "quotes": "Quotes",
    "float": "Float",
    "otp": "One-time codes",
    "payouts": "Payouts",
    "payout-batches": "Payouts",
    "webhook-endpoints": "Webhooks",
    "events": "Webhooks",
}
OLDER_NAMES = "Older names"
_PATH = {
    "reference": (f"^{REFERENCE}$", "TU-7K3QF9"),
    "batch": (f"^BA-[{ALPHABET}]{{6}}$", "BA-5NQ8TX"),
    "endpoint": (f"^we_[{ALPHABET}]{{10}}$", "we_4TQ8ZK2M7R"),
    "event": ("^ev_[A-Z0-9]{1,16}_[1-9][0-9]{0,15}$", "ev_DUKA_42"),
}


def tag_of(path: str) -> str:
    if path.startswith("/functions/"):
        return OLDER_NAMES
    first = path.split("/")[2]
    return _TAGS.get(first, first.capitalize())


def path_parameter(name: str) -> dict[str, Any]:
    pattern, example = _PATH.get(name, ("^[^/]{1,64}$", None))
    made: dict[str, Any] = {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": pattern},
    }
    return made if example is None else {**made, "example": example}


def problem_response(schema: str, status: int) -> dict[str, Any]:
    headers = ["x-request-id", *_OF_STATUS.get(status, ())]
    if status not in _KEYLESS:
        headers += ["RateLimit", "RateLimit-Policy"]
    return {
        "description": HTTPStatus(status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
