"""M-PESA's result codes, and what it says with them (facts: Daraja 6)."""

from __future__ import annotations

PAID = "0"
UTILITY_SHORT = "1"
BELOW_MINIMUM = "2"
ABOVE_MAXIMUM = "3"
INTERNAL_FAILURE = "17"
INITIATOR_INVALID = "2001"
NOT_PERMITTED = "2028"
NO_SUCH_RECEIPT = "2032"  # only in answers to status queries
CREDENTIAL_LOCKED = "8006"

_TEXTS = {
    PAID: "The service request is processed successfully.",
    UTILITY_SHORT: "The balance is insufficient for the transaction.",
    BELOW_MINIMUM: "Declined due to limit rule: less than the minimum transaction amount.",
    ABOVE_MAXIMUM: "Declined due to limit rule: greater than the maximum transaction amount.",
    "4": "Declined due to limit rule: would exceed daily transfer limit.",
    "8": "Declined due to limit rule: would exceed the maximum balance.",
    "11": "The DebitParty is in an invalid state.",
    INTERNAL_FAILURE: "Internal Failure.",
    "20": "Unresolved Initiator.",
    "21": "The initiator is not allowed to initiate this request.",
    "26": "System busy. The service request is rejected.",
    INITIATOR_INVALID: "The initiator information is invalid.",
    "2006": "Declined due to account rule.",
    NOT_PERMITTED: "The request is not permitted according to product assignment.",
    NO_SUCH_RECEIPT: "The transaction receipt number does not exist.",
    "2040": "Credit Party customer type can't be supported by the service.",
    CREDENTIAL_LOCKED: "The security credential is locked.",
    "SFC_IC0003": "The operator does not exist.",
}
_UNLISTED = "The service request is rejected."


def text_of(code: str) -> str:
    """Invented for a code that is not in the table."""
    return _TEXTS.get(code, _UNLISTED)


def is_a_number(code: str) -> bool:
    """Whether M-PESA writes it as one: ``SFC_IC0003`` it cannot."""
    return code.isascii() and code.isdigit()
