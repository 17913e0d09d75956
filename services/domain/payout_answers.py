"""What M-PESA may answer to an order to pay a customer, as values (facts: Daraja 2, 5, 6, 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from services.domain.bank import NotSent, Unknown
from services.domain.money import Money
from services.domain.phone import Phone

RECIPIENT_NAME_MAX = 60  # characters of a name that are kept
_ORIGINATOR_ID = re.compile(r"[A-Za-z0-9]{1,20}")  # the page asks for fewer than it shows
REMARKS_LEAST, REMARKS_MAX = 2, 100  # characters
REMARKS = rf"[ !#-%'-;=?-~]{{{REMARKS_LEAST},{REMARKS_MAX}}}"  # printable ASCII without < > & "


def are_remarks(text: str) -> bool:
    """Whether M-PESA takes this beside a payment (facts: Daraja 2)."""
    return re.fullmatch(REMARKS, text) is not None


class PayoutReason(StrEnum):
    """Why a customer was not paid. Stored with the payout: values never change."""

    UTILITY_SHORT = "utility_short"  # our account at M-PESA, and not the partner's float
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    RECIPIENT_LIMIT = "recipient_limit"
    ACCOUNT_INACTIVE = "account_inactive"
    NOT_PERMITTED = "not_permitted"
    WRONG_CREDENTIAL = "wrong_credential"
    CREDENTIAL_LOCKED = "credential_locked"
    NOT_REGISTERED = "not_registered"
    NO_SUCH_NUMBER = "no_such_number"


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """``originator_id`` is ours, one for all time: M-PESA takes each once (facts: Daraja 2).

    Raises ``ValueError`` unless ``amount`` is in whole shillings, the id has 1 to 20 letters and
    digits, and ``remarks`` 2 to 100 characters that M-PESA takes.
    """

    originator_id: str
    phone: Phone
    amount: Money
    remarks: str

    def __post_init__(self) -> None:
        if self.amount.currency != "KES" or not self.amount.is_whole or self.amount.cents <= 0:
            raise ValueError(f"M-PESA pays whole shillings, not {self.amount}")
        if not _ORIGINATOR_ID.fullmatch(self.originator_id):
            raise ValueError(f"{self.originator_id!r} is no id of 1 to 20 letters and digits")
        if not are_remarks(self.remarks):
            raise ValueError(f"{self.remarks!r} are no remarks that M-PESA takes")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The order was taken, which says nothing of payment. ``conversation_id`` is M-PESA's."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway refused the order before M-PESA saw it, so nobody is paid by it."""

    description: str


PayoutAnswer = Acknowledged | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Asked:
    """A query was taken; its answer comes as a Result of ``conversation_id``."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class PaidOut:
    """``receipt`` is M-PESA's. ``recipient`` is the name that it gave, if it gave one."""

    receipt: str
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Returned:
    """Final: the money has not left, and never will by this order."""

    reason: PayoutReason
    description: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nothing that anybody may act on but by asking. ``why`` is for the log."""

    why: str


PayoutVerdict = PaidOut | Returned | Undecided
