"""What is left unmatched between the bank's statement and our books, and the state of each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.domain.money import Money


class FindingKind(StrEnum):
    """Why a line, or a record of ours, has no counterpart."""

    UNKNOWN_CREDIT = "unknown_credit"  # money came in, and the line names nothing readable
    UNKNOWN_DEBIT = "unknown_debit"  # money went out for nothing we know of
    DOUBLED_LINE = "doubled_line"  # the bank lists it twice
    AMOUNT_DIFFERS = "amount_differs"
    OTHER_DAY = "other_day"  # the bank lists it on another day than we do
    NOT_ON_STATEMENT = "not_on_statement"  # we have it, the bank does not
    DEBITED_UNBOUGHT = "debited_unbought"  # money went out for float that was not bought


@dataclass(frozen=True, slots=True)
class Finding:
    """Something left unmatched: ``about`` is our reference, empty if it concerns nothing of ours.
    ``is_dismissed``: two admins have reviewed it."""

    id: str
    day: date
    kind: FindingKind
    about: str
    amount: Money
    said: str
    partner: str | None = None
    found_at: datetime | None = None
    is_open: bool = True
    is_dismissed: bool = False


@dataclass(frozen=True, slots=True)
class ReconciliationDay:
    """The progress of a business day. Amounts are the statement's; ``findings`` counts those still
    open."""

    day: date
    source: str
    lines: int
    matched: int
    credits: Money
    debits: Money
    ran_at: datetime
    closed_at: datetime | None
    findings: Sequence[Finding] = ()
