"""Calls about one-time codes under their older names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.calls import code_checks, codes, reading
from bot.calls.answers import FieldError, Problem, ProblemCode, Reply, invalid
from bot.calls.caller import CallContext
from bot.calls.requests import CodeRequest
from bot.http.api.older.numbers import moment_or_null, number
from bot.http.api.older.requests import OlderCodeRequest
from bot.http.api.route import Given
from services import spending
from services.domain.otp import CHECKS_MAX, LIFE, Otp, OtpStatus

_SENT = frozenset({"sent", "delivered"})  # handed on by us, whether or not it arrived yet
# What the calls refuse with, and what that service answered with ``valid: false``.
_NOT_VALID = frozenset({ProblemCode.OTP_WRONG, ProblemCode.OTP_EXPIRED, ProblemCode.OTP_LOCKED})
_MESSAGES: Mapping[str, str] = {
    OtpStatus.PENDING: "This is not the code.",
    OtpStatus.USED: "This code was used.",
    OtpStatus.EXPIRED: "This code has expired.",
    OtpStatus.LOCKED: "Too many wrong codes were sent.",
    OtpStatus.REVOKED: "This code was replaced by another, or is not needed any more.",
}


def generate(call: CallContext, given: Given) -> Reply | Problem:
    asked: OlderCodeRequest = given.body
    members = {name: getattr(asked, name) for name in asked.model_fields_set - {"user_id"}}
    if asked.reference is None and asked.purpose == "wallet_topup":
        # That request names one number: its clients send the code to the phone that then pays, and
        # the code approves that payer and no other. So it is a registered person's own phone.
        if asked.phone_number is None:
            return invalid(FieldError("/phone_number", "This is missing."))
        members["payer_phone"] = asked.phone_number
    result = codes.generate(call, CodeRequest.model_construct(**members))
    if isinstance(result, Problem):
        return result
    assert result.document is not None
    assert result.operation is not None
    operation = reading.find(call, result.operation)
    assert operation is not None, "the code is of an operation of this partner"
    sent_to = result.document["sent_to"]
    return Reply(
        {
            "success": True,
            "reference": operation.reference,
            "expiresAt": result.document["expires_at"],
            "purpose": codes.PURPOSES[operation.kind].value,
            "amount": number(operation.amount),
            "phoneNumber": sent_to["phone"],
            "emailAddress": sent_to["email"],
            "maxAttempts": result.document["max_attempts"],
            "expiryMinutes": LIFE // timedelta(minutes=1),
        },
        operation.reference,
    )


def validate(call: CallContext, given: Given) -> Reply | Problem:
    """What is not valid is an answer, not a problem, as it was there."""
    result = code_checks.check(call, given.body)
    if isinstance(result, Problem) and result.code not in _NOT_VALID:
        return result
    code = call.tx.otps.newest(given.body.reference)
    operation = reading.find(call, given.body.reference)
    assert code is not None, "it was just looked at"
    assert operation is not None, "it was just looked at"
    seen = _document(call, code)
    checked = {} if isinstance(result, Problem) or result.document is None else result.document
    valid = checked.get("valid", False)
    return Reply(
        {
            "success": True,
            "valid": valid,
            "message": "This is the code." if valid else _MESSAGES[seen["status"]],
            "remainingAttempts": checked.get("remaining_attempts", 0),
            "otp": {
                "reference": operation.reference,
                "purpose": code.binding.purpose.value,
                "amount": number(operation.amount),  # the code is for the total
                **seen,
            },
        }
    )


def status(call: CallContext, given: Given) -> Reply | Problem:
    result = code_checks.look(call, given.query.reference)
    if isinstance(result, Problem):
        return result
    code = call.tx.otps.newest(given.query.reference)
    assert code is not None, "it was just looked at"
    return Reply({"success": True, "otp": _document(call, code)})


def clean_up(call: CallContext, given: Given) -> Reply:
    cleaned = code_checks.clean_up(call, given.body).document
    assert cleaned is not None
    return Reply({"success": True, "cleanedCount": cleaned["cleaned_count"]})


def _document(call: CallContext, code: Otp) -> dict[str, Any]:
    seen = code_checks.status_document(call, code)
    return {
        "status": seen["status"],
        "attempts": seen["attempts"],
        "maxAttempts": CHECKS_MAX,
        "remainingAttempts": seen["remaining_attempts"],
        "smsSent": seen["sms"] in _SENT,
        "emailSent": seen["email"] in _SENT,
        "expiresAt": seen["expires_at"],
        "validatedAt": moment_or_null(code.verified_at or _used_at(call, code)),
        "createdAt": seen["created_at"],
        "isExpired": seen["status"] == OtpStatus.EXPIRED,
    }


def _used_at(call: CallContext, code: Otp) -> datetime | None:
    """When a code that was not checked before was used: what it approves went on at that time."""
    if code.status is not OtpStatus.USED:
        return None
    reference = code.binding.operation
    if (spent := spending.get(call.tx, reference)) is not None:
        return spent.authorised_at
    topup = call.tx.topups.get(reference)
    return None if topup is None else topup.created_at
