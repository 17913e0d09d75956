"""The day of a wallet or a float in a few lines that add up to its change, whatever moved it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.domain.ledger import AccountKind, TransferCode
from services.domain.money import Money
from services.domain.statement import CodeTotal


class DigestLine(StrEnum):
    """What is added up in one line."""

    TOPUPS = "topups"
    BOUGHT = "bought"
    PAYBILL = "paybill"
    FEES = "fees"
    CORRECTIONS = "corrections"  # by two admins, either way
    REVERSED = "reversed"  # taken back by the bank
    PAYOUTS = "payouts"  # to customers, out of the float
    CHARGES = "charges"  # M-PESA's for them
    OTHER = "other"  # either way: an opening balance, and what has no line of its own


_LINES: Mapping[TransferCode, DigestLine] = {
    TransferCode.TOPUP: DigestLine.TOPUPS,
    TransferCode.FLOAT: DigestLine.BOUGHT,
    TransferCode.PAYMENT: DigestLine.PAYBILL,
    TransferCode.ASSIGNED: DigestLine.PAYBILL,
    TransferCode.TRANSFER_FEE: DigestLine.FEES,
    TransferCode.PROCESSING_FEE: DigestLine.FEES,
    TransferCode.ADJUSTMENT: DigestLine.CORRECTIONS,
    TransferCode.REVERSAL: DigestLine.REVERSED,
    TransferCode.PAYOUT: DigestLine.PAYOUTS,
    TransferCode.PAYOUT_FEE: DigestLine.CHARGES,
}
SPENT = {
    AccountKind.WALLET: frozenset({DigestLine.BOUGHT, DigestLine.FEES, DigestLine.REVERSED}),
    AccountKind.FLOAT: frozenset({DigestLine.PAYOUTS, DigestLine.CHARGES}),
}
ALWAYS = frozenset({DigestLine.TOPUPS, DigestLine.BOUGHT})  # said even when nothing moved


@dataclass(frozen=True, slots=True)
class Digest:
    """``moved`` is what each line added to ``account``, the wallet or the float; below zero where
    it took.

    Raises ``AssertionError`` if that does not lead from ``opening`` to ``closing``.
    """

    account: AccountKind
    opening: Money
    closing: Money
    moved: Mapping[DigestLine, Money]
    operations: Mapping[DigestLine, int]

    def __post_init__(self) -> None:
        moved = sum(self.moved.values(), Money(0, self.opening.currency))
        if moved != self.change:
            raise AssertionError(f"the lines add up to {moved}, and {self.change} moved")

    @property
    def change(self) -> Money:
        return self.closing - self.opening

    @property
    def more(self) -> list[DigestLine]:
        """The lines with something in them beside those that are always there."""
        return [line for line in DigestLine if line in self.moved and line not in ALWAYS]

    def said(self, line: DigestLine) -> Money:
        """The amount as its line says it: what was spent, and not how much less there is."""
        nothing = Money(0, self.opening.currency)
        moved = self.moved.get(line, nothing)
        return nothing - moved if line in SPENT[self.account] else moved


def digest(
    account: AccountKind, opening: Money, closing: Money, totals: Iterable[CodeTotal]
) -> Digest:
    """``totals`` are those of the account between the two balances."""
    moved: dict[DigestLine, Money] = {}
    operations: dict[DigestLine, int] = {}
    for total in totals:
        line = _LINES.get(total.code, DigestLine.OTHER)
        known = moved.get(line, Money(0, opening.currency))
        moved[line] = known + total.paid_in - total.paid_out
        operations[line] = operations.get(line, 0) + total.operations
    return Digest(account, opening, closing, moved, operations)
