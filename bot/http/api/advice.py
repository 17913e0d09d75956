"""What a caller should do about each problem."""

from __future__ import annotations

from collections.abc import Mapping

from bot.calls.answers import ProblemCode as P

ADVICE: Mapping[P, str] = {
    P.INVALID_REQUEST: "Correct the members that `errors` points to. Nothing was stored, so the"
    " same idempotency key may be sent.",
    P.IDEMPOTENCY_KEY_MISSING: "Send an `Idempotency-Key`, and the same one if you send the request"
    " again.",
    P.IDEMPOTENCY_KEY_INVALID: "Use 16 to 128 of A-Z, a-z, 0-9, `_` and `-`.",
    P.UNAUTHENTICATED: "Check the key: it may be mistyped, revoked or expired.",
    P.FORBIDDEN_SCOPE: "Use a key with the scope that `detail` names. Admins make keys.",
    P.FORBIDDEN_PARTNER: "Leave out `partner_id`, or send your own: the key decides.",
    P.OTP_ADDRESS_UNKNOWN: "Give the registered number or mail address of one of your people who"
    " may move money.",
    P.FROZEN: "Wait: a number was changed lately or is blocked, or an owner of yours has frozen"
    " payouts. `detail` says which.",
    P.SUSPENDED: "Talk to the desk. Reading still works.",
    P.NOT_FOUND: "Check the reference, and that the key is that partner's.",
    P.METHOD_NOT_ALLOWED: "Use a method that `Allow` names.",
    P.TOO_LARGE: "Send a smaller body.",
    P.UNSUPPORTED_MEDIA_TYPE: "Send `content-type: application/json`, in UTF-8; a batch of payouts"
    " may be `text/csv`.",
    P.DUPLICATE_SUSPECTED: "Follow the operation in `reference`. Only if a second one is meant,"
    ' send `"again": true` under a new idempotency key (of a batch, `"accept_doubles": true`).',
    P.QUOTE_CHANGED: "Look at `quote`, ask whoever decides, and send its fees or none.",
    P.INSUFFICIENT_FUNDS: "Top up, or buy float for a payout, by at least `missing`, then begin"
    " again.",
    P.LIMIT_EXCEEDED: "`limit` names the limit. Wait, or ask for less.",
    P.OTP_REQUIRED: "Ask for a code with `/v1/otp/generate`, and send it along.",
    P.OTP_WRONG: "Ask for the code again; `remaining_attempts` are left. The next attempt takes a"
    " new idempotency key.",
    P.OTP_EXPIRED: "Begin again with a new code: one lasts ten minutes.",
    P.OTP_LOCKED: "Begin again with a new code. After many wrong ones an admin must unlock the"
    " person.",
    P.APPROVAL_NEEDED: "Wait for the second person, who agrees in the chat. Then ask for the code."
    " Where nobody may agree yet, have one of your people join first.",
    P.IDEMPOTENCY_MISMATCH: "This key was used for another request. Take a new key, if it is a new"
    " request.",
    P.INVALID_ROWS: "Correct the rows that `errors` names. Nothing was stored, so the same"
    " idempotency key may be sent.",
    P.RATE_LIMITED: "Wait for `Retry-After` seconds.",
    P.INTERNAL: "Send it again with the same idempotency key; if it stays, tell us `request_id`.",
    P.UNAVAILABLE: "Send it again in a moment, with the same idempotency key. Payouts may rest for"
    " longer: `detail` says so.",
}
