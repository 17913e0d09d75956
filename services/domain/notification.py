"""What a partner may be notified of besides answers and receipts, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.domain.money import Money


class NotificationKind(StrEnum):
    LOW_WALLET = "low_wallet"
    LOW_FLOAT = "low_float"
    TOPUP_PAID = "topup_paid"  # the receipt is in the chat anyway; this adds SMS
    DIGEST = "digest"


class ChatMode(StrEnum):
    ON = "on"
    SILENT = "silent"  # shown without a sound
    OFF = "off"


@dataclass(frozen=True, slots=True)
class NotificationPreference:
    """How one kind is delivered: in the chat, also by SMS, to every owner or only to who began
    it."""

    kind: NotificationKind
    chat: ChatMode
    sms: bool = False
    owners: bool = False


# Notifications to others and digests are off until a partner enables them.
DEFAULTS = {
    NotificationKind.LOW_WALLET: NotificationPreference(NotificationKind.LOW_WALLET, ChatMode.ON),
    NotificationKind.LOW_FLOAT: NotificationPreference(NotificationKind.LOW_FLOAT, ChatMode.ON),
    NotificationKind.TOPUP_PAID: NotificationPreference(NotificationKind.TOPUP_PAID, ChatMode.ON),
    NotificationKind.DIGEST: NotificationPreference(NotificationKind.DIGEST, ChatMode.OFF),
}


def fell_below(threshold: Money, before: Money, after: Money) -> bool:
    """Whether a movement crossed the threshold downwards: alerts once, and again only after a
    recovery. A zero threshold never alerts."""
    return threshold.cents > 0 and after < threshold <= before
