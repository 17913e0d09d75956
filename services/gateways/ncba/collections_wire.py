"""NCBA's collections answers on the wire, and what each of them means (facts: NCBA 1, 4).

Unknown fields are allowed and numbers are accepted as text, since both occur; an unknown shape is
never accepted as an answer, and a contradictory one is never final.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from pydantic import Field, ValidationError

from services.domain.bank import (
    Accepted,
    NoAnswer,
    NotPaid,
    NotSent,
    Paid,
    QrPicture,
    QueryAnswer,
    Rejected,
    StillOpen,
    Unknown,
)
from services.domain.doubtful_words import normalised
from services.domain.mpesa import Reason, is_doubtful, is_mpesa_text, read_failed, read_refusal
from services.gateways.bank_answer import ParsedAnswer, WireModel, read_answer, safe_line
from services.gateways.http_exchange import Reply
from services.gateways.tokens import Token, TokenText

PNG = b"\x89PNG\r\n\x1a\n"  # the signature of every PNG file
TOKEN_LIFE_S = 18_000  # also the longest a token is kept

_HTTP_OK = re.compile(r"2[0-9][0-9]")
_HTTP_STATUS = re.compile(r"[1-5][0-9][0-9]")
_NO_TOKEN = (
    r"(?:invalid|expired|inactive|revoked|unknown|bad|not valid|not active|not recogni[sz]ed)"
)
# Adjacent: words further away may be about something else.
_TOKEN_REFUSED = re.compile(
    rf"\b{_NO_TOKEN} (?:(?:or|expired|missing|the|your|access|auth\w*|api|bearer|session|security"
    r"|jwt) ){0,3}(?:token|jwt|bearer)\b"
    r"|\b(?:token|jwt|bearer) (?:(?:is|was|has|been|already|missing|or|and|either) ){0,4}"
    rf"{_NO_TOKEN}\b"
)
# About our credentials, our IP address or our URL, never about the payer.
_ABOUT_US = frozenset({401, 403, 404})
# A gateway that timed out, met a duplicate, or rate-limited us: the outcome of the first request is
# unknown, whatever its words.
DOUBTFUL_STATUSES = frozenset({408, 409, 420, 423, 424, 425, 429, 444, 449, 460, 463, 499})
REFUSED_CODES = frozenset({"1", "01", "2", "02"})  # for a prompt or a QR picture (facts: NCBA 1)
_CODE_LEAST = 3  # characters of a code that is M-PESA's also where it stands in a field of NCBA's


W = TypeVar("W", bound=WireModel)


class _TokenGiven(WireModel):
    access_token: TokenText = Field(repr=False)
    expires_in: int = TOKEN_LIFE_S


class _Initiated(WireModel):
    transaction_id: str | None = Field(default=None, alias="TransactionID")
    status_code: str = Field(min_length=1, alias="StatusCode")
    description: str | None = Field(default=None, alias="StatusDescription")
    reference_id: str | None = Field(default=None, alias="ReferenceID")


class _Pictured(WireModel):
    status_code: str = Field(min_length=1, alias="StatusCode")
    description: str | None = Field(default=None, alias="StatusDescription")
    picture: str = Field(default="", alias="Base64QrCode")


class _Queried(WireModel):
    status: str
    description: str | None = None


def read_token(reply: Reply | NotSent | Unknown) -> Token | NotSent:
    """Whatever became of a token request, no money request has been sent yet."""
    if not isinstance(reply, Reply):
        return NotSent(f"token: {reply.why}")
    if reply.status // 100 != 2:
        parsed = _words_of(read_answer(reply.body))
        return NotSent(f"token: HTTP {reply.status} {parsed}".rstrip())
    given = _parse(_TokenGiven, reply.body)
    if given is None:
        return NotSent("token: an answer of unknown shape")
    return Token(given.access_token, min(given.expires_in, TOKEN_LIFE_S))


def read_initiate(reply: Reply) -> Accepted | Rejected | Unknown:
    """Any answer to the one POST: final, accepted or unknown, never sent again."""
    parsed = read_answer(reply.body)
    if reply.status // 100 == 4:
        return _read_client_error(reply.status, parsed)
    if reply.status // 100 != 2:
        return Unknown(f"HTTP {reply.status} {_words_of(parsed)}".rstrip())
    answer = _parse(_Initiated, reply.body)
    if answer is None or parsed is None:
        return Unknown(f"HTTP {reply.status} of unknown shape")
    words = answer.description or ""
    match answer.status_code, answer.transaction_id:
        case "0", str(bank_id) if bank_id:
            # Whatever else it says: with an id the bank can be queried, and nothing is decided yet.
            return Accepted(bank_id, answer.reference_id, safe_line(words))
        case "0", _:
            return Unknown("accepted without a TransactionID")
        case code, None | "":
            return _read_refused(code, words, parsed)
        case code, _:
            return Unknown(f"StatusCode {safe_line(code)} with a TransactionID")


def _read_refused(code: str, words: str, parsed: ParsedAnswer) -> Rejected | Unknown:
    """A refusal inside a 200: final if its code is a refusal code, and nothing contradicts it."""
    own = _mpesa_codes([code])
    others = [text for text in parsed.texts if text.strip() not in (words, code)]
    says_yes = parsed.claims_success or parsed.zero_codes or parsed.has_id
    if says_yes or any(is_doubtful(text) for text in others):
        return Unknown(safe_line(f"StatusCode {code}: {words}, and otherwise"))
    reason = read_refusal(words, own)
    known = code in REFUSED_CODES or read_refusal("", own) is not Reason.BANK_REFUSED
    if is_doubtful(words, own) or not known:
        return Unknown(safe_line(f"StatusCode {code}: {words}"))
    return Rejected(reason, safe_line(words))


def _read_client_error(status: int, parsed: ParsedAnswer | None) -> Rejected | Unknown:
    """A 4xx: final if it gives a reason, or is about us, and nothing in it is doubtful."""
    words = _words_of(parsed)
    if is_doubtful_status(status, parsed):
        return Unknown(safe_line(f"HTTP {status} {words}"))
    if parsed is not None:
        others = [text for text in parsed.texts if text not in parsed.words]
        says_yes = parsed.claims_success or parsed.zero_codes
        doubtful = any(is_doubtful(text) for text in others)
        if (
            says_yes
            or doubtful
            or any(is_doubtful(text, _mpesa_codes(parsed.codes)) for text in parsed.words)
        ):
            return Unknown(safe_line(f"HTTP {status} {words}"))
        if parsed.has_id:
            return Unknown(safe_line(f"HTTP {status} {words}, with an id"))
    if status in _ABOUT_US:
        return Rejected(Reason.BANK_REFUSED, safe_line(f"HTTP {status} {words}"))
    if not words:
        return Unknown(f"HTTP {status} without a reason")
    return Rejected(read_refusal(words), safe_line(f"HTTP {status} {words}"))


def is_doubtful_status(status: int, parsed: ParsedAnswer | None) -> bool:
    """Whether the HTTP status, or one passed on in the answer, means that the outcome is
    unknown."""
    inside = parsed.codes | parsed.statuses if parsed else frozenset()
    numbers = {status, *(int(one) for one in inside if _HTTP_STATUS.fullmatch(one))}
    return any(number in DOUBTFUL_STATUSES or number >= 500 for number in numbers)


def is_refused_token(reply: Reply | NotSent | Unknown) -> bool:
    """Whether a 401 says that its token is invalid or expired, and mentions no payment: then
    nothing was processed (facts: NCBA 4)."""
    if not isinstance(reply, Reply) or reply.status != 401:
        return False
    parsed = read_answer(reply.body)
    if (
        parsed is None
        or parsed.has_id
        or parsed.claims_success
        or parsed.zero_codes
        or parsed.doubts
    ):
        return False
    if is_doubtful_status(reply.status, parsed):
        return False
    return any(_TOKEN_REFUSED.search(normalised(text)) for text in parsed.texts)


def read_query(reply: Reply | NotSent | Unknown) -> QueryAnswer:
    """Only the word SUCCESS is evidence, if nothing contradicts it; FAILED is read by M-PESA's
    tables."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    parsed = read_answer(reply.body) if reply.status // 100 == 2 else None
    answer = _parse(_Queried, reply.body) if parsed else None
    if answer is None or parsed is None:
        return NoAnswer(f"HTTP {reply.status} {_words_of(read_answer(reply.body))}".rstrip())
    words = answer.description or ""
    match answer.status:
        case "SUCCESS":
            return _read_success(words, parsed)
        case "FAILED":
            return _read_failed(words, parsed)
        case "PENDING":
            return StillOpen(safe_line(words))
        case unknown:
            return NoAnswer(f"status {safe_line(unknown)!r}")


def _read_success(words: str, parsed: ParsedAnswer) -> Paid | StillOpen:
    codes = {code for code in parsed.codes if code.strip("0") and not _HTTP_OK.fullmatch(code)}
    if codes or parsed.denies_success or isinstance(read_failed(words), NotPaid):
        return StillOpen(safe_line(f"SUCCESS, and otherwise: {' '.join((*codes, words))}"))
    return Paid(safe_line(words))


def _read_failed(words: str, parsed: ParsedAnswer) -> NotPaid | StillOpen:
    others = [text for text in parsed.texts if text.strip() != words]
    says_yes = parsed.claims_success or parsed.zero_codes or parsed.has_receipt
    if says_yes or any(is_doubtful(text) for text in others):
        return StillOpen(safe_line(f"FAILED, and otherwise: {words}"))
    codes = _mpesa_codes(parsed.codes)
    reading: NotPaid | StillOpen = read_failed(words, codes)
    beside = [read_failed(text, codes) for text in parsed.prose if text != words]
    soft = next((one for one in beside if isinstance(one, NotPaid) and not one.final), None)
    if soft is not None:
        reading = soft
    elif isinstance(reading, StillOpen) and not is_doubtful(words):
        # "Failed", and M-PESA's own text in another field.
        own = [read_failed(text, codes) for text in parsed.prose if is_mpesa_text(text)]
        if len({one.reason for one in own if isinstance(one, NotPaid)}) == 1:
            reading = own[0]
    return replace(reading, description=safe_line(words))


def read_qr(reply: Reply | NotSent | Unknown) -> QrPicture | NoAnswer:
    """A data URI with a PNG in it; a refusal also comes with a 200."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    answer = _parse(_Pictured, reply.body) if reply.status // 100 == 2 else None
    if answer is None:
        return NoAnswer(f"HTTP {reply.status} {_words_of(read_answer(reply.body))}".rstrip())
    if answer.status_code != "0":
        return NoAnswer(f"refused: {safe_line(answer.description or '')}".rstrip())
    kind, _, encoded = answer.picture.partition(",")
    try:
        png = base64.b64decode(encoded, validate=True)
    except ValueError:
        png = b""
    if kind != "data:image/png;base64" or not png.startswith(PNG):
        return NoAnswer("a picture of unknown form")
    return QrPicture(png)


def _mpesa_codes(codes: Iterable[str]) -> list[str]:
    """Codes that may be M-PESA's: NCBA's "1" is any refusal, M-PESA's "1" is a specific one."""
    return [code for code in codes if len(code) >= _CODE_LEAST and not _HTTP_OK.fullmatch(code)]


def _words_of(parsed: ParsedAnswer | None) -> str:
    """Its words meant for people."""
    return "" if parsed is None else safe_line("; ".join(dict.fromkeys(parsed.words)))


def _parse(shape: type[W], body: bytes) -> W | None:
    try:
        return shape.model_validate_json(body)
    except ValidationError:  # its message repeats the input, which may hold a token
        return None
