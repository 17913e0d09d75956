"""Refusals of the use cases, as problems of the API."""

from __future__ import annotations

from bot.calls.answers import FieldError, Problem, ProblemCode, invalid
from flows.engine.texts import Texts
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall

_C = ProblemCode
_CODES = {
    "suspended": _C.SUSPENDED,
    "frozen": _C.FROZEN,
    "account_rests": _C.FROZEN,
    "phone_blocked": _C.FROZEN,
    "own_phone_blocked": _C.FROZEN,
    "otp_locked": _C.OTP_LOCKED,
    "topup_needs_code": _C.OTP_REQUIRED,
    "no_second": _C.APPROVAL_NEEDED,
    "no_second_for_file": _C.APPROVAL_NEEDED,
    "second_left": _C.APPROVAL_NEEDED,
    "approval_over": _C.APPROVAL_NEEDED,
    "float_not_set_up": _C.UNAVAILABLE,
    "pay_not_set_up": _C.UNAVAILABLE,
    "pay_paused": _C.UNAVAILABLE,
    "pay_frozen": _C.FROZEN,
    "payout_needs_code": _C.OTP_REQUIRED,
}
# What a limit is called where it is exceeded.
_LIMITS = {
    "below_minimum": "topup_minimum",
    "above_maximum": "topup_maximum",
    "topup_day": "topup_day",
    "prompts_too_many": "prompts_per_hour",
    "float_least": "float_minimum",
    "float_most": "float_maximum",
    "float_day": "float_day",
    "float_day_desk": "float_day_desk",
    "pay_least": "payout_minimum",
    "pay_most": "payout_maximum",
    "pay_day": "payout_day",
    "pay_recipient_day": "recipient_day",
    "pay_recipient_new": "recipient_first_day",
    "otp_cool_down": "code_interval",
    "otp_sends": "codes_per_operation",
    "otp_too_many": "codes_per_day",
}


_NO_SECOND = "This needs a second person of yours to approve it, and nobody may yet."
# Where the chat's sentence would send a system to the chat, or repeat what it sent.
_WORDS = {
    "suspended": "This partner is suspended: no money moves. Ask an admin of Hazina.",
    "frozen": "The number or mail address that gets the code was changed lately: no money is moved"
    " with its codes for a day.",
    "phone_blocked": "No prompts are sent to this number: it is blocked.",
    "own_phone_blocked": "No prompts are sent to this number: it is blocked.",
    "otp_locked": "Codes are locked for this person, after too many wrong ones. An admin of Hazina"
    " unlocks them.",
    "topup_needs_code": "A top-up of this size needs a one-time code: have one sent by"
    " POST /v1/otp/generate.",
    "no_second": _NO_SECOND,
    "no_second_for_file": _NO_SECOND,
    "second_left": "The person who approved this may no longer approve. Begin again.",
    "approval_over": "This was not approved in time. Begin again.",
    "float_not_set_up": "Float cannot be bought yet.",
    "pay_not_set_up": "Customers cannot be paid yet.",
    "pay_paused": "All payouts are paused for now. An admin of Hazina resumes them.",
    "pay_frozen": "An owner of yours has frozen payouts. Owners let them go on in the chat.",
    "payout_needs_code": "Without a code this is too much for the key today, or needs a second"
    " person: have a code sent by POST /v1/otp/generate.",
    "pay_over": "This operation waits for no code.",
    "otp_sends": "Three codes were sent for this, the maximum. Begin again.",
    "prompts_too_many": "This number was sent too many prompts within an hour.",
    "otp_too_many": "Too many codes were asked for. Try again later.",
}


def problem_of(texts: Texts, refusal: Refusal) -> Problem:
    """Worded as a person reads it in the chat, where that fits a system."""
    detail = _WORDS.get(refusal.code) or texts.say("en", f"refusal.{refusal.code}", refusal.facts)
    if refusal.code == "part_shillings":
        return invalid(FieldError("/amount", detail))
    if refusal.code == "pay_over":
        return wrong_code(0, detail)
    limit = _LIMITS.get(refusal.code)
    if limit is not None:
        return Problem(_C.LIMIT_EXCEEDED, detail, {"limit": limit})
    return Problem(_CODES[refusal.code], detail)


def too_little(short: Shortfall) -> Problem:
    return Problem(
        _C.INSUFFICIENT_FUNDS,
        f"The wallet has {short.available} available, and this needs {short.total}.",
        {"missing": (short.total - short.available).decimal},
    )


def float_short(short: Shortfall) -> Problem:
    return Problem(
        _C.INSUFFICIENT_FUNDS,
        f"The float has {short.available} available, and this needs {short.total}.",
        {"missing": (short.total - short.available).decimal},
    )


def alike(reference: str) -> Problem:
    return Problem(
        _C.DUPLICATE_SUSPECTED,
        f"{reference} for the same amount and phone is under way, or was paid within a day. To pay"
        ' another, say so with "again": true.',
        {"reference": reference},
    )


def duplicate(reference: str) -> Problem:
    return Problem(
        _C.DUPLICATE_SUSPECTED,
        f"{reference} for the same amount and phone is open still. To send another, say so with"
        ' "again": true.',
        {"reference": reference},
    )


def wrong_code(remaining_attempts: int, detail: str = "This is not the code.") -> Problem:
    return Problem(_C.OTP_WRONG, detail, {"remaining_attempts": remaining_attempts})


CODE_EXPIRED = Problem(_C.OTP_EXPIRED, "The code has expired.")
CODE_LOCKED = Problem(_C.OTP_LOCKED, "Too many wrong codes were sent.")
CODE_SPENT = wrong_code(0, "This code was used, or replaced by another.")
