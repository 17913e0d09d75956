"""One-time codes as values: what one is bound to, and its rules (facts: one-time codes)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from services.domain.ids import RandomSource
from services.domain.money import Money
from services.domain.phone import Phone

DIGITS = 6
LIFE = timedelta(minutes=10)  # to the second, no grace
CHECKS_MAX = 3
SENDS_MAX = 3  # of one operation, the first included
COOL_DOWNS = (timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Codes of one purpose within an hour and a day (docs/decisions/0021).
PARTNER_MAX = ((HOUR, 5), (DAY, 15))
PHONE_MAX = ((HOUR, 5), (DAY, 10))  # or a mail address that is to prove itself
ACCOUNT_MAX = ((HOUR, 5), (DAY, 10))  # asked for by an account, for contacts not proved yet
# What a partner's limit leaves each of its people in any case, and that of a contact which is not
# proved yet each account.
RESERVED = ((HOUR, 2), (DAY, 5))
# So many wrong tries in a day, as three locked codes have, lock who typed them until an admin
# unlocks them.
WRONG_MAX, WRONG_WITHIN = 3 * CHECKS_MAX, DAY
BINDING_VERSION = 1

ChannelAddress: TypeAlias = tuple[str, str]  # channel and address of an account
# Against whom tries count: the person of a proved number, or an account.
CodeHolder: TypeAlias = Phone | ChannelAddress

_SEPARATORS = re.compile(r"[ \u00a0.\-–]")
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


class Purpose(StrEnum):
    FLOAT_PURCHASE = "float_purchase"
    DISBURSEMENT = "disbursement"
    WALLET_TOPUP = "wallet_topup"
    LINK_PHONE = "link_phone"  # the number is this person's: they joined by it, or changed to it
    PROVE_MAIL = "prove_mail"  # the mail address is this person's

    @property
    def proves(self) -> bool:
        """The contact it goes to is not proved yet, and may be somebody else's."""
        return self in (Purpose.LINK_PHONE, Purpose.PROVE_MAIL)


class OtpStatus(StrEnum):
    """``pending`` is the only one that a code can pass in."""

    PENDING = "pending"
    USED = "used"
    EXPIRED = "expired"
    LOCKED = "locked"
    REVOKED = "killed"  # by a newer code, a cancellation, or because it could not be delivered


@dataclass(frozen=True, slots=True)
class Binding:
    """What a code approves, and nothing else: one operation of one person, as it was shown."""

    purpose: Purpose
    operation: str
    partner: str
    person_id: int
    amount: Money
    destination: str

    def canonical(self) -> str:
        """The same text for the same binding, whatever order its parts are named in."""
        return json.dumps(
            {
                "amount": self.amount.cents,
                "currency": self.amount.currency,
                "destination": self.destination,
                "operation": self.operation,
                "partner": self.partner,
                "person": self.person_id,
                "purpose": self.purpose.value,
            },
            sort_keys=True,
            separators=(",", ":"),
        )


@dataclass(frozen=True, slots=True)
class Otp:
    """One code as stored: never the code itself. ``sent`` counts the codes of its operation.

    ``account`` asked for it, where its purpose is to prove a contact.
    """

    id: str
    binding: Binding
    phone: Phone
    pepper_id: str
    digest: str
    status: OtpStatus
    attempts: int
    sent: int
    created_at: datetime
    expires_at: datetime
    account: ChannelAddress | None = None

    @property
    def who(self) -> CodeHolder | None:
        """Against whom a wrong try counts: never against the owner of a number that somebody only
        named. ``None`` for a proof from before accounts were written down."""
        return self.account if self.binding.purpose.proves else self.phone

    @property
    def resend_at(self) -> datetime:
        """When another may be asked for."""
        return self.created_at + COOL_DOWNS[min(self.sent, len(COOL_DOWNS)) - 1]

    @property
    def tries_left(self) -> int:
        return max(0, CHECKS_MAX - self.attempts)


class CodeIssue(NamedTuple):
    """When a code was drawn, for whom, and which account asked where it proves a contact."""

    at: datetime
    person_id: int
    account: ChannelAddress | None


def draw_code(random: RandomSource) -> str:
    """Six digits, each as likely as any other."""
    return f"{random.randrange(10**DIGITS):0{DIGITS}d}"


def read_code(typed: str) -> str | None:
    """The code in what was typed: blanks, dots and dashes between the digits are let through."""
    if len(typed) > 4 * DIGITS:
        return None
    code = _SEPARATORS.sub("", typed.strip())
    return code if _CODE.fullmatch(code) else None


def digest(pepper: bytes, otp_id: str, binding: Binding, code: str) -> str:
    """HMAC-SHA256 over version, id, binding and code (facts: one-time codes)."""
    text = f"{BINDING_VERSION}|{otp_id}|{binding.canonical()}|{code}"
    return hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(one, other)
