"""The names of the limits that admins set, dated (facts: M-PESA, Limits)."""

from __future__ import annotations

from enum import StrEnum

from services.domain.money import Money


class LimitName(StrEnum):
    """Per payment and per business day; ``float.day.desk`` is for all partners together.
    ``payout.recipient.day`` is a business day's to one recipient, ``payout.recipient.new`` that of
    the 24 hours after the first payout to one."""

    C2B_MIN = "c2b.min"
    C2B_MAX = "c2b.max"
    C2B_DAY = "c2b.day"
    FLOAT_MIN = "float.min"
    FLOAT_MAX = "float.max"
    FLOAT_DAY = "float.day"
    FLOAT_DAY_DESK = "float.day.desk"
    PAYOUT_MIN = "payout.min"
    PAYOUT_MAX = "payout.max"
    PAYOUT_DAY = "payout.day"
    PAYOUT_RECIPIENT_DAY = "payout.recipient.day"
    PAYOUT_RECIPIENT_NEW = "payout.recipient.new"


PAYOUT_LIMITS = (
    LimitName.PAYOUT_MIN,
    LimitName.PAYOUT_MAX,
    LimitName.PAYOUT_DAY,
    LimitName.PAYOUT_RECIPIENT_DAY,
    LimitName.PAYOUT_RECIPIENT_NEW,
)
# Of top-ups and float, which each partner may have its own of.
BUYING_LIMITS = tuple(
    name for name in LimitName if name not in (*PAYOUT_LIMITS, LimitName.FLOAT_DAY_DESK)
)
LIMITS = tuple(name.value for name in LimitName)
# The minimum and maximum of one payment, which must not cross.
PAIRS = (
    (LimitName.C2B_MIN, LimitName.C2B_MAX),
    (LimitName.FLOAT_MIN, LimitName.FLOAT_MAX),
    (LimitName.PAYOUT_MIN, LimitName.PAYOUT_MAX),
)
LEAST = Money(100)  # minimum of one payment, whatever is set: M-PESA takes whole shillings
EVERYBODY = ""  # the partner of a limit that applies to all without their own
DESK = "DESK"  # what an admin types for all partners
