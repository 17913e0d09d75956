"""Which payment, top-up or purchase a statement line names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services.domain.bank_line import BankLine
from services.domain.float_purchase import Purchase
from services.domain.payment import RecordedPayment
from services.domain.topup import TopUp
from services.ports import Tx

# How much later than its payment a line may be dated: a long weekend
BOOKED_AFTER = timedelta(days=3)


def known_payments(tx: Tx, numbers: Sequence[str]) -> list[RecordedPayment]:
    """Payments known by M-PESA's code, or by the bank's own number."""
    found = (tx.payments.get(one) or tx.payments.of_bank(one, has_receipt=True) for one in numbers)
    return list({one.reference: one for one in found if one is not None}.values())


def mentioned_payments(tx: Tx, line: BankLine) -> list[RecordedPayment]:
    return known_payments(tx, [*line.numbers, *line.mentions])


def has_line(tx: Tx, recorded: RecordedPayment) -> bool:
    return tx.reconciliations.has_line(recorded.reference) or (
        recorded.operation is not None and tx.reconciliations.has_line(recorded.operation)
    )


def named_topup(tx: Tx, line: BankLine) -> TopUp | None:
    found = (tx.topups.get(one) for one in line.ours)
    return next((topup for topup in found if topup is not None), None)


def named_purchase(tx: Tx, line: BankLine) -> Purchase | None:
    found = (tx.purchases.get(one) for one in line.ours)
    return next((purchase for purchase in found if purchase is not None), None)
