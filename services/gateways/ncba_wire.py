"""NCBA's answers on the wire, and what each of them means (facts: NCBA 1, 4).

Unknown fields are ignored and numbers are taken for text, since both are seen; a shape that is
not known is never taken for an answer.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
from services.domain.mpesa import Reason, read_failed, read_refusal
from services.gateways.exchange import Reply

DESCRIPTION_MAX = 200
PNG = b"\x89PNG\r\n\x1a\n"  # how every picture of that kind begins
TOKEN_LIFE_S = 18_000  # also the longest one is kept

_LONG_NUMBER = re.compile(r"\d{9,}")
# These speak of our credentials, our IP address or our URL, never of the payer.
_ABOUT_US = frozenset({401, 403, 404})
# A gateway that gave up waiting: a timeout is unknown, whatever number it carries.
_GATEWAY_TIMEOUT = 408


class _Wire(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, coerce_numbers_to_str=True, str_strip_whitespace=True
    )


W = TypeVar("W", bound=_Wire)


class _TokenGiven(_Wire):
    # Printable ASCII: what cannot stand in a header must not be met while money is being sent.
    access_token: str = Field(pattern=r"^[!-~]+$", repr=False)
    expires_in: int = TOKEN_LIFE_S


class _Initiated(_Wire):
    transaction_id: str | None = Field(default=None, alias="TransactionID")
    status_code: str = Field(min_length=1, alias="StatusCode")
    description: str | None = Field(default=None, alias="StatusDescription")
    reference_id: str | None = Field(default=None, alias="ReferenceID")


class _Pictured(_Wire):
    status_code: str = Field(min_length=1, alias="StatusCode")
    description: str | None = Field(default=None, alias="StatusDescription")
    picture: str = Field(default="", alias="Base64QrCode")


class _Queried(_Wire):
    status: str
    description: str | None = None


class _Complaint(_Wire):
    """What a 4xx may say, in any of the fields seen."""

    message: str | None = None
    description: str | None = None
    status_description: str | None = Field(default=None, alias="StatusDescription")


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    life_s: int

    def __repr__(self) -> str:
        return f"Token(…, life_s={self.life_s})"


def read_token(reply: Reply | NotSent | Unknown) -> Token | NotSent:
    """Whatever became of a token request, no money request has left yet."""
    if not isinstance(reply, Reply):
        return NotSent(f"token: {reply.why}")
    if reply.status // 100 != 2:
        return NotSent(f"token: HTTP {reply.status} {_complaint(reply.body)}".rstrip())
    given = _parse(_TokenGiven, reply.body)
    if given is None:
        return NotSent("token: an answer of unknown shape")
    return Token(given.access_token, min(given.expires_in, TOKEN_LIFE_S))


def read_initiate(reply: Reply) -> Accepted | Rejected | Unknown:
    """Any answer to the one POST: final, accepted or unknown, never sent again."""
    if reply.status // 100 == 4 and reply.status != _GATEWAY_TIMEOUT:
        said = _complaint(reply.body)
        if not said and reply.status not in _ABOUT_US:
            return Unknown(f"HTTP {reply.status} without a reason")
        reason = Reason.BANK_REFUSED if reply.status in _ABOUT_US else read_refusal(said)
        return Rejected(reason, tidy(f"HTTP {reply.status} {said}"))
    if reply.status // 100 != 2:
        return Unknown(f"HTTP {reply.status}")
    answer = _parse(_Initiated, reply.body)
    if answer is None:
        return Unknown(f"HTTP {reply.status} of unknown shape")
    said = answer.description or ""
    match answer.status_code, answer.transaction_id:
        case "0", str(bank_id) if bank_id:
            return Accepted(bank_id, answer.reference_id, tidy(said))
        case "0", _:
            return Unknown("accepted without a TransactionID")
        case _, None | "":
            return Rejected(read_refusal(said), tidy(said))
        case code, _:
            return Unknown(f"StatusCode {tidy(code)} with a TransactionID")


def read_query(reply: Reply | NotSent | Unknown) -> QueryAnswer:
    """Only the word SUCCESS is evidence; FAILED is read by M-PESA's tables."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    answer = _parse(_Queried, reply.body) if reply.status // 100 == 2 else None
    if answer is None:
        return NoAnswer(f"HTTP {reply.status} {_complaint(reply.body)}".rstrip())
    said = answer.description or ""
    match answer.status:
        case "SUCCESS":
            return Paid(tidy(said))
        case "FAILED":
            outcome: NotPaid | StillOpen = read_failed(said)
            return replace(outcome, description=tidy(said))
        case "PENDING":
            return StillOpen(tidy(said))
        case unknown:
            return NoAnswer(f"status {tidy(unknown)!r}")


def read_qr(reply: Reply | NotSent | Unknown) -> QrPicture | NoAnswer:
    """A data URI with a PNG in it; a refusal is answered with 200 too."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    answer = _parse(_Pictured, reply.body) if reply.status // 100 == 2 else None
    if answer is None:
        return NoAnswer(f"HTTP {reply.status} {_complaint(reply.body)}".rstrip())
    if answer.status_code != "0":
        return NoAnswer(f"refused: {tidy(answer.description or '')}".rstrip())
    kind, _, encoded = answer.picture.partition(",")
    try:
        png = base64.b64decode(encoded, validate=True)
    except ValueError:
        png = b""
    if kind != "data:image/png;base64" or not png.startswith(PNG):
        return NoAnswer("a picture of unknown form")
    return QrPicture(png)


def tidy(text: str) -> str:
    """One line fit for logs and rows: cut, and without whatever may be a phone number."""
    return _LONG_NUMBER.sub("…", " ".join(text.split()))[:DESCRIPTION_MAX]


def _complaint(body: bytes) -> str:
    said = _parse(_Complaint, body)
    if said is None:
        return ""
    return tidy(said.message or said.status_description or said.description or "")


def _parse(shape: type[W], body: bytes) -> W | None:
    try:
        return shape.model_validate_json(body)
    except ValidationError:  # its text repeats the input, which may hold a token
        return None
