"""Stored statement lines, findings and the state of each day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from services.domain.float_purchase import Purchase
from services.domain.money import Money
from services.domain.payment import RecordedPayment
from services.domain.reconciliation import BankLine, Finding, ReconciliationDay
from services.domain.statement_repeats import StoredLine
from services.domain.topup import TopUp


class Reconciliations(Protocol):
    """Lines of the bank's statement, what is left over, and how far each day is."""

    def matched(self, key: str) -> str | None:
        """What of ours a line was matched with, if it was."""
        ...

    def lines_naming(self, first: date, last: date, texts: Collection[str]) -> Sequence[BankLine]:
        """Lines of these days with one of these in any text, glued to other words or not."""
        ...

    def similar_lines(self, line: BankLine) -> Sequence[StoredLine]:
        """Lines of its day, side and amount, in the order in which they were first seen."""
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
        """Once; again it changes nothing."""
        ...

    def match(self, key: str, reference: str) -> bool:
        """False when another line has it already: this one is doubled."""
        ...

    def unmatched(self, day: date) -> Sequence[tuple[str, BankLine]]: ...

    def matched_payments(self, day: date) -> Sequence[RecordedPayment]:
        """Payments that lines of this day were matched with."""
        ...

    def payments_without_line(self, start: datetime, end: datetime) -> Sequence[RecordedPayment]:
        """Paid in that time."""
        ...

    def topups_without_line(self, start: datetime, end: datetime) -> Sequence[TopUp]:
        """Credited in that time, and no payment is known for them."""
        ...

    def purchases_without_line(self, start: datetime, end: datetime) -> Sequence[Purchase]:
        """Bought, and submitted in that time."""
        ...

    def findings(self, day: date) -> Mapping[str, Finding]:
        """By key, also those that are settled."""
        ...

    def finding(self, reference: str) -> Finding | None: ...

    def add_finding(self, found: Finding, key: str) -> bool:
        """False when its id is taken: draw another."""
        ...

    def day(self, day: date) -> ReconciliationDay | None: ...

    def is_dismissed(self, key: str, line: BankLine) -> bool:
        """Whether two admins have looked into what was left over of a line, and dismissed it."""
        ...

    def save_day(self, day: date, source: str, *, has_ended: bool) -> ReconciliationDay:
        """Add up its lines; it is closed when it has ended and no finding of it is open."""
        ...

    def reopen_day(self, day: date) -> None:
        """What is known of it is not what it was closed with."""
        ...
