"""One-time codes: generate, validate, status, clean-up (facts: one-time codes).

Requests and wrong tries count against whoever acts (docs/decisions/0021). Each function runs inside
a transaction; the code itself leaves it only in its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.domain.otp import (
    CODE_LIMITS,
    DAY,
    LIFE,
    SENDS_MAX,
    WRONG_WITHIN,
    Binding,
    ChannelAddress,
    CodeHolder,
    CodeLimits,
    Otp,
    OtpStatus,
    Quota,
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
    """A new code, to be sealed and sent; it exists nowhere else."""

    otp: Otp
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Passed:
    """The code was right, and is consumed."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The code is right, and can still be used."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class NotPassed:
    """``status`` is the code's state now; ``tries_left`` counts only while it is pending."""

    status: OtpStatus
    tries_left: int = 0


def generate(
    tx: Tx,
    keys: Keys,
    random: Random,
    binding: Binding,
    phone: Phone,
    account: ChannelAddress | None = None,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> Issued | Refusal:
    """Draw a code for ``binding``, to be sent to ``phone``; an older one of its operation is
    revoked.

    ``phone`` is the person's own, unless the code verifies a contact: then ``account`` is who asks
    for it. Refusals: ``otp_locked``, ``otp_cool_down``, ``otp_sends``, ``otp_too_many``; for a
    contact to be verified ``otp_account_locked`` and ``otp_contact_too_many`` instead.
    """
    proves = binding.purpose.proves
    assert proves == (account is not None), "an account asks for a proof, a person for the rest"
    if is_locked(tx, account or phone):
        return Refusal("otp_account_locked" if proves else "otp_locked")
    before = tx.otps.newest(binding.operation)
    if before is not None:
        if before.sent >= SENDS_MAX:
            return Refusal("otp_sends")
        if tx.now < before.resend_at:
            wait = before.resend_at - tx.now
            return Refusal.of("otp_cool_down", seconds=-(-wait // timedelta(seconds=1)))
    again_at = _free_at(tx, binding, phone, account, limits)
    if again_at is not None:
        code = "otp_contact_too_many" if proves else "otp_too_many"
        return Refusal.of(code, again=again_at)
    if before is not None and before.status is OtpStatus.PENDING:
        tx.otps.end(before.id, OtpStatus.REVOKED)
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
        account=account,
    )
    tx.otps.add(otp)
    return Issued(otp, code)


def validate(
    tx: Tx, keys: Keys, binding: Binding, code: str, *, limits: CodeLimits = CODE_LIMITS
) -> Passed | NotPassed:
    """Count the attempt, then compare, then consume: the attempt counts whatever the answer.

    ``binding`` is rebuilt from the operation's current state, never taken from the stored code.
    Wrong tries count over all codes of whoever types them, however each ends; the one that reaches
    the limit ends its code, and so does any later one.
    """
    newest = tx.otps.newest(binding.operation)
    if newest is not None and _passes(tx, keys, newest, binding, code):
        tx.otps.end(newest.id, OtpStatus.USED)
        return Passed()
    otp = tx.otps.count_attempt(binding.operation)
    if otp is None:
        if newest is None:
            return NotPassed(OtpStatus.REVOKED)
        if newest.status is OtpStatus.PENDING:
            return NotPassed(_end_without_attempt(tx, newest))
        return NotPassed(newest.status)
    if _is_right(keys, otp, binding, code):
        tx.otps.end(otp.id, OtpStatus.USED)
        return Passed()
    return _wrong(tx, otp, limits)


def verify(
    tx: Tx, keys: Keys, binding: Binding, code: str, *, limits: CodeLimits = CODE_LIMITS
) -> Verified | NotPassed:
    """Count the attempt and compare, without using the code.

    Once it was right, even at the last attempt, ``validate`` takes the same code and counts
    nothing.
    """
    newest = tx.otps.newest(binding.operation)
    otp = tx.otps.count_attempt(binding.operation)
    if otp is None:
        if newest is None:
            return NotPassed(OtpStatus.REVOKED)
        if newest.status is not OtpStatus.PENDING:
            return NotPassed(newest.status)
        if _passes(tx, keys, newest, binding, code):
            return Verified(0)
        return NotPassed(_end_without_attempt(tx, newest))
    if not _is_right(keys, otp, binding, code):
        return _wrong(tx, otp, limits)
    tx.otps.verify(otp.id)
    return Verified(otp.tries_left)


def _is_right(keys: Keys, otp: Otp, binding: Binding, code: str) -> bool:
    return same(digest(keys.pepper(otp.pepper_id), otp.id, binding, code), otp.digest)


def _passes(tx: Tx, keys: Keys, otp: Otp, binding: Binding, code: str) -> bool:
    """Whether it is the code that was found right before, in its time still."""
    return (
        otp.verified_at is not None
        and otp.status is OtpStatus.PENDING
        and tx.now < otp.expires_at
        and _is_right(keys, otp, binding, code)
    )


def _end_without_attempt(tx: Tx, otp: Otp) -> OtpStatus:
    """End a pending code that takes no attempt: its time is over, or it has none left."""
    status = OtpStatus.EXPIRED if otp.expires_at <= tx.now else OtpStatus.LOCKED
    tx.otps.end(otp.id, status)
    return status


def _wrong(tx: Tx, otp: Otp, limits: CodeLimits) -> NotPassed:
    locks = _locks(tx, otp.who, limits.wrong)
    if otp.tries_left and not locks:
        return NotPassed(OtpStatus.PENDING, otp.tries_left)
    tx.otps.end(otp.id, OtpStatus.LOCKED)
    return NotPassed(OtpStatus.LOCKED)


def _locks(tx: Tx, who: CodeHolder | None, most: int) -> bool:
    """Whether the wrong try just counted reached the limit, or came after it."""
    if who is None:
        return False
    if not is_locked(tx, who):
        if tx.otps.failed_attempts(who, tx.clock.ago(WRONG_WITHIN)) < most:
            return False
        tx.otps.lock(who)
    return True


def status(tx: Tx, operation: str) -> Otp | None:
    """The newest code of an operation in its current state, which includes expiry."""
    otp = tx.otps.newest(operation)
    if otp is not None and otp.status is OtpStatus.PENDING and otp.expires_at <= tx.now:
        tx.otps.end(otp.id, OtpStatus.EXPIRED)
        return tx.otps.newest(operation)
    return otp


def is_foreign(tx: Tx, keys: Keys, binding: Binding, code: str) -> bool:
    """Whether a wrong code is another live one of the same partner, so that somebody passes codes
    on. For alerting admins, never the person."""
    return any(
        same(digest(keys.pepper(other.pepper_id), other.id, other.binding, code), other.digest)
        for other in tx.otps.pending_of(binding.partner)
        if other.binding.operation != binding.operation
    )


def is_replaced(tx: Tx, keys: Keys, binding: Binding, code: str) -> bool:
    """Whether a wrong code is one of this operation that a newer one has replaced."""
    return any(
        other.status is OtpStatus.REVOKED and _is_right(keys, other, binding, code)
        for other in tx.otps.of_operation(binding.operation)
    )


def is_used(tx: Tx, keys: Keys, binding: Binding, typed: str) -> bool:
    """Whether it is the code that was used for this operation, typed once more."""
    newest = tx.otps.newest(binding.operation)
    return (
        newest is not None
        and newest.status is OtpStatus.USED
        and _is_right(keys, newest, binding, typed)
    )


def revoke(tx: Tx, operation: str) -> None:
    """Revoke the operation's live code, if any; the message that carries it is wiped."""
    otp = tx.otps.newest(operation)
    if otp is not None and otp.status is OtpStatus.PENDING:
        tx.otps.end(otp.id, OtpStatus.REVOKED)


def is_locked(tx: Tx, who: CodeHolder) -> bool:
    """Too many wrong codes within a day, and no admin has unlocked them since."""
    return tx.otps.locked_since(who) is not None


def unlock(tx: Tx, who: CodeHolder, by: str) -> bool:
    """Allow them codes again; False if they were not locked."""
    return tx.otps.unlock(who, by)


def of_number(tx: Tx, phone: Phone) -> list[CodeHolder]:
    """Everything that may be locked for the owner of this number: the number and their accounts."""
    return [phone, *tx.otps.accounts_of(phone)]


def carry_lock_over(tx: Tx, old: Phone, new: Phone) -> None:
    """A lock follows the person to a new number; only an admin lifts it."""
    if old != new and is_locked(tx, old):
        tx.otps.lock(new)


def clean_up(tx: Tx, kept: timedelta, limit: int) -> tuple[Sequence[str], int]:
    """Mark expired codes, and delete rows older than ``kept``.

    Returns the operations whose codes expired and the number of rows deleted; at most ``limit`` of
    each.
    """
    expired = tx.otps.expired(limit)
    for otp in expired:
        tx.otps.end(otp.id, OtpStatus.EXPIRED)
    gone = tx.otps.delete_before(tx.now - kept, limit)
    return [otp.binding.operation for otp in expired], gone


def clean_up_of(tx: Tx, partner: str, limit: int) -> Sequence[str]:
    """Mark the partner's expired codes, at most ``limit``; returns their operations."""
    expired = tx.otps.expired_of(partner, limit)
    for otp in expired:
        tx.otps.end(otp.id, OtpStatus.EXPIRED)
    return [otp.binding.operation for otp in expired]


def _free_at(
    tx: Tx, binding: Binding, phone: Phone, account: ChannelAddress | None, limits: CodeLimits
) -> datetime | None:
    """When another code of this purpose may be drawn; ``None`` if now.

    Colleagues' use of a shared limit never blocks somebody who has had few codes, and others'
    requests to an unverified number never block its owner.
    """
    since, purpose = tx.clock.ago(DAY), binding.purpose
    if account is None:
        to = tx.otps.issued_to_phone(phone, purpose, since)
        waits = [_wait(tx, to, quota) for quota in limits.phone]
    else:
        to = tx.otps.issued_to(binding.destination, purpose, since)
        asked = tx.otps.issued_for_account(account, purpose, since)
        waits = [_wait(tx, asked, quota) for quota in limits.account]
        waits += _shared(tx, to, asked, limits.phone, limits.reserved)
    drawn = tx.otps.issued_in(binding.partner, purpose, since)
    everybodys = [one.at for one in drawn]
    own = [
        one.at
        for one in drawn
        if (one.person_id == binding.person_id if account is None else one.account == account)
    ]
    waits += _shared(tx, everybodys, own, limits.partner, limits.reserved)
    return max((wait for wait in waits if wait is not None), default=None)


def _shared(
    tx: Tx,
    everybodys: Sequence[datetime],
    own: Sequence[datetime],
    quotas: Sequence[Quota],
    reserved: Sequence[Quota],
) -> list[datetime]:
    """When one more fits each of the quotas, or ``own`` fits into what they reserve."""
    waits = []
    for quota, part in zip(quotas, reserved, strict=True):
        spent, own_spent = _wait(tx, everybodys, quota), _wait(tx, own, part)
        if spent is not None and own_spent is not None:
            waits.append(min(spent, own_spent))
    return waits


def _wait(tx: Tx, drawn: Sequence[datetime], quota: Quota) -> datetime | None:
    """When one more fits the quota; ``drawn`` is newest first."""
    within, most = quota
    if len(drawn) < most:
        return None
    again = tx.clock.elapses_at(drawn[most - 1], within)
    return again if tx.now < again else None
