"""One-time codes as values: what each is bound to, and the limits (facts: one-time codes)."""

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
LIFE = timedelta(minutes=10)  # exact, without grace
CHECKS_MAX = 3
SENDS_MAX = 3  # per operation, including the first
COOL_DOWNS = (timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Codes of one purpose per hour and per day (docs/decisions/0021).
PARTNER_MAX = ((HOUR, 5), (DAY, 15))
PHONE_MAX = ((HOUR, 5), (DAY, 10))  # or per mail address being verified
ACCOUNT_MAX = ((HOUR, 5), (DAY, 10))  # requested by an account, for contacts not verified yet
# Part of a partner's limit that is always left to each of its people, and of an unverified
# contact's limit to each account.
RESERVED = ((HOUR, 2), (DAY, 5))
# This many wrong tries in a day, as with three locked codes, lock whoever typed them until an admin
# unlocks them.
WRONG_MAX, WRONG_WITHIN = 3 * CHECKS_MAX, DAY
Quota: TypeAlias = tuple[timedelta, int]  # how many within that time
BINDING_VERSION = 1

ChannelAddress: TypeAlias = tuple[str, str]  # channel and address of an account
# Who wrong tries count against: the person of a verified number, or an account.
CodeHolder: TypeAlias = Phone | ChannelAddress

_SEPARATORS = re.compile(r"[ \u00a0.\-–]")
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")
# Words that people type before a code, in either language.
_INTRODUCED = re.compile(
    r"^(?:(?:the|my|your)\s+)?(?:code|otp|pin|msimbo|nambari)(?:\s+(?:is|ni))?\s*[:=]?\s*",
    re.IGNORECASE,
)
TYPED_MAX = 48  # characters; more is never a code


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """How many codes may be requested, and how many wrong ones typed. What holds for a single code
    or operation is not among them."""

    partner: tuple[Quota, ...] = PARTNER_MAX
    phone: tuple[Quota, ...] = PHONE_MAX
    account: tuple[Quota, ...] = ACCOUNT_MAX
    reserved: tuple[Quota, ...] = RESERVED
    wrong: int = WRONG_MAX

    def times(self, factor: int) -> CodeLimits:
        """The same limits, ``factor`` times as high."""

        def raised(quotas: tuple[Quota, ...]) -> tuple[Quota, ...]:
            return tuple((within, most * factor) for within, most in quotas)

        return CodeLimits(
            raised(self.partner),
            raised(self.phone),
            raised(self.account),
            raised(self.reserved),
            self.wrong * factor,
        )


CODE_LIMITS = CodeLimits()


class Purpose(StrEnum):
    FLOAT_PURCHASE = "float_purchase"
    DISBURSEMENT = "disbursement"
    PAYOUT_BATCH = "payout_batch"
    WALLET_TOPUP = "wallet_topup"
    LINK_PHONE = "link_phone"  # the number is this person's: they joined with it, or changed to it
    PROVE_MAIL = "prove_mail"  # the mail address is this person's
    DESK_PIN = "desk_pin"  # this person may set a new one
    THAW_PAYOUTS = "thaw_payouts"  # the partner's frozen payouts go on
    API_CEILING = "api_ceiling"  # a key of the partner's systems may pay so much without a code
    APPROVAL = "approval"  # a colleague's purchase; approved by a desk PIN only, never by a code

    @property
    def proves(self) -> bool:
        """Whether the contact is not verified yet, and may be somebody else's."""
        return self in (Purpose.LINK_PHONE, Purpose.PROVE_MAIL)


class OtpStatus(StrEnum):
    """Only a ``pending`` code can pass."""

    PENDING = "pending"
    USED = "used"
    EXPIRED = "expired"
    LOCKED = "locked"
    REVOKED = "killed"  # by a newer code, a cancellation, or failed delivery


@dataclass(frozen=True, slots=True)
class Binding:
    """What a code approves, and nothing else: one operation of one person, as shown."""

    purpose: Purpose
    operation: str
    partner: str
    person_id: int
    amount: Money
    destination: str

    def canonical(self) -> str:
        """The same text for the same binding, whatever the order of its parts."""
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

    ``account`` is who requested it, if its purpose is to verify a contact. ``verified_at`` is when
    it was first found right without being used.
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
    verified_at: datetime | None = None

    @property
    def who(self) -> CodeHolder | None:
        """Who a wrong try counts against: never the owner of a number that somebody else merely
        named. ``None`` for verifications from before accounts were recorded."""
        return self.account if self.binding.purpose.proves else self.phone

    @property
    def resend_at(self) -> datetime:
        """When another may be requested."""
        return self.created_at + COOL_DOWNS[min(self.sent, len(COOL_DOWNS)) - 1]

    @property
    def tries_left(self) -> int:
        return max(0, CHECKS_MAX - self.attempts)


class CodeIssue(NamedTuple):
    """When a code was drawn, for whom, and by which account if it verifies a contact."""

    at: datetime
    person_id: int
    account: ChannelAddress | None


def draw_code(random: RandomSource) -> str:
    """Six digits, uniformly random."""
    return f"{random.randrange(10**DIGITS):0{DIGITS}d}"


def read_code(typed: str) -> str | None:
    """The code in what was typed, such as "123 456", "12-34-56." or "The code is 123456"."""
    if len(typed) > TYPED_MAX:
        return None
    digits = _INTRODUCED.sub("", typed.strip(), count=1)
    code = _SEPARATORS.sub("", digits)
    return code if _CODE.fullmatch(code) else None


def digest(pepper: bytes, otp_id: str, binding: Binding, code: str) -> str:
    """HMAC-SHA256 over version, id, binding and code (facts: one-time codes)."""
    text = f"{BINDING_VERSION}|{otp_id}|{binding.canonical()}|{code}"
    return hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(one, other)
