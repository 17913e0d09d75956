"""One-time codes: generate, validate, status, clean-up (facts: one-time codes).

Each function runs inside a transaction; the code itself leaves it only towards its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.domain.otp import (
    LIFE,
    LOCKED_MAX,
    LOCKED_WITHIN,
    PARTNER_MAX,
    PHONE_MAX,
    SENDS_MAX,
    Binding,
    Otp,
    OtpStatus,
    digest,
    draw_code,
    same,
)
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.ports import Keys, Random, Tx

ID_HEX = 20  # digits of a code's id: nobody quotes it


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code, to be sealed and sent; it is nowhere else."""

    otp: Otp
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Passed:
    """The code was right, and is consumed."""


@dataclass(frozen=True, slots=True)
class NotPassed:
    """``status`` is what the code is now; ``tries_left`` counts only while it is pending."""

    status: OtpStatus
    tries_left: int = 0


def generate(
    tx: Tx, keys: Keys, random: Random, binding: Binding, phone: Phone
) -> Issued | Refusal:
    """Draw a code for ``binding``, to be sent to ``phone``; an older one of its operation dies.

    Refusals: ``otp_locked``, ``otp_cool_down``, ``otp_sends``, ``otp_too_many``.
    """
    if tx.otps.locked_since(phone) is not None:
        return Refusal("otp_locked")
    before = tx.otps.newest(binding.operation)
    if before is not None:
        if before.sent >= SENDS_MAX:
            return Refusal("otp_sends")
        if tx.now < before.resend_at:
            wait = before.resend_at - tx.now
            return Refusal.of("otp_cool_down", seconds=-(-wait // timedelta(seconds=1)))
    again_at = _free_at(tx, binding.partner, phone)
    if again_at is not None:
        return Refusal.of("otp_too_many", again=again_at)
    if before is not None and before.status is OtpStatus.PENDING:
        tx.otps.end(before.id, OtpStatus.KILLED)
    otp_id = f"OT-{random.randrange(16**ID_HEX):0{ID_HEX}x}"
    code = draw_code(random)
    otp = Otp(
        id=otp_id,
        binding=binding,
        phone=phone,
        pepper_id=keys.pepper_id,
        digest=digest(keys.pepper(keys.pepper_id), otp_id, binding, code),
        status=OtpStatus.PENDING,
        attempts=0,
        sent=1 if before is None else before.sent + 1,
        created_at=tx.now,
        expires_at=tx.now + LIFE,
    )
    tx.otps.add(otp)
    return Issued(otp, code)


def validate(tx: Tx, keys: Keys, binding: Binding, code: str) -> Passed | NotPassed:
    """Count the attempt, then compare, then consume: whatever the answer, it stays counted.

    ``binding`` is made anew from the operation as it stands, never taken from the stored code.
    """
    otp = tx.otps.count_attempt(binding.operation)
    if otp is None:
        newest = tx.otps.newest(binding.operation)
        if newest is None:
            return NotPassed(OtpStatus.KILLED)
        if newest.status is OtpStatus.PENDING:
            tx.otps.end(newest.id, OtpStatus.EXPIRED)
            return NotPassed(OtpStatus.EXPIRED)
        return NotPassed(newest.status)
    expected = digest(keys.pepper(otp.pepper_id), otp.id, binding, code)
    if same(expected, otp.digest):
        tx.otps.end(otp.id, OtpStatus.USED)
        return Passed()
    if otp.tries_left:
        return NotPassed(OtpStatus.PENDING, otp.tries_left)
    tx.otps.end(otp.id, OtpStatus.LOCKED)
    if tx.otps.count_locked(otp.phone, tx.now - LOCKED_WITHIN) >= LOCKED_MAX:
        tx.otps.lock(otp.phone)
    return NotPassed(OtpStatus.LOCKED)


def status(tx: Tx, operation: str) -> Otp | None:
    """The newest code of an operation as it stands now, an expired one named so."""
    otp = tx.otps.newest(operation)
    if otp is not None and otp.status is OtpStatus.PENDING and otp.expires_at <= tx.now:
        tx.otps.end(otp.id, OtpStatus.EXPIRED)
        return tx.otps.newest(operation)
    return otp


def is_foreign(tx: Tx, keys: Keys, binding: Binding, code: str) -> bool:
    """Whether a code that did not pass is another one that is live in the same partner: somebody
    passes codes on. Tells admins, never the person."""
    return any(
        same(digest(keys.pepper(other.pepper_id), other.id, other.binding, code), other.digest)
        for other in tx.otps.pending_of(binding.partner)
        if other.binding.operation != binding.operation
    )


def kill(tx: Tx, operation: str) -> None:
    """End the operation's code, if one is live; what was to carry it is wiped."""
    otp = tx.otps.newest(operation)
    if otp is not None and otp.status is OtpStatus.PENDING:
        tx.otps.end(otp.id, OtpStatus.KILLED)


def is_locked(tx: Tx, phone: Phone) -> bool:
    """Three codes of this phone were locked within a day, and no admin has unlocked it since."""
    return tx.otps.locked_since(phone) is not None


def unlock(tx: Tx, phone: Phone, by: str) -> bool:
    """Let the phone have codes again; False where it was not locked."""
    return tx.otps.unlock(phone, by)


def clean_up(tx: Tx, kept: timedelta, limit: int) -> tuple[Sequence[str], int]:
    """Mark codes whose time has run out, and delete rows older than ``kept``.

    Returns the operations whose codes expired and how many rows went; at most ``limit`` of each.
    """
    expired = tx.otps.expired(limit)
    for otp in expired:
        tx.otps.end(otp.id, OtpStatus.EXPIRED)
    gone = tx.otps.forget_before(tx.now - kept, limit)
    return [otp.binding.operation for otp in expired], gone


def _free_at(tx: Tx, partner: str, phone: Phone) -> datetime | None:
    """When partner and phone may have another code; ``None`` where they may now."""
    waits = [
        oldest + within
        for within, most in PARTNER_MAX
        if (oldest := tx.otps.nth_newest(most, tx.now - within, partner=partner)) is not None
    ]
    waits += [
        oldest + within
        for within, most in PHONE_MAX
        if (oldest := tx.otps.nth_newest(most, tx.now - within, phone=phone)) is not None
    ]
    return max(waits, default=None)
