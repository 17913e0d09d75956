"""What M-PESA's words mean: tables from a bank's description to a reason we can explain.

NCBA passes on a description, seldom a code, so both are matched (facts: M-PESA, Outcomes of an STK
prompt; NCBA 1, 6). M-PESA's own complete texts, and its codes, mean what the facts say. Any other
text is final only if nothing in it says otherwise: no word of doubt, no claim of success, no code
of another outcome. A text that no row knows is never final: the bank is queried again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.domain.bank import NotPaid, StillOpen
from services.domain.doubtful_words import TIME_OUT, doubts, doubts_otherwise, normalised, says_yes


class Reason(StrEnum):
    """Why a prompt was not paid or not sent. Stored with the top-up: values never change."""

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
    BANK_REFUSED = "bank_refused"  # the bank refused in words we do not know


# Ours to mend and not in the payer's power: admins are told, and find it in ``/pending``.
NEEDS_ADMIN = frozenset({Reason.NOT_SET_UP, Reason.RECEIVER_LIMIT, Reason.BANK_REFUSED})


def _phrase(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# A number next to a currency is an amount, however much it looks like a code.
_AMOUNT = _phrase(
    r"\b(?:kes|kshs?|shs?|amount(?: of)?)[.:]?\s*\d[\d,.]*"
    r"|(?<![\w.,])\d[\d,.]*\s*(?:kes|kshs?|shs?|shillings?)\b"
)


def _code(code: str) -> re.Pattern[str]:
    """A code in a position for codes: alone, first, in brackets, or after "code".

    A number elsewhere may be anything. One or two digits also begin ordinary sentences ("2 minutes
    left"), so they need a colon or bracket after them.
    """
    token = rf"(?<![\w.,]){re.escape(code)}(?![\w]|[.,]\d)"
    behind = r"\b" if len(code) > 2 else r"\s*[:;)\]-](?!\s*\d)"
    return _phrase(
        rf"^\W*{token}\W*$|^\W*{token}{behind}|[\[(]\s*{token}\s*[\])]"
        rf"|\b\w*(?:code|error|result)\W{{0,3}}{token}"
    )


@dataclass(frozen=True, slots=True)
class ReasonRule:
    """One row: ``final`` only if the facts say so, since a soft failure may still be paid.

    ``own`` are M-PESA's own complete texts, as ``normalised`` returns them; ``says`` are words in
    anybody's.
    """

    reason: Reason
    final: bool
    says: re.Pattern[str]
    codes: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def _rule(
    reason: Reason, says: str, *codes: str, final: bool, own: tuple[str, ...] = ()
) -> ReasonRule:
    return ReasonRule(reason, final, _phrase(says), codes, own)


# Seen while the payer is still typing the PIN: nothing has ended, whatever else the text says.
_STILL_OPEN_CODES = ("4999", "500.001.1001")
_SUCCESS_CODES = frozenset({"0"})

_RULE = "declined due to limit rule "
_R = Reason
# Soft rows come first: a text that matches both is not final.
REASON_RULES = (
    _rule(
        _R.UNREACHABLE,
        r"\bunreachable\b|\bnot reachable\b|\b(?:not|cannot|can't) be reached\b",
        "1037",
        "1036",
        final=False,
        own=(
            "ds timeout",
            "ds timeout user cannot be reached",
            "smsc ack timeout",
            "no response from user",
        ),
    ),
    _rule(
        _R.NOT_SHOWN,
        r"\b(?:not|cannot) be shown\b",
        "1025",
        "9999",
        final=False,
        own=(
            "an error occurred while sending a push request",
            "error occurred while sending a push request",
            "error occurred while sending push request",
        ),
    ),
    _rule(
        _R.OTHER_SESSION,
        r"\b(?:an)?other session\b|\bunable to lock subscriber\b",
        "1001",
        final=False,
        own=(
            "unable to lock subscriber",
            "unable to lock subscriber a transaction is already in process for the current"
            " subscriber",
        ),
    ),
    _rule(
        _R.EXPIRED,
        rf"\bexpired\b|{TIME_OUT.pattern}",
        "1019",
        final=False,
        own=("transaction has expired", "transaction expired", "activity timed out"),
    ),
    _rule(_R.BUSY, r"\bbusy\b", "26", "500.003.02", final=False),
    _rule(
        _R.NOT_SET_UP,
        r"\bnot set ?up\b",
        "2028",
        "SFC_IC0003",
        final=False,
        own=(
            "the request is not permitted according to product assignment",
            "the operator does not exist",
        ),
    ),
    _rule(
        _R.PIN_LOCKED,
        r"\b(?:pin|line|account|credential|subscriber|sim|wallet|m ?pesa)\b.{0,30}?\blocked\b"
        r"|\blocked\b.{0,30}?\b(?:pin|line|account|credential|subscriber|sim)\b|^\W*locked\W*$",
        "8006",
        final=True,
        own=("the security credential is locked",),
    ),
    _rule(
        _R.WRONG_PIN,
        r"\b(?:wrong|incorrect|invalid)\b.{0,20}?\bpin\b|\bpin\b.{0,20}?\b(?:wrong|incorrect|invalid)\b",
        "2001",
        final=True,
        own=("the initiator information is invalid",),
    ),
    _rule(
        _R.CANCELLED,
        r"\bcancell?ed\b",
        "1032",
        final=True,
        own=("request cancelled by user", "request canceled by user"),
    ),
    _rule(
        _R.INSUFFICIENT,
        r"\b(?:balance|funds?|money|amount|m ?pesa)\b.{0,30}?\binsufficient\b"
        r"|\binsufficient\b.{0,30}?\b(?:balance|funds?|money|amount|m ?pesa)\b"
        r"|^\W*insufficient\W*$",
        "1",
        final=True,
        own=("the balance is insufficient for the transaction",),
    ),
    _rule(
        _R.RECEIVER_LIMIT,
        r"\breceiv(?:er|ing)\b.{0,40}?\blimit|\blimit.{0,40}?\breceiv(?:er|ing)\b"
        r"|\bmaximum balance\b",
        "8",
        final=True,
        own=(f"{_RULE}would exceed the maximum balance",),
    ),
    _rule(
        _R.DAILY_LIMIT,
        r"\bdaily\b.{0,40}?\blimit",
        "4",
        final=True,
        own=(
            f"{_RULE}would exceed daily transfer limit",
            f"{_RULE}would exceed the daily transfer limit",
        ),
    ),
    _rule(
        _R.BELOW_MINIMUM,
        r"\b(?:below|under|less than)\b.{0,20}?\bminimum\b",
        "2",
        final=True,
        own=(f"{_RULE}less than the minimum transaction amount",),
    ),
    _rule(
        _R.ABOVE_MAXIMUM,
        r"\b(?:above|over|more than|greater than)\b.{0,20}?\bmaximum\b",
        "3",
        final=True,
        own=(f"{_RULE}greater than the maximum transaction amount",),
    ),
    _rule(
        _R.SAME_AMOUNT_SOON,
        r"\bsame amount\b|\brule limited\b",
        "17",
        final=True,
        own=("rule limited",),
    ),
)
# Words that other rows' texts use as well: tried last, after every code.
GENERAL = (
    _rule(_R.LIMIT, r"\blimit", final=True),
    _rule(_R.DECLINED, r"\bdeclined\b", final=True),
    _rule(_R.REJECTED, r"\brejected\b", final=True),
)
_OWN = {text: outcome for outcome in REASON_RULES for text in outcome.own}
_CODES = tuple((code, _code(code), outcome) for outcome in REASON_RULES for code in outcome.codes)
_OPEN_CODES = tuple((code, _code(code)) for code in _STILL_OPEN_CODES)
_SPEAKER = re.compile(r"^\s*\[[^\]]{0,40}\]\s*")  # "[MpesaCB - ]", "[STK_CB - ]", "[Controller - ]"


def read_failed(description: str, codes: Iterable[str] = ()) -> NotPaid | StillOpen:
    """Read a query that answered FAILED, which is not always final.

    ``codes`` come from code fields beside the description.
    """
    own = _own(description)
    coded, is_open = _coded(description, codes)
    if is_open or (own is None and says_yes(description)):
        return StillOpen(description)
    if own is None and not coded and doubts_otherwise(description):
        return StillOpen(description)
    matched = _rows(description) if own is None else [own]
    found = [*coded, *matched] or _general(description)
    soft = next((one for one in found if not one.final), None)
    if soft is not None:
        return NotPaid(soft.reason, False, description)
    if not found or _disagree(coded, matched):
        return StillOpen(description)
    return NotPaid(found[0].reason, True, description)


def read_refusal(description: str, codes: Iterable[str] = ()) -> Reason:
    """Read why the bank would not send a prompt, unless the refusal is doubtful
    (``is_doubtful``)."""
    own = _own(description)
    matched = _rows(description) if own is None else [own]
    found = [*matched, *_coded(description, codes)[0]] or _general(description)
    return found[0].reason if found else Reason.BANK_REFUSED


def is_doubtful(description: str, codes: Iterable[str] = ()) -> bool:
    """Whether a refusal in these words leaves open that the prompt was sent anyway."""
    own = _own(description)
    coded, is_open = _coded(description, codes)
    if is_open:
        return True
    if coded:
        return _disagree(coded, _rows(description) if own is None else [own])
    return own is None and (says_yes(description) or doubts(description))


def is_mpesa_text(description: str) -> bool:
    """Whether it is one of M-PESA's own complete texts."""
    return _own(description) is not None


def _own(description: str) -> ReasonRule | None:
    """The rule for one of M-PESA's own complete texts, whoever passes it on."""
    return _OWN.get(normalised(_SPEAKER.sub("", description)))


def _coded(description: str, codes: Iterable[str]) -> tuple[list[ReasonRule], bool]:
    """The rule for the codes in it and beside it, and whether one says that nothing has ended."""
    beside = {code.strip().upper() for code in codes}
    text = _AMOUNT.sub("", description)
    found = [outcome for code, token, outcome in _CODES if code in beside or token.search(text)]
    is_open = any(code in beside or token.search(text) for code, token in _OPEN_CODES)
    return found, is_open or not beside.isdisjoint(_SUCCESS_CODES)


def _rows(description: str) -> list[ReasonRule]:
    words = normalised(description)
    return [outcome for outcome in REASON_RULES if outcome.says.search(words)]


def _general(description: str) -> list[ReasonRule]:
    words = normalised(description)
    return [outcome for outcome in GENERAL if outcome.says.search(words)]


def _disagree(coded: list[ReasonRule], matched: list[ReasonRule]) -> bool:
    """Two codes of different outcomes, or a code and words that describe only others."""
    if len({outcome.reason for outcome in coded}) > 1:
        return True
    return bool(coded and matched) and coded[0] not in matched
