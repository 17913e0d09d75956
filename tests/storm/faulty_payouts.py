"""Faulty replacements for functions of payouts: each takes the original, then its arguments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services import payout_settlement
from services.domain.bank import Unknown
from services.domain.ledger import payout_owed, payout_posted, payout_voided
from services.domain.otp import OtpStatus
from services.domain.payout import HOLDS, Payout, PayoutState, originator_id
from services.domain.payout_answers import Acknowledged, PayoutReason, Returned, Undecided
from services.otp import NotPassed
from services.payout_settlement import BANK_DOWN, DESK, ORDER
from services.ports import Tx

DAY = timedelta(days=1)


def ordered_again(right: Any, tx: Tx, claimed: Payout, answer: Any, *rest: Any) -> Any:
    """A timeout is taken for "nothing sent"."""
    payout = tx.payouts.get(claimed.reference)
    assert payout is not None
    if isinstance(answer, Unknown) and payout.state is PayoutState.SUBMITTING:
        ready = {"submitted_at": None, "ready_since": tx.now, "due_at": tx.now}
        tx.payouts.save(payout.transition_to(PayoutState.AUTHORISED, **ready))
        return None
    return right(tx, claimed, answer, *rest)


def id_of_the_attempt(payout: Payout) -> str:
    tail = f"R{payout.attempt}" if payout.attempt > 1 else ""
    return originator_id(payout.reference) + tail


def timeout_is_returned(right: Any, tx: Tx, claimed: Payout, answer: Any, *rest: Any) -> Any:
    payout = tx.payouts.get(claimed.reference)
    assert payout is not None
    if isinstance(answer, Unknown) and payout.state is PayoutState.SUBMITTING:
        return payout_settlement._return(tx, payout, BANK_DOWN, "no answer", ORDER)
    return right(tx, claimed, answer, *rest)


def accepted_is_paid(right: Any, tx: Tx, claimed: Payout, answer: Any, *rest: Any) -> Any:
    change = right(tx, claimed, answer, *rest)
    payout = tx.payouts.get(claimed.reference)
    assert payout is not None
    if isinstance(answer, Acknowledged) and payout.state is PayoutState.ACCEPTED:
        return payout_settlement._pay(tx, payout, "accepted", ORDER)
    return change


def hold_dropped(right: Any, tx: Tx, payout: Payout, why: str) -> Any:
    change = right(tx, payout, why)
    tx.ledger.book(*payout_voided(payout.reference, payout.partner, payout.quote))
    return change


def anything(right: Any, *args: Any) -> bool:
    return True


def never(right: Any, *args: Any) -> bool:
    return False


def no_status_is_returned(right: Any, *args: Any) -> Any:
    verdict = right(*args)
    if isinstance(verdict, Undecided):
        return Returned(PayoutReason.NOT_REGISTERED, verdict.why)
    return verdict


def doubt_is_returned(right: Any, tx: Tx, payout: Payout, why: str, source: str) -> Any:
    if payout.state in HOLDS and payout.submitted_at is not None:
        return payout_settlement._return(tx, payout, BANK_DOWN, why, source)
    return right(tx, payout, why, source)


def told_again_is_paid_again(right: Any, tx: Tx, payout: Payout, paid: Any, source: str) -> Any:
    if payout.state is PayoutState.PAID and payout.receipt == paid.receipt:
        tx.ledger.book(*payout_owed(payout.reference, payout.partner, payout.quote))
    return right(tx, payout, paid, source)


def late_is_ignored(right: Any, tx: Tx, payout: Payout, paid: Any, source: str) -> Any:
    if payout.state is PayoutState.RETURNED:
        return None
    return right(tx, payout, paid, source)


def not_owed(right: Any, *args: Any) -> Any:
    return []


def from_the_float_again(right: Any, reference: str, partner: str, quote: Any) -> Any:
    return payout_posted(reference, partner, quote)


def returned_by_its_age(right: Any, tx: Tx, claimed: Payout, *rest: Any) -> Any:
    right(tx, claimed, *rest)
    payout = tx.payouts.get(claimed.reference)
    assert payout is not None
    if payout.state is not PayoutState.UNKNOWN or payout.submitted_at is None:
        return None
    if tx.now < payout.submitted_at + DAY:
        return None
    return payout_settlement._return(tx, payout, BANK_DOWN, "too old", DESK)


def whoever_is_paid(right: Any, spending: Any) -> str:
    return "customer" if isinstance(spending, Payout) else str(right(spending))


def any_code_of_theirs(right: Any, tx: Tx, keys: Any, spending: Any, code: str, **more: Any) -> Any:
    """A code that the same person was sent for something else will do."""
    answer = right(tx, keys, spending, code, **more)
    if not isinstance(answer, NotPassed) or answer.status is not OtpStatus.PENDING:
        return answer
    for other in (*tx.payouts.every(), *tx.purchases.every()):
        if other.state.value != "OTP_SENT" or other.reference == spending.reference:
            continue
        if other.person_id == spending.person_id and right(tx, keys, other, code, **more) is None:
            return None
    return answer


def nothing_to_say(right: Any, *args: Any) -> None:
    return None


def without_charge(right: Any, reference: str, partner: str, quote: Any) -> Any:
    """M-PESA is owed nothing for it."""
    return right(
        reference, partner, replace(quote, transfer_fee=replace(quote.transfer_fee, cents=0))
    )
