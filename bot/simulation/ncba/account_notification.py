"""The simulated bank's account notification product: movements of our account (facts: NCBA 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from services.domain.business_days import NAIROBI
from services.gateways.ncba.account_notification import MPESA_TYPES, account_hashes
from services.gateways.ncba.payment_notification import REQUEST, NotifyCredentials

MPESA = "876"
RECEIPT_FIRST = "171"  # its ``CustomerName`` begins with the receipt
PESALINK = "886"
DEBIT = "500"  # sent for a payment with a negative amount
BANK_NARRATIVE = "Paybill payment"  # the bank's default
PAYER_NAME = "ASHA EXAMPLE"


@dataclass(frozen=True, slots=True)
class Movement:
    """``amount`` is written as sent, negative for a debit; ``kind`` is NCBA's ``TransType``."""

    kind: str
    receipt: str  # M-PESA's receipt, for which this format has no field, or the bank's own number
    phone: str
    at: datetime
    amount: str
    narrative: str = BANK_NARRATIVE

    @property
    def number(self) -> str:
        """The bank's own number."""
        return f"FT{self.receipt}" if self.kind in MPESA_TYPES else self.receipt

    @property
    def customer(self) -> str:
        if self.kind == RECEIPT_FIRST:
            return f"{self.receipt} {self.phone} {PAYER_NAME}"
        if self.kind in MPESA_TYPES:
            return f"{PAYER_NAME} {self.phone} {self.receipt}"
        return PAYER_NAME


def movement_notification(
    credentials: NotifyCredentials,
    movement: Movement,
    *,
    key: str,
    password: str,
    raw: bool = False,
) -> bytes:
    """``raw``: hash the digest's bytes instead of its hex digits, as seen in one program."""
    fields = {
        "TransType": movement.kind,
        "TransID": movement.number,
        "TransTime": movement.at.astimezone(NAIROBI).strftime("%y%m%d%H%M"),
        "TransAmount": movement.amount,
        "AccountNr": credentials.account_number,
        "Narrative": movement.narrative,
        "PhoneNr": credentials.account_number,  # as seen in practice
        "CustomerName": movement.customer,
        "Status": "SUCCESS",
        "FtCrNarration": BANK_NARRATIVE,
    }
    documented, of_bytes = account_hashes(key, fields)
    hashed = of_bytes if raw else documented
    proof = {"User": credentials.username, "Password": password, "HashVal": hashed}
    return as_envelope(fields | proof).encode()


def as_envelope(fields: Mapping[str, str]) -> str:
    elements = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soapenv:Body><{REQUEST}>{elements}</{REQUEST}></soapenv:Body></soapenv:Envelope>"
    )
