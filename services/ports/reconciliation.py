"""Stored statement lines, findings and the state of each day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from services.domain.bank_line import BankLine
from services.domain.float_purchase import Purchase
from services.domain.money import Money
from services.domain.payment import RecordedPayment
from services.domain.reconciliation import Finding, ReconciliationDay
from services.domain.statement_repeats import StoredLine
from services.domain.topup import TopUp


class Reconciliations(Protocol):
    """Lines of the bank's statement, findings, and the progress of each day."""

    def matched(self, key: str) -> str | None:
        """The reference a line was matched with, if any."""
        ...

    def lines_naming(self, first: date, last: date, texts: Collection[str]) -> Sequence[BankLine]:
        """Lines of these days with one of these texts in any field, even inside other words."""
        ...

    def similar_lines(self, line: BankLine) -> Sequence[StoredLine]:
        """Lines of the same day, side and amount, in the order they were first seen."""
        ...

    def lines_between(
        self, first: date, last: date, amount: Money
    ) -> Sequence[tuple[str, BankLine, bool]]:
        """Lines of that amount on these days, and whether each was matched."""
        ...

    def has_line(self, reference: str) -> bool:
        """Whether a line was matched with this payment, top-up or purchase."""
        ...

    def has_lines_after(self, day: date) -> bool:
        """Whether a line of a later day has been read."""
        ...

    def add_line(self, key: str, line: BankLine, source: str) -> None:
        """Idempotent."""
        ...

    def match(self, key: str, reference: str) -> bool:
        """False if another line has the reference already: this one is a duplicate."""
        ...

    def unmatched(self, day: date) -> Sequence[tuple[str, BankLine]]: ...

    def matched_payments(self, day: date) -> Sequence[RecordedPayment]:
        """Payments matched with lines of this day."""
        ...

    def payments_without_line(self, start: datetime, end: datetime) -> Sequence[RecordedPayment]:
        """Payments made in that time that no line has confirmed."""
        ...

    def topups_without_line(self, start: datetime, end: datetime) -> Sequence[TopUp]:
        """Top-ups credited in that time for which no payment is known."""
        ...

    def purchases_without_line(self, start: datetime, end: datetime) -> Sequence[Purchase]:
        """Purchases submitted in that time and bought."""
        ...

    def findings(self, day: date) -> Mapping[str, Finding]:
        """By key, including settled ones."""
        ...

    def finding(self, reference: str) -> Finding | None: ...

    def add_finding(self, found: Finding, key: str) -> bool:
        """False if its id is taken: draw another."""
        ...

    def day(self, day: date) -> ReconciliationDay | None: ...

    def is_dismissed(self, key: str, line: BankLine) -> bool:
        """Whether two admins have reviewed and dismissed the finding about a line."""
        ...

    def save_day(self, day: date, source: str, *, has_ended: bool) -> ReconciliationDay:
        """Add up its lines; close it if the day has ended and no finding is open."""
        ...

    def reopen_day(self, day: date) -> None:
        """What is known about the day has changed since it was closed."""
        ...

    def newest(self, limit: int, before: date | None = None) -> list[ReconciliationDay]:
        """Reconciled days, newest first, or those before that one."""
        ...

    def count_days(self, down_to: date | None = None) -> int:
        """The number of reconciled days, or of those down to that one."""
        ...

    def count_open_days(self, before: date, limit: int) -> int:
        """The number of days before that one that are not closed, counted up to ``limit``."""
        ...

    def oldest_day(self) -> date | None: ...
