"""Money is an integer count of minor units, so that no cent is ever rounded away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

# ISO 4217 minor-unit exponents of the currencies a partner may hold.
EXPONENTS = {"KES": 2, "TZS": 2, "ETB": 2, "USD": 2, "EUR": 2, "GBP": 2, "UGX": 0, "RWF": 0}
_PLAIN = re.compile(r"(?P<whole>-?[0-9]{1,15})(\.(?P<part>[0-9]{1,4}))?")


class CurrencyMismatch(ValueError):
    """A sum mixes two currencies: a programmer's error."""


@dataclass(frozen=True, slots=True)
class Money:
    """``cents`` are minor units of ``currency`` (for UGX and RWF the unit itself)."""

    cents: int
    currency: str = "KES"

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise ValueError(f"unknown currency {self.currency!r}")

    @classmethod
    def of(cls, amount: str, currency: str = "KES") -> Money:
        """Read a plain decimal such as ``1700.00``.

        Raises ``ValueError`` if it is not one or has more decimals than the currency.
        """
        match = _PLAIN.fullmatch(amount)
        places = EXPONENTS.get(currency, 0)
        part = (match["part"] or "").rstrip("0") if match else ""
        if match is None or currency not in EXPONENTS or len(part) > places:
            raise ValueError(f"not an amount of {currency}: {amount[:40]!r}")
        return cls(int(match["whole"] + part.ljust(places, "0")), currency)

    @property
    def _unit(self) -> int:
        return int(10 ** EXPONENTS[self.currency])

    @property
    def is_whole(self) -> bool:
        """True if there are no minor units, as M-PESA requires."""
        return self.cents % self._unit == 0

    @property
    def whole_units(self) -> int:
        """Whole currency units, as banks want them. Raises ``ValueError`` on fractions."""
        if not self.is_whole:
            raise ValueError(f"{self} has part units")
        return self.cents // self._unit

    @property
    def decimal(self) -> str:
        """Plain decimal with all places: ``1700.00``."""
        places = EXPONENTS[self.currency]
        return str(Decimal(self.cents).scaleb(-places).quantize(Decimal(1).scaleb(-places)))

    def __str__(self) -> str:
        places = EXPONENTS[self.currency]
        sign = "-" if self.cents < 0 else ""
        units, rest = divmod(abs(self.cents), 10**places)
        tail = f".{rest:0{places}d}" if rest else ""
        return f"{self.currency} {sign}{units:,}{tail}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.cents + other.cents, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.cents - other.cents, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.cents < other.cents

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.cents <= other.cents
