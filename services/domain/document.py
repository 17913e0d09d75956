"""A statement or chart that somebody requested."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from services.domain.ledger import AccountKind


class DocumentFormat(StrEnum):
    PDF = "pdf"
    CSV = "csv"
    CHART = "chart"
    QR = "qr"  # a QR picture that pays a top-up
    ACTIVITY = "activity"  # a chart of what all partners together received, day by day


class DocumentState(StrEnum):
    REQUESTED = "REQUESTED"
    MADE = "MADE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Period:
    """Business days, ``first`` and ``last`` included."""

    first: date
    last: date

    def __str__(self) -> str:
        if self.first == self.last:
            return f"{self.first.day} {self.first:%b %Y}"
        return f"{self.first.day} {self.first:%b %Y} – {self.last.day} {self.last:%b %Y}"


@dataclass(frozen=True, slots=True)
class Document:
    """``first_day`` to ``last_day`` are business days, both included; without a partner it covers
    all. ``account`` is what a statement or a chart tells of; ``topup`` is what a QR picture pays.
    """

    reference: str
    partner: str | None
    channel: str
    address: str
    language: str
    format: DocumentFormat
    first_day: date
    last_day: date
    state: DocumentState = DocumentState.REQUESTED
    attempts: int = 0
    topup: str | None = None
    account: AccountKind = AccountKind.WALLET


class DocumentRequests(NamedTuple):
    documents: int
    waiting: int  # not yet rendered
