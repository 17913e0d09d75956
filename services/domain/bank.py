"""What a bank may answer, as values: every caller matches all of them."""

from __future__ import annotations

from dataclasses import dataclass

from services.domain.money import Money
from services.domain.phone import Phone


@dataclass(frozen=True, slots=True)
class Prompt:
    """One M-PESA prompt to ask for. ``amount`` is in whole shillings."""

    reference: str
    phone: Phone
    amount: Money


@dataclass(frozen=True, slots=True)
class Ready:
    """A fresh token in hand: the money request may now be committed and sent."""

    token: str

    def __repr__(self) -> str:
        return "Ready(token=…)"


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing left the machine, so trying again is safe. ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A prompt was sent. Not evidence of payment (facts: NCBA 1)."""

    bank_id: str
    bank_reference: str | None
    description: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The bank read the request and said no. ``reason`` is a ``mpesa.Reason`` value."""

    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may or may not have had its effect. ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class Paid:
    """Success evidence."""

    description: str


@dataclass(frozen=True, slots=True)
class NotPaid:
    """``final`` is false for a soft failure, which has been seen to turn into a payment."""

    reason: str
    final: bool
    description: str


@dataclass(frozen=True, slots=True)
class StillOpen:
    """The bank has no final answer yet, or gave one that is not known to be final."""

    description: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The question itself failed; it is asked again. ``why`` is for the log."""

    why: str


InitiateAnswer = Accepted | Rejected | NotSent | Unknown
QueryAnswer = Paid | NotPaid | StillOpen | NoAnswer
