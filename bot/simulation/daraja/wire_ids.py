"""Ids in the forms that Daraja and M-PESA give them (facts: Daraja 2 and 5)."""

from __future__ import annotations

from datetime import datetime

from services.domain.business_days import NAIROBI
from services.domain.ids import RandomSource

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS_AND_DIGITS = _LETTERS + "0123456789"


class WireIds:
    """No two receipts and no two conversations are alike."""

    def __init__(self, random: RandomSource) -> None:
        self._random = random
        self._given: set[str] = set()

    def receipt(self) -> str:
        """Ten characters, a letter first and a digit among them: ``SG632NMUAB``."""
        while True:
            drawn = self._draw(_LETTERS, 1) + self._draw(_LETTERS_AND_DIGITS, 9)
            if not drawn.isalpha() and self._is_new(drawn):
                return drawn

    def conversation(self, now: datetime) -> str:
        """M-PESA's own for a request: ``AG_20240706_20106e9209f64bebd05b``."""
        day = now.astimezone(NAIROBI).strftime("%Y%m%d")
        while True:
            drawn = f"AG_{day}_2010{self._hex(16)}"
            if self._is_new(drawn):
                return drawn

    def gateway(self) -> str:
        """The gateway's own for a request: ``53e3-4aa8-9fe0-8fb5e4092cdd3533373``."""
        number = self._draw("0123456789", 7)
        return f"{self._hex(4)}-{self._hex(4)}-{self._hex(4)}-{self._hex(12)}{number}"

    def token(self) -> str:
        return self._draw(_LETTERS_AND_DIGITS + _LETTERS.lower(), 28)

    def _is_new(self, drawn: str) -> bool:
        if drawn in self._given:
            return False
        self._given.add(drawn)
        return True

    def _hex(self, length: int) -> str:
        return self._draw("0123456789abcdef", length)

    def _draw(self, alphabet: str, length: int) -> str:
        return "".join(alphabet[self._random.randrange(len(alphabet))] for _ in range(length))
