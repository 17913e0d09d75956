"""A Kenyan mobile number in the one form that M-PESA and NCBA accept."""

from __future__ import annotations

import re
from dataclasses import dataclass

MSISDN = re.compile(r"254[17][0-9]{8}")
_WRITTEN = re.compile(
    r"(?<![0-9])(?:(?:\+|00)?254(?:[ .-]?\(0\))?|0)[ .-]?[17](?:[ .-]?[0-9]){8}(?![0-9])"
)
# As carriers and banks mask one: "2547*****678", "0712XXX678". Of the nine digits after the country
# code at least the first and the last three are shown.
_MASKED = re.compile(
    r"(?<![0-9A-Za-z*])(?:\+?254|0)([17][0-9]{0,4}[*xX]{2,7}[0-9]{3,5})(?![0-9*])", re.ASCII
)
_SUBSCRIBER = 9  # digits after the country code


@dataclass(frozen=True, slots=True)
class Phone:
    """``msisdn`` is ``2547XXXXXXXX`` or ``2541XXXXXXXX`` (facts: M-PESA, Phones).

    Raises ``ValueError`` on anything else; ``flows.parsers.values`` reads what people type.
    """

    msisdn: str

    def __post_init__(self) -> None:
        if not MSISDN.fullmatch(self.msisdn):
            raise ValueError("not a Kenyan mobile number")

    @property
    def masked(self) -> str:
        """For logs, errors and audit rows: ``2547*****678``."""
        return masked_number(self.msisdn)

    def __str__(self) -> str:
        return f"0{self.msisdn[3:6]} {self.msisdn[6:9]} {self.msisdn[9:]}"

    def __repr__(self) -> str:
        return f"Phone({self.masked})"


def masked_number(digits: str) -> str:
    """Of any country, with its code: at least seven digits."""
    return f"{digits[:4]}*****{digits[-3:]}"


def phones_in(text: str) -> list[str]:
    """Every Kenyan mobile number in a text, each once, as ``2547…``; masked ones keep their ``*``.
    A bare ``712…`` may be any number and is ignored."""
    found = [f"254{_digits(match[0])[-_SUBSCRIBER:]}" for match in _WRITTEN.finditer(text)]
    for match in _MASKED.finditer(text):
        subscriber = re.sub("[xX]", "*", match[1])
        if len(subscriber) == _SUBSCRIBER:
            found.append(f"254{subscriber}")
    return list(dict.fromkeys(found))


def fits(masked: str, phone: Phone) -> bool:
    """Whether a number containing ``*`` may be that phone's."""
    pattern = re.escape(masked).replace(r"\*", "[0-9]")
    return re.fullmatch(pattern, phone.msisdn) is not None


def mask_phones(text: str) -> str:
    """The text with every Kenyan mobile number masked, for the audit log."""
    return _WRITTEN.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    return Phone(f"254{_digits(found[0])[-_SUBSCRIBER:]}").masked


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
