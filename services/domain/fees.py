"""What a float purchase costs under the partner's contract (facts: M-PESA, Fees)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from services.domain.money import Money

PPM = 1_000_000  # percentages are stored in millionths of the amount: 1.5 % is 15,000


NOTHING = Money(0)


class FeeKind(StrEnum):
    TRANSFER = "transfer"
    PROCESSING = "processing"


@dataclass(frozen=True, slots=True)
class Fee:
    """One agreed fee: a fixed part, a percentage of the amount, and bounds on their sum.

    ``version`` increases with every change for a partner and kind; 0 means that none was agreed.
    """

    kind: FeeKind
    version: int = 0
    fixed: Money = NOTHING
    ppm: int = 0
    minimum: Money | None = None
    maximum: Money | None = None

    def __post_init__(self) -> None:
        if self.fixed.cents < 0 or not 0 <= self.ppm <= PPM:
            raise ValueError("a fee is not negative and at most the whole amount")
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if any(bound.cents < 0 for bound in bounds):
            raise ValueError("a fee's bounds are not negative")
        if bounds != sorted(bounds):
            raise ValueError("a fee's maximum is below its minimum")

    def __str__(self) -> str:
        """As an admin types it: ``fixed 50.00 percent 0.5 min 20.00 max 200.00``."""
        words = [f"fixed {self.fixed.decimal}"]
        if self.ppm:
            words.append(f"percent {ppm_to_percent(self.ppm)}")
        if self.minimum is not None:
            words.append(f"min {self.minimum.decimal}")
        if self.maximum is not None:
            words.append(f"max {self.maximum.decimal}")
        return " ".join(words)

    def has_terms_of(self, other: Fee) -> bool:
        """Whether the terms are equal, whatever the version."""
        return replace(self, version=other.version) == other

    def of(self, amount: Money) -> Money:
        """The fee for ``amount``, in whole cents, rounded half up."""
        share = Money((amount.cents * self.ppm + PPM // 2) // PPM, amount.currency)
        fee = self.fixed + share
        if self.minimum is not None and fee < self.minimum:
            fee = self.minimum
        if self.maximum is not None and self.maximum < fee:
            fee = self.maximum
        return fee


@dataclass(frozen=True, slots=True)
class Quote:
    """What a purchase will cost, frozen with the fee versions used."""

    amount: Money
    transfer_fee: Money
    processing_fee: Money
    transfer_version: int
    processing_version: int

    @property
    def fees(self) -> Money:
        return self.transfer_fee + self.processing_fee

    @property
    def total(self) -> Money:
        """What leaves the wallet."""
        return self.amount + self.fees


def quote(amount: Money, transfer: Fee, processing: Fee) -> Quote:
    return Quote(
        amount, transfer.of(amount), processing.of(amount), transfer.version, processing.version
    )


def percent_to_ppm(percent: str) -> int:
    """``1.5`` becomes 15,000. Raises ``ValueError`` above 100 or beyond four decimals."""
    whole, point, part = percent.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 3 and len(part) <= 4):
        raise ValueError(f"not a percentage: {percent[:20]!r}")
    if point and not (part.isascii() and part.isdigit()):
        raise ValueError(f"not a percentage: {percent[:20]!r}")
    ppm = int(whole) * 10_000 + int(part.ljust(4, "0") or 0)
    if ppm > PPM:
        raise ValueError("a percentage is at most 100")
    return ppm


def ppm_to_percent(ppm: int) -> str:
    """15,000 becomes ``1.5``."""
    whole, part = divmod(ppm, 10_000)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")
