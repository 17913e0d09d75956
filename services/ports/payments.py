"""Stored payments and the bank notifications that reported them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.money import Money
from services.domain.payment import (
    BankNotification,
    Payment,
    RecordedPayment,
    StoredNotification,
    SuspenseReason,
)


class Payments(Protocol):
    """The rows of ``external_payments``, and the notifications that told of them."""

    def get(self, receipt: str) -> RecordedPayment | None: ...

    def of_reference(self, reference: str) -> RecordedPayment | None: ...

    def of_bank(self, bank_reference: str, *, has_receipt: bool) -> RecordedPayment | None:
        """One with this number of the bank's, and with M-PESA's receipt, or without."""
        ...

    def of_other_number(
        self, payment: Payment, since: datetime, until: datetime
    ) -> Sequence[RecordedPayment]:
        """Those of its amount and that time which have M-PESA's receipt where it has none, or none
        where it has one."""
        ...

    def in_suspense(
        self, whys: Sequence[SuspenseReason], amount: Money
    ) -> Sequence[RecordedPayment]:
        """What is in suspense for such a reason, of that amount; oldest first."""
        ...

    def inferred_naming(self, topup: str, amount: Money) -> Sequence[RecordedPayment]:
        """Those that name this top-up, and stand at another by payer and time only."""
        ...

    def proved_by_line(self, partner: str, amount: Money, since: datetime, until: datetime) -> bool:
        """Whether a line without M-PESA's code, whose day ends in that time, was credited."""
        ...

    def add(self, arrived: RecordedPayment) -> None: ...

    def add_credit(self, arrived: RecordedPayment) -> None:
        """The operation of a payment that is a credit of its own."""
        ...

    def add_reversal(self, reference: str, arrived: RecordedPayment) -> bool:
        """The operation of a payment that the bank took back; false when its reference is taken."""
        ...

    def save(self, arrived: RecordedPayment) -> None:
        """Write what may change: what it turned out to be, and whose it is."""
        ...

    def count_duplicate(self, notification: BankNotification) -> StoredNotification | None:
        """Count one more copy, and give what the ones before were worth; ``None`` for the first."""
        ...

    def has_accepted_notification(self, receipt: str) -> bool:
        """Whether a notification that names it was taken."""
        ...

    def store_notification(self, reference: str, notification: BankNotification) -> bool:
        """False when the reference is taken: draw another."""
        ...

    def refused_since(self, moment: datetime) -> int: ...
