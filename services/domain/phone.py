"""A Kenyan mobile number in the one form that M-PESA and NCBA accept."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MSISDN = re.compile(r"254[17][0-9]{8}")
_WRITTEN = re.compile(r"(?<![0-9])(?:(?:\+|00)?254|0)[ -]?[17](?:[ -]?[0-9]){8}(?![0-9])")


@dataclass(frozen=True, slots=True)
class Phone:
    """``msisdn`` is ``2547XXXXXXXX`` or ``2541XXXXXXXX`` (facts: M-PESA, Phones).

    Raises ``ValueError`` on anything else; what people type is read by ``flows.parse``.
    """

    msisdn: str

    def __post_init__(self) -> None:
        if not _MSISDN.fullmatch(self.msisdn):
            raise ValueError("not a Kenyan mobile number")

    @property
    def masked(self) -> str:
        """Fit for logs, errors and audit rows: ``2547*****678``."""
        return f"{self.msisdn[:4]}*****{self.msisdn[-3:]}"

    def __str__(self) -> str:
        return f"0{self.msisdn[3:6]} {self.msisdn[6:9]} {self.msisdn[9:]}"

    def __repr__(self) -> str:
        return f"Phone({self.masked})"


def mask_phones(text: str) -> str:
    """Somebody's words with every Kenyan mobile number in them masked, fit for the audit log."""
    return _WRITTEN.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    digits = "".join(char for char in found[0] if char.isdigit())
    return Phone(f"254{digits[-9:]}").masked
