"""Problems as HTTP answers (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.calls.answers import Document, Problem, ProblemCode

MEDIA_TYPE = "application/problem+json"
TYPE = "/problems/"  # before the code


class Kind(NamedTuple):
    """``retryable``: the same request may succeed later."""

    status: int
    title: str
    retryable: bool = False


_C = ProblemCode
KINDS: Mapping[ProblemCode, Kind] = {
    _C.INVALID_REQUEST: Kind(400, "The request is invalid"),
    _C.IDEMPOTENCY_KEY_MISSING: Kind(400, "An idempotency key is missing"),
    _C.IDEMPOTENCY_KEY_INVALID: Kind(400, "The idempotency key is invalid"),
    _C.UNAUTHENTICATED: Kind(401, "No valid API key"),
    _C.FORBIDDEN_SCOPE: Kind(403, "The key may not do this"),
    _C.FORBIDDEN_PARTNER: Kind(403, "Another partner's"),
    _C.OTP_ADDRESS_UNKNOWN: Kind(403, "Nobody registered has this number or mail address"),
    _C.FROZEN: Kind(403, "Frozen for now"),
    _C.SUSPENDED: Kind(403, "The partner is suspended"),
    _C.NOT_FOUND: Kind(404, "Not found"),
    _C.METHOD_NOT_ALLOWED: Kind(405, "The method is not allowed"),
    _C.TOO_LARGE: Kind(413, "The body is too large"),
    _C.UNSUPPORTED_MEDIA_TYPE: Kind(415, "The content type is not supported"),
    _C.DUPLICATE_SUSPECTED: Kind(409, "The same is open already"),
    _C.QUOTE_CHANGED: Kind(409, "The quote has changed"),
    _C.INSUFFICIENT_FUNDS: Kind(409, "Too little money"),
    _C.LIMIT_EXCEEDED: Kind(409, "A limit is exceeded"),
    _C.OTP_REQUIRED: Kind(409, "A one-time code is needed"),
    _C.OTP_WRONG: Kind(409, "The code is wrong"),
    _C.OTP_EXPIRED: Kind(409, "The code has expired"),
    _C.OTP_LOCKED: Kind(409, "The code is locked"),
    _C.APPROVAL_NEEDED: Kind(409, "A second person must approve"),
    _C.IDEMPOTENCY_MISMATCH: Kind(422, "The idempotency key was used for another request"),
    _C.INVALID_ROWS: Kind(422, "Rows of the batch cannot be paid"),
    _C.RATE_LIMITED: Kind(429, "Too many requests", retryable=True),
    _C.INTERNAL: Kind(500, "Something went wrong on our side", retryable=True),
    _C.UNAVAILABLE: Kind(503, "Not available now", retryable=True),
}


def document(problem: Problem, request_id: str) -> dict[str, Any]:
    """``money`` speaks of this request: whatever is a problem has moved nothing."""
    kind = KINDS[problem.code]
    members: dict[str, Any] = {
        "type": f"{TYPE}{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "code": problem.code.value,
        "request_id": request_id,
        "retryable": kind.retryable,
        "money": "none",
        **problem.facts,
    }
    if problem.errors:
        members["errors"] = [error._asdict() for error in problem.errors]
    if problem.row_errors:
        members["errors"] = [error._asdict() for error in problem.row_errors]
    return members


def to_json(value: Document) -> str:
    return json.dumps(value, separators=(",", ":"))
