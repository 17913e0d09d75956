"""Delivery reports from Africa's Talking (facts: channels, Africa's Talking SMS)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.domain.message import DeliveryReport

MESSAGE_ID = re.compile(r"[!-~]{1,128}")

# Reports are unsigned: only plain words go into rows and logs.
_WORDS = re.compile(r"[A-Za-z][A-Za-z _-]{0,59}")
_DELIVERED = "Success"
# By prefix, in lower case and without blanks. The carrier's page lists the first four as statuses
# and most others as reasons; networks' own words also come through. Whether a phone that was off
# (AbsentSubscriber) gets the message later is reported later.
_NOT_DELIVERED = (
    "failed",
    "rejected",
    "expired",
    "absent",
    "undeliver",
    "notdelivered",
    "deliveryfail",
    "deliveryimpossible",
    "aborted",
    "blocked",
    "blacklist",
    "userinblacklist",
    "userisinactive",
    "useraccountsuspended",
    "userdoesnotexist",
    "usernotsubscribed",
    "notnetworksub",
    "donotdisturb",
    "insufficientcredit",
    "invalid",
    "unsupported",
)


def read_report(form: Mapping[str, str]) -> DeliveryReport | None:
    """``None`` without an id of 1-128 printable characters and a status of 1-60 letters.

    Statuses are matched by prefix; any not known to be final is not: Sent, Submitted, Buffered,
    Queued, and words never seen before.
    """
    message_id = form.get("id", "")
    status = form.get("status", "").strip(" ")
    if not MESSAGE_ID.fullmatch(message_id) or not _WORDS.fullmatch(status):
        return None
    reason = form.get("failureReason", "")
    why = f"{status}: {reason}" if _WORDS.fullmatch(reason) else status
    return DeliveryReport(message_id, _delivered(status), why)


def _delivered(status: str) -> bool | None:
    if status.startswith(_DELIVERED):
        return True
    words = re.sub(r"[ _-]", "", status).lower()
    return False if words.startswith(_NOT_DELIVERED) else None
