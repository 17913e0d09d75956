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
    Verdict,
)


class Payments(Protocol):
    """The rows of ``external_payments``, and the notifications that reported them."""

    def get(self, receipt: str) -> RecordedPayment | None: ...

    def of_reference(self, reference: str) -> RecordedPayment | None: ...

    def of_bank(self, bank_reference: str, *, has_receipt: bool) -> RecordedPayment | None:
        """The payment with this bank reference, with or without M-PESA's receipt."""
        ...

    def of_other_number(
        self, payment: Payment, since: datetime, until: datetime
    ) -> Sequence[RecordedPayment]:
        """Payments of the same amount in that time that have M-PESA's receipt where this one has
        none, or the reverse."""
        ...

    def in_suspense(
        self, whys: Sequence[SuspenseReason], amount: Money
    ) -> Sequence[RecordedPayment]:
        """Payments of that amount in suspense for one of these reasons; oldest first."""
        ...

    def inferred_naming(self, topup: str, amount: Money) -> Sequence[RecordedPayment]:
        """Payments that name this top-up but were matched to another one by payer and time only."""
        ...

    def proved_by_line(self, partner: str, amount: Money, since: datetime, until: datetime) -> bool:
        """Whether a payment known only from a statement line without M-PESA's code was credited,
        whose day ends in that time."""
        ...

    def add(self, recorded: RecordedPayment) -> None: ...

    def add_credit(self, recorded: RecordedPayment) -> None:
        """The operation of a payment that is credited on its own."""
        ...

    def add_reversal(self, reference: str, recorded: RecordedPayment) -> bool:
        """The operation of a payment that the bank reversed; false if its reference is taken."""
        ...

    def save(self, recorded: RecordedPayment) -> None:
        """Write the mutable fields: its state, and whose it is."""
        ...

    def count_duplicate(self, notification: BankNotification) -> StoredNotification | None:
        """Count one more copy and return the notification as it was stored; ``None`` if this is the
        first."""
        ...

    def has_accepted_notification(self, receipt: str) -> bool:
        """Whether a notification with this receipt was accepted."""
        ...

    def store_notification(self, reference: str, notification: BankNotification) -> bool:
        """False if the reference is taken: draw another."""
        ...

    def refused_since(self, moment: datetime) -> int: ...

    def reversed_by(self, reference: str) -> RecordedPayment | None:
        """The payment that a reversal took back."""
        ...

    def kept(self, reference: str) -> StoredNotification | None: ...

    # Over all partners and the whole table: for the simulator and for checks.

    def every(self) -> list[RecordedPayment]: ...

    def amounts(self) -> dict[str, Money]:
        """Amounts by receipt."""
        ...

    def receipts_of(self, verdict: Verdict) -> set[str]:
        """Receipts of all notifications with this verdict."""
        ...

    def collected(self) -> Money:
        """Total received in payments according to our books."""
        ...
