"""The short code's own statement, as the organisation's portal exports it (facts: Daraja 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from services.domain.money import Money
from services.domain.phone import Phone, fits, phones_in


@dataclass(frozen=True, slots=True)
class ShortCodeLine:
    """A completed payment to a customer. ``party`` is who got it, as M-PESA prints it."""

    receipt: str
    day: date
    amount: Money
    party: str

    def names(self, phone: Phone) -> bool:
        """Whether its party names this phone, masked or not."""
        return any(fits(number, phone) for number in phones_in(self.party))

    def may_have_gone_to(self, phone: Phone) -> bool:
        """Whether its party names this phone, masked or not, or no phone at all."""
        return self.names(phone) or not phones_in(self.party)


@dataclass(frozen=True, slots=True)
class ShortCodeStatement:
    """``charges`` is what M-PESA took for payments, where the statement has it."""

    lines: Sequence[ShortCodeLine]
    charges: Money = field(default=Money(0))


@dataclass(frozen=True, slots=True)
class PayoutFinding:
    """Something that does not agree. ``about`` is what admins quote: a payout, or a line of the
    statement that is none of ours."""

    about: str
    why: str
    amount: Money
    said: str


@dataclass(frozen=True, slots=True)
class PayoutDay:
    """A business day compared. Amounts are without charges; ``tariff`` is what M-PESA's tariff
    says the matched payouts cost."""

    day: date
    lines: int
    matched: int
    withdrawn: Money
    tariff: Money
    settled: Sequence[str]
    findings: Sequence[PayoutFinding]

    @property
    def agrees(self) -> bool:
        return not self.findings
