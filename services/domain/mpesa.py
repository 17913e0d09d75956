"""What M-PESA's words mean: tables from a bank's description to a reason we can explain.

NCBA passes on a description, seldom a code, so both are matched (facts: M-PESA, Outcomes of an
STK prompt; NCBA 1). A text that no row knows is never final: the bank is simply asked again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.domain.bank import NotPaid, StillOpen


class Reason(StrEnum):
    """Why a prompt was not paid or not sent. Stored with the top-up: codes never change."""

    INSUFFICIENT = "insufficient"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    DAILY_LIMIT = "daily_limit"
    RECEIVER_LIMIT = "receiver_limit"
    SAME_AMOUNT_SOON = "same_amount_soon"
    BUSY = "busy"
    OTHER_SESSION = "other_session"
    EXPIRED = "expired"
    NOT_SHOWN = "not_shown"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"
    WRONG_PIN = "wrong_pin"
    NOT_SET_UP = "not_set_up"
    PIN_LOCKED = "pin_locked"
    DECLINED = "declined"
    REJECTED = "rejected"
    LIMIT = "limit"
    BANK_DOWN = "bank_down"  # the request never left us
    BANK_REFUSED = "bank_refused"  # the bank said no in words we do not know


# Nothing the payer can change: whoever meets one of these tells an admin.
OURS = frozenset({Reason.NOT_SET_UP, Reason.RECEIVER_LIMIT})


def _phrase(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# A number after or before a currency is an amount, however much it looks like a code.
_AMOUNT = _phrase(
    r"\b(?:kes|kshs?|shs?|amount(?: of)?)[.:]?\s*\d[\d,.]*"
    r"|(?<![\w.,])\d[\d,.]*\s*(?:kes|kshs?|shs?|shillings?)\b"
)


def _code(code: str) -> re.Pattern[str]:
    """A code as a whole token: ``1`` is neither in ``1032`` nor in ``1.50``.

    One or two digits stand in ordinary sentences too ("try again in 2 minutes"), so those count
    only where nothing but a code stands: alone, before a colon or bracket, or after "code".
    """
    token = rf"(?<![\w.,]){re.escape(code)}(?![\w]|[.,]\d)"
    if len(code) > 2:
        return _phrase(token)
    return _phrase(rf"^\W*{token}\W*$|^\W*{token}\s*[:;)\]-](?!\s*\d)|code\W{{0,3}}{token}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row: ``final`` only where the facts say so, since a soft failure may yet be paid."""

    reason: Reason
    final: bool
    says: re.Pattern[str]
    codes: tuple[re.Pattern[str], ...] = ()


def _row(reason: Reason, says: str, *codes: str, final: bool) -> Outcome:
    return Outcome(reason, final, _phrase(says), tuple(_code(code) for code in codes))


# Seen while the payer is still typing the PIN; whatever else the text says, nothing has ended.
_STILL_OPEN = _phrase(
    r"still under processing|system internal error|error occurred while processing query"
)
_STILL_OPEN_CODES = (_code("4999"), _code("500.001.1001"))

_R = Reason
# Soft rows stand first: a text that speaks of both is not final.
OUTCOMES = (
    _row(
        _R.UNREACHABLE,
        r"\bunreachable\b|\bnot reachable\b|\b(?:not|cannot|can't) be reached\b",
        "1037",
        final=False,
    ),
    _row(_R.NOT_SHOWN, r"\b(?:not|cannot) be shown\b", "1025", "9999", final=False),
    _row(_R.EXPIRED, r"\bexpired\b|\btimed[ -]?out\b", "1019", final=False),
    _row(_R.BUSY, r"\bbusy\b", "26", "500.003.02", final=False),
    _row(_R.NOT_SET_UP, r"\bnot set[ -]?up\b", "2028", "SFC_IC0003", final=False),
    _row(_R.PIN_LOCKED, r"\blocked\b", "8006", final=True),
    _row(
        _R.WRONG_PIN,
        r"\b(?:wrong|incorrect|invalid)\b.{0,20}?\bpin\b|\bpin\b.{0,20}?\b(?:wrong|incorrect|invalid)\b",
        "2001",
        final=True,
    ),
    _row(_R.CANCELLED, r"\bcancell?ed\b", "1032", final=True),
    _row(_R.INSUFFICIENT, r"\binsufficient\b", "1", final=True),
    _row(
        _R.RECEIVER_LIMIT,
        r"\breceiv(?:er|ing)\b.{0,40}?\blimit|\blimit.{0,40}?\breceiv(?:er|ing)\b",
        "8",
        final=True,
    ),
    _row(_R.DAILY_LIMIT, r"\bdaily\b.{0,40}?\blimit", "4", final=True),
    _row(_R.BELOW_MINIMUM, r"\b(?:below|under|less than)\b.{0,20}?\bminimum\b", "2", final=True),
    _row(
        _R.ABOVE_MAXIMUM,
        r"\b(?:above|over|more than|greater than)\b.{0,20}?\bmaximum\b",
        "3",
        final=True,
    ),
    _row(_R.SAME_AMOUNT_SOON, r"\bsame amount\b", "17", final=True),
    _row(_R.OTHER_SESSION, r"\b(?:an)?other session\b", "1001", final=True),
)
# Words that other rows' texts use as well: asked last, after every code.
GENERAL = (
    _row(_R.LIMIT, r"\blimit", final=True),
    _row(_R.DECLINED, r"\bdeclined\b", final=True),
    _row(_R.REJECTED, r"\brejected\b", final=True),
)


def read_failed(description: str) -> NotPaid | StillOpen:
    """Read the description of a query that answered FAILED, which is not always final."""
    if _STILL_OPEN.search(description) or _has_code(description, _STILL_OPEN_CODES):
        return StillOpen(description)
    outcome = _find(description)
    if outcome is None:
        return StillOpen(description)
    return NotPaid(outcome.reason, outcome.final, description)


def read_refusal(description: str) -> Reason:
    """Read why the bank would not send a prompt. Any refusal is final, also an unreadable one."""
    outcome = _find(description)
    return outcome.reason if outcome else Reason.BANK_REFUSED


def _find(description: str) -> Outcome | None:
    # Phrases before codes: a number in a sentence may be anything, its words are plain.
    for outcome in OUTCOMES:
        if outcome.says.search(description):
            return outcome
    for outcome in OUTCOMES:
        if _has_code(description, outcome.codes):
            return outcome
    return next((outcome for outcome in GENERAL if outcome.says.search(description)), None)


def _has_code(description: str, codes: Iterable[re.Pattern[str]]) -> bool:
    without_amounts = _AMOUNT.sub("", description)
    return any(code.search(without_amounts) for code in codes)
