"""Float purchases, payouts and batches of payouts until their money is held: codes, cancelling, and
what ends in time.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, cast

from services import otp
from services.domain.approval import Decision
from services.domain.float_purchase import PurchaseState
from services.domain.otp import CODE_LIMITS, CodeLimits, OtpStatus
from services.domain.partner import Person
from services.domain.payout import Payout, PayoutState, is_payout
from services.domain.payout_batch import Batch, BatchState, is_batch
from services.domain.refusal import Refusal
from services.domain.spending import (
    CANCELLABLE,
    S,
    Spending,
    SpendingState,
    binding,
    is_in,
)
from services.otp import Issued, NotPassed
from services.ports import Keys, Random, Tx

PAGE = 500  # rows of one clean-up transaction


@dataclass(frozen=True, slots=True)
class CodeSent(Generic[S]):
    operation: S
    issued: Issued


def get(tx: Tx, reference: str) -> Spending | None:
    if is_payout(reference):
        return tx.payouts.get(reference)
    if is_batch(reference):
        return tx.payout_batches.get(reference)
    return tx.purchases.get(reference)


def own(tx: Tx, person: Person, reference: str) -> Spending | None:
    """The operation, if this person began it."""
    found = get(tx, reference)
    if found is None or found.person_id != person.id:
        return None
    return found if found.partner == person.partner.code else None


def move(tx: Tx, spending: S, state: SpendingState, **changes: Any) -> S:
    """Store it in its next state."""
    moved: Spending
    if isinstance(spending, Payout):
        moved = spending.transition_to(PayoutState(state.value), **changes)
        tx.payouts.save(moved)
    elif isinstance(spending, Batch):
        moved = spending.transition_to(BatchState(state.value), **changes)
        tx.payout_batches.save(moved)
    else:
        moved = spending.transition_to(PurchaseState(state.value), **changes)
        tx.purchases.save(moved)
    return cast("S", moved)  # of the same kind as it was


def end(tx: Tx, spending: S, state: SpendingState, reason: str | None) -> S:
    """End it before its money is held."""
    return move(tx, spending, state, reason=reason, settled_at=tx.now)


def send_code(
    tx: Tx, keys: Keys, random: Random, spending: S, *, limits: CodeLimits = CODE_LIMITS
) -> CodeSent[S] | Refusal:
    """The first code, which approves exactly what was confirmed. Refusals: those of
    ``otp.generate``."""
    assert spending.phone is not None, "a person confirmed it"
    issued = otp.generate(tx, keys, random, binding(spending), spending.phone, limits=limits)
    if isinstance(issued, Refusal):
        return issued
    return CodeSent(move(tx, spending, SpendingState.OTP_SENT), issued)


def resend(
    tx: Tx,
    keys: Keys,
    random: Random,
    person: Person,
    spending: S,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> CodeSent[S] | S | Refusal:
    """Send another code, which revokes the previous one; returns the operation if it has ended.

    Refusals: those of ``otp.generate``.
    """
    spending = as_of_now(tx, spending)
    if not is_in(spending, SpendingState.OTP_SENT):
        return spending
    # The number was changed meanwhile: no code for this operation
    if spending.phone != person.phone:
        otp.revoke(tx, spending.reference)
        return end(tx, spending, SpendingState.CANCELLED, None)
    issued = otp.generate(tx, keys, random, binding(spending), person.phone, limits=limits)
    return issued if isinstance(issued, Refusal) else CodeSent(spending, issued)


def as_of_now(tx: Tx, spending: S) -> S:
    """The operation, ended if its code has expired."""
    if is_in(spending, SpendingState.OTP_SENT):
        newest = otp.status(tx, spending.reference)
        if newest is not None and newest.status is OtpStatus.EXPIRED:
            return end(tx, spending, SpendingState.OTP_EXPIRED, None)
    return spending


def check_code(
    tx: Tx, keys: Keys, spending: S, code: str, *, limits: CodeLimits = CODE_LIMITS
) -> S | NotPassed | None:
    """``None`` if the code was right, which consumes it; ``NotPassed`` while tries are left, else
    the operation, ended."""
    answer = otp.validate(tx, keys, binding(spending), code, limits=limits)
    if not isinstance(answer, NotPassed):
        return None
    if answer.status is OtpStatus.PENDING:
        return answer
    return end_with_code(tx, spending, answer.status)


_ENDED_BY = {
    OtpStatus.LOCKED: SpendingState.OTP_LOCKED,
    OtpStatus.EXPIRED: SpendingState.OTP_EXPIRED,
}


def end_with_code(tx: Tx, spending: S, status: OtpStatus) -> S:
    """End one whose code can no longer be used; one that does not wait for it stays."""
    if not is_in(spending, SpendingState.OTP_SENT):
        return spending
    return end(tx, spending, _ENDED_BY.get(status, SpendingState.CANCELLED), None)


def cancel(tx: Tx, person: Person, reference: str) -> Spending | None:
    """Cancel it if no money is held yet, and revoke its code. ``None`` if it was too late."""
    found = own(tx, person, reference)
    if found is None or not is_in(found, *CANCELLABLE):
        return None
    if is_in(found, SpendingState.QUOTED):
        drop_quote(tx, found)
        return get(tx, reference)
    otp.revoke(tx, reference)
    tx.approvals.decide(reference, Decision.WITHDRAWN, None)
    return end(tx, found, SpendingState.CANCELLED, None)


def undeliverable(tx: Tx, reference: str) -> Spending | None:
    """Its code cannot be delivered: revoke the code and end the operation."""
    found = get(tx, reference)
    if found is None or not is_in(found, SpendingState.OTP_SENT):
        return None
    otp.revoke(tx, reference)
    return end(tx, found, SpendingState.REFUSED, "code_undeliverable")


def expire(tx: Tx, references: Sequence[str]) -> None:
    """Their codes have expired."""
    for reference in references:
        found = get(tx, reference)
        if found is not None and is_in(found, SpendingState.OTP_SENT):
            end(tx, found, SpendingState.OTP_EXPIRED, None)


def without_code(tx: Tx, person_id: int) -> list[Spending]:
    """What the person has begun for which no code has been drawn yet."""
    return [
        *tx.purchases.without_code(person_id),
        *tx.payouts.without_code(person_id),
        *tx.payout_batches.without_code(person_id),
    ]


def drop_stale_quotes(tx: Tx, max_age: timedelta) -> int:
    """Cancel quotes older than ``max_age``; returns the most of one kind, at most ``PAGE``."""
    before = tx.now - max_age
    stale: Sequence[Sequence[Spending]] = (
        tx.purchases.stale_quotes(before, PAGE),
        tx.payouts.stale_quotes(before, PAGE),
        tx.payout_batches.stale_quotes(before, PAGE),
    )
    for quotes in stale:
        for quote in quotes:
            drop_quote(tx, quote)
    return max(map(len, stale))


def drop_quote(tx: Tx, quote: Spending) -> None:
    """Nobody confirmed it: what a file said is forgotten."""
    end(tx, quote, SpendingState.CANCELLED, None)
    if isinstance(quote, Batch):
        tx.payout_batches.forget_rows(quote.reference)
