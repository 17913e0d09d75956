"""What a bank may answer, as values: every caller matches them exhaustively."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.money import Money
from services.domain.phone import Phone


@dataclass(frozen=True, slots=True)
class QrPicture:
    """A PNG that the payer scans."""

    png: bytes


@dataclass(frozen=True, slots=True)
class Prompt:
    """One M-PESA prompt to request. ``amount`` is in whole shillings."""

    reference: str
    phone: Phone
    amount: Money


@dataclass(frozen=True, slots=True)
class FloatOrder:
    """B2C float to buy at the bank. ``amount`` is in whole shillings, without fees."""

    reference: str
    phone: Phone  # registered number of the buyer
    amount: Money
    short_code: str  # B2C short code that the float is for
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class Ready:
    """A fresh token is available: the money request may now be committed and sent."""

    token: str

    def __repr__(self) -> str:
        return "Ready(token=…)"


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing left the machine, so a retry is safe. ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A prompt was sent. Not evidence of payment (facts: NCBA 1)."""

    bank_id: str
    bank_reference: str | None
    description: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The bank understood the request and refused it. ``reason`` is a ``mpesa.Reason`` value."""

    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may or may not have taken effect. ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class Paid:
    """Evidence of success."""

    description: str


@dataclass(frozen=True, slots=True)
class NotPaid:
    """``final`` is false for a soft failure, which has been seen to turn into a payment."""

    reason: str
    final: bool
    description: str


@dataclass(frozen=True, slots=True)
class StillOpen:
    """The bank has no final answer yet, or gave one not known to be final."""

    description: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The query itself failed and is repeated. ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The bank says that the float was bought. ``bank_id`` is its own id, if it gives one."""

    bank_id: str | None
    description: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The bank says that the float was not bought, and never will be."""

    description: str


FloatAnswer = Succeeded | Rejected | NotSent | Unknown
StatusAnswer = Succeeded | Failed | StillOpen | NoAnswer
InitiateAnswer = Accepted | Rejected | NotSent | Unknown
QueryAnswer = Paid | NotPaid | StillOpen | NoAnswer
