"""What a call from a partner's system is answered, whatever protocol carried it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Document = Mapping[str, Any]  # of JSON values


class ProblemCode(StrEnum):
    INVALID_REQUEST = "invalid_request"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN_SCOPE = "forbidden_scope"
    FORBIDDEN_PARTNER = "forbidden_partner"
    OTP_ADDRESS_UNKNOWN = "otp_address_unknown"
    FROZEN = "frozen"
    SUSPENDED = "suspended"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    DUPLICATE_SUSPECTED = "duplicate_suspected"
    QUOTE_CHANGED = "quote_changed"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT_EXCEEDED = "limit_exceeded"
    OTP_REQUIRED = "otp_required"
    OTP_WRONG = "otp_wrong"
    OTP_EXPIRED = "otp_expired"
    OTP_LOCKED = "otp_locked"
    APPROVAL_NEEDED = "approval_needed"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    INVALID_ROWS = "invalid_rows"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


# What the business refused: kept under the idempotency key, so that a replay gets it again.
BUSINESS = frozenset(
    {
        ProblemCode.OTP_ADDRESS_UNKNOWN,
        ProblemCode.FROZEN,
        ProblemCode.SUSPENDED,
        ProblemCode.DUPLICATE_SUSPECTED,
        ProblemCode.QUOTE_CHANGED,
        ProblemCode.INSUFFICIENT_FUNDS,
        ProblemCode.LIMIT_EXCEEDED,
        ProblemCode.OTP_REQUIRED,
        ProblemCode.OTP_WRONG,
        ProblemCode.OTP_EXPIRED,
        ProblemCode.OTP_LOCKED,
        ProblemCode.APPROVAL_NEEDED,
    }
)


class FieldError(NamedTuple):
    """``pointer`` is a JSON Pointer to the member; ``detail`` never repeats what was sent."""

    pointer: str
    detail: str


class RowError(NamedTuple):
    """What is wrong with a row of a batch, counted from 1; ``field`` is a member or a column."""

    row: int
    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """``facts`` are the members that this code adds. Only ``INVALID_ROWS`` has ``row_errors``."""

    code: ProblemCode
    detail: str
    facts: Document = field(default_factory=dict)
    errors: Sequence[FieldError] = ()
    row_errors: Sequence[RowError] = ()

    @property
    def is_business(self) -> bool:
        return self.code in BUSINESS


def invalid(*errors: FieldError) -> Problem:
    """Fields of the request that cannot be read, or do not go together."""
    return Problem(
        ProblemCode.INVALID_REQUEST, "The request has members that cannot be read.", errors=errors
    )


def not_found() -> Problem:
    """The same for what is another partner's and for what nobody has."""
    return Problem(ProblemCode.NOT_FOUND, "Nothing with this reference belongs to you.")


class TextFile(NamedTuple):
    """An answer that is no document."""

    name: str
    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """``operation`` is the one that the call is about, if there is one: its reference is where the
    answer's outcome can be read, and its worker is woken."""

    document: Document | None
    operation: str | None = None
    file: TextFile | None = None
