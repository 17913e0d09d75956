"""Payouts, M-PESA's side: claim, submit, and record what is said of them.

Each function runs inside a transaction and makes no outside calls. Holds are placed by
``services.payouts.hold``; here they are posted or voided, only on evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services import payout_batch_rows, payout_freeze
from services.domain.bank import NoAnswer, NotSent, Unknown
from services.domain.lease import Lease
from services.domain.ledger import payout_owed, payout_posted, payout_voided
from services.domain.operation import OperationType
from services.domain.payout import (
    DESK,
    HELD_BACK_RETRY,
    NEEDS_ADMIN,
    NOT_SENT_EVERY,
    NOT_SENT_FOR,
    ORDER_REFUSED,
    PAUSES_ALL,
    SILENCES,
    SILENT_AFTER,
    Payout,
    PayoutState,
    next_query,
)
from services.domain.payout_answers import (
    Acknowledged,
    Asked,
    PaidOut,
    PayoutAnswer,
    Refused,
    Returned,
)
from services.domain.payout_batch import Batch
from services.domain.proposal import ADMINS, BY_ADMINS
from services.ports import Tx

BANK_DOWN = "bank_down"
ORDER = "daraja.order"  # a source of evidence
_AWAITED = frozenset({PayoutState.SUBMITTING, PayoutState.ACCEPTED, PayoutState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class PayoutChange:
    """A payout has reached an outcome, which its person should be told once. ``pauses``: no payout
    of anybody's is sent from now on. ``batch`` is that whose row it is, as it stood then, and
    ``ends_batch`` says that no other row of it was left."""

    payout: Payout
    pauses: bool = False
    batch: Batch | None = None
    ends_batch: bool = False


def claim(
    tx: Tx, lease: Lease, sends: int, queries: int
) -> tuple[Sequence[Payout], list[PayoutChange]]:
    """Claim what is due: at most ``sends`` to be sent and ``queries`` to be asked about.

    One found in ``SUBMITTING`` lost its worker and becomes unknown. One not sent within its minute
    is returned: provably nothing left the machine. What is frozen or paused waits. Where there is
    room for more, rows of batches are taken up.
    """
    work: list[Payout] = []
    settled: list[PayoutChange] = []
    is_silenced = may_ask_nothing(tx)
    claimed = [
        _get(tx, reference)
        for reference in tx.claims.take(OperationType.PAYOUT, lease, sends, queries)
    ]
    spare = sends - sum(not payout.can_be_queried for payout in claimed)
    if taken := payout_batch_rows.take_up(tx, spare):
        more = tx.claims.take(OperationType.PAYOUT, lease, taken, 0)
        claimed += [_get(tx, reference) for reference in more]
    for payout in claimed:
        is_unsent = payout.state is PayoutState.AUTHORISED
        if payout.state is PayoutState.SUBMITTING:
            settled.append(_unknown(tx, payout, "the worker was gone before an answer"))
        elif is_unsent and payout_freeze.is_held_back(tx, payout.partner):
            tx.payouts.save(replace(payout, due_at=tx.now + HELD_BACK_RETRY))
        elif is_unsent and _minute_is_over(tx, payout):
            settled.append(_return(tx, payout, BANK_DOWN, "nothing was sent", DESK))
        elif payout.state is PayoutState.ACCEPTED and _is_silent(tx, payout):
            change = _unknown(tx, payout, "no Result within two minutes")
            settled.append(change)
            work += [] if is_silenced else [change.payout]
        elif payout.can_be_queried and is_silenced:
            tx.payouts.save(replace(payout, due_at=tx.now + HELD_BACK_RETRY))
        else:
            work.append(payout)
    return work, settled


def may_ask_nothing(tx: Tx) -> bool:
    """Whether M-PESA refuses the credential, so that not even a question may use it."""
    pause = tx.payout_pauses.standing()
    return pause is not None and pause.why in SILENCES


def begin_submitting(tx: Tx, claimed: Payout, lease: Lease) -> Payout | None:
    """Commit that the one order is about to be sent; ``None`` if the claim was lost, or payouts
    were frozen or paused meanwhile."""
    if not tx.claims.still_ready(claimed.reference, claimed.attempt):
        return None
    payout = _get(tx, claimed.reference)
    if payout_freeze.is_held_back(tx, payout.partner):
        tx.payouts.save(replace(payout, due_at=tx.now + HELD_BACK_RETRY))
        return None
    payout = payout.transition_to(
        PayoutState.SUBMITTING, submitted_at=tx.now, due_at=tx.now + lease.lasts
    )
    tx.payouts.save(payout)
    return payout


def record_order(
    tx: Tx, claimed: Payout, answer: PayoutAnswer, milliseconds: int
) -> PayoutChange | None:
    """Record the answer to the one order, or to its preparation (facts: Daraja 2).

    Late evidence counts: an answer after the lease ended still settles an unknown payout. A Result
    may have settled it before. An answer recorded already changes nothing.
    """
    reference = claimed.reference
    if tx.evidence.has_money_call(reference):
        return None
    match answer:
        case NotSent(why):
            outcome, detail = "not_sent", why
        case Acknowledged(conversation_id):
            outcome, detail = "accepted", conversation_id
        case Refused(description):
            outcome, detail = "rejected", description
        case Unknown(why):
            outcome, detail = "unknown", why
    call = "token" if claimed.state is PayoutState.AUTHORISED else "payout"
    tx.evidence.call(reference, call, claimed.attempt, outcome, detail, milliseconds)
    payout = _get(tx, reference)
    is_denied = isinstance(answer, NotSent | Refused) and claimed.state is PayoutState.SUBMITTING
    if is_denied and payout.claimed_paid_at is not None and payout.state in _AWAITED:
        # M-PESA has called it paid meanwhile: only M-PESA can say now, and nothing is sent again.
        contradict(tx, payout, detail, ORDER)
        return _unknown(tx, payout, detail) if payout.state is PayoutState.SUBMITTING else None
    match answer:
        case NotSent(why):
            if payout.state is PayoutState.UNKNOWN:
                if payout.submitted_at != claimed.submitted_at:
                    return None  # it was sent once more since
                # The lease had ended before its worker could report that nothing left the machine.
                return _return(tx, payout, BANK_DOWN, why, DESK)
            return _not_sent(tx, payout, claimed)
        case Acknowledged(conversation_id):
            _accept(tx, payout, conversation_id)
            return None
        case Refused(description):
            if payout.state not in (PayoutState.SUBMITTING, PayoutState.UNKNOWN):
                return None
            return _return(tx, payout, ORDER_REFUSED, description, ORDER)
        case Unknown(why):
            if payout.state is not PayoutState.SUBMITTING:
                return None
            return _unknown(tx, payout, why)


def record_query(tx: Tx, claimed: Payout, answer: Asked | NoAnswer, milliseconds: int) -> None:
    """Record that M-PESA was asked; what it says comes later, as a Result."""
    match answer:
        case Asked(conversation_id):
            outcome, detail = "asked", conversation_id
            tx.payout_messages.note_query(conversation_id, claimed.reference)
        case NoAnswer(detail):
            outcome = "no_answer"
    reference = claimed.reference
    tx.evidence.call(reference, "status", claimed.attempt, outcome, detail, milliseconds)
    payout = _get(tx, reference)
    if payout.can_be_queried and payout.attempt == claimed.attempt:
        tx.payouts.save(replace(payout, due_at=_next_query(tx, payout)))


def query_now(tx: Tx, reference: str) -> Payout | None:
    """Make the next query due at once; ``None`` if M-PESA can say nothing new."""
    payout = tx.payouts.get(reference)
    if payout is None or not payout.can_be_queried:
        return None
    payout = replace(payout, due_at=tx.now)
    tx.payouts.save(payout)
    return payout


def settle_paid(tx: Tx, payout: Payout, paid: PaidOut, source: str) -> PayoutChange | None:
    """M-PESA says that it paid. ``None`` where that is known, or cannot be believed: then admins
    must review it."""
    said = f"receipt {paid.receipt}"
    if payout.receipt == paid.receipt:
        return None
    if payout.receipt is not None or tx.payouts.has_receipt(paid.receipt):
        # Two payments for one payout, or one for two: nothing moves by itself.
        contradict(tx, payout, said, source)
        return None
    known = {"receipt": paid.receipt, "recipient_name": paid.recipient}
    if payout.state is PayoutState.PAID:  # two admins knew it before M-PESA gave its code
        tx.evidence.add(payout.reference, "paid", source, said)
        tx.payouts.save(replace(payout, receipt=paid.receipt, recipient_name=paid.recipient))
        return None
    if payout.state is PayoutState.RETURNED:
        return _owe(tx, payout, said, source, **known)
    if payout.state not in _AWAITED:
        contradict(tx, payout, said, source)
        return None
    return _pay(tx, payout, said, source, **known)


def settle_returned(tx: Tx, payout: Payout, returned: Returned, source: str) -> PayoutChange | None:
    """M-PESA says that it did not pay, and never will. ``None`` where that is known, or contradicts
    what was said before: then admins must review it."""
    if payout.state is PayoutState.RETURNED:
        return None
    if payout.state not in _AWAITED or payout.claimed_paid_at is not None:
        contradict(tx, payout, returned.description, source)
        return None
    return _return(tx, payout, returned.reason, returned.description, source)


def claim_paid(tx: Tx, payout: Payout, paid: PaidOut, source: str) -> PayoutChange | None:
    """M-PESA says that it paid an amount for which that is not enough: ask it at once.

    Of one that has ended it cannot be asked: what is said then needs no confirming, since admins
    must look at it.
    """
    if payout.state not in _AWAITED:
        return settle_paid(tx, payout, paid, source)
    tx.evidence.add(payout.reference, "claimed_paid", source, f"receipt {paid.receipt}")
    due_at = payout.due_at if payout.state is PayoutState.SUBMITTING else tx.now
    first = payout.claimed_paid_at or tx.now
    tx.payouts.save(replace(payout, claimed_paid_at=first, due_at=due_at))
    return None


def contradict(tx: Tx, payout: Payout, said: str, source: str) -> None:
    """What was said cannot be true beside what is known: nothing moves, and admins must look, also
    if they have looked before."""
    tx.evidence.add(payout.reference, "contradicted", source, said)
    tx.evidence.open_review(payout.reference, "contradicted")
    tx.evidence.reopen_review(payout.reference, "contradicted")


def doubt(tx: Tx, payout: Payout, why: str, source: str) -> PayoutChange | None:
    """M-PESA says that it may not have processed the order in time: unknown, and asked about at
    once (facts: Daraja 5)."""
    tx.evidence.add(payout.reference, "timed_out", source, why)
    if payout.state is not PayoutState.ACCEPTED:
        return None
    change = _unknown(tx, payout, why)
    asked = query_now(tx, payout.reference)
    return change if asked is None else replace(change, payout=asked)


def resolve(tx: Tx, payout: Payout, reason: str, *, paid: bool) -> PayoutChange:
    """Two admins decide an unknown payout; ``reason`` is their evidence, in words."""
    assert payout.state is PayoutState.UNKNOWN, "only what is unknown is resolved"
    if paid:
        return _pay(tx, payout, reason, ADMINS)
    return _return(tx, payout, BY_ADMINS, reason, ADMINS)


def _get(tx: Tx, reference: str) -> Payout:
    payout = tx.payouts.get(reference)
    assert payout is not None
    return payout


def _next_query(tx: Tx, payout: Payout) -> datetime | None:
    """After a day only what is on the admins' list may rest. One still accepted, since the machine
    slept or its clock was set, is first found silent."""
    assert payout.submitted_at is not None
    due_at = next_query(payout.submitted_at, tx.now)
    return tx.now if due_at is None and payout.state is PayoutState.ACCEPTED else due_at


def _minute_is_over(tx: Tx, payout: Payout) -> bool:
    assert payout.ready_since is not None
    return tx.now >= payout.ready_since + NOT_SENT_FOR


def _is_silent(tx: Tx, payout: Payout) -> bool:
    assert payout.submitted_at is not None
    return tx.now >= payout.submitted_at + SILENT_AFTER


def _not_sent(tx: Tx, payout: Payout, claimed: Payout) -> PayoutChange | None:
    """Nothing left the machine: retry, for a minute in all; not a row whose batch was stopped
    meanwhile."""
    if payout.attempt != claimed.attempt:
        return None
    if payout.state not in (PayoutState.AUTHORISED, PayoutState.SUBMITTING):
        return None
    if payout.state is PayoutState.SUBMITTING:
        payout = payout.transition_to(PayoutState.AUTHORISED, submitted_at=None)
    if payout_batch_rows.is_stopped(tx, payout):
        return _changed(tx, payout_batch_rows.cancel(tx, payout))
    if _minute_is_over(tx, payout):
        return _return(tx, payout, BANK_DOWN, "nothing was sent", DESK)
    assert payout.ready_since is not None
    due_at = min(tx.now + NOT_SENT_EVERY, payout.ready_since + NOT_SENT_FOR)
    tx.payouts.save(replace(payout, due_at=due_at))
    return None


def _accept(tx: Tx, payout: Payout, conversation_id: str) -> None:
    """The gateway took the order. Where a Result came before this, only its id is new."""
    payout = replace(payout, conversation_id=conversation_id)
    if payout.state is PayoutState.SUBMITTING:
        payout = payout.transition_to(PayoutState.ACCEPTED)
        claimed = payout.claimed_paid_at is not None
        payout = replace(payout, due_at=tx.now if claimed else _next_query(tx, payout))
    tx.payouts.save(payout)


def _pay(
    tx: Tx,
    payout: Payout,
    detail: str,
    source: str,
    receipt: str | None = None,
    recipient_name: str | None = None,
) -> PayoutChange:
    tx.evidence.add(payout.reference, "paid", source, detail)
    _evidence_is_in(tx, payout.reference)
    tx.ledger.book(*payout_posted(payout.reference, payout.partner, payout.quote))
    return _settle(
        tx, payout, PayoutState.PAID, None, receipt=receipt, recipient_name=recipient_name
    )


def _owe(
    tx: Tx,
    payout: Payout,
    detail: str,
    source: str,
    receipt: str | None,
    recipient_name: str | None,
) -> PayoutChange:
    """Paid after its return: the float was released, so the partner owes it."""
    tx.evidence.add(payout.reference, "paid_after_return", source, detail)
    _evidence_is_in(tx, payout.reference)
    tx.ledger.book(*payout_owed(payout.reference, payout.partner, payout.quote))
    tx.evidence.open_review(payout.reference, "paid_after_return")
    state = PayoutState.PAID_AFTER_RETURN
    return _settle(tx, payout, state, None, receipt=receipt, recipient_name=recipient_name)


def _return(tx: Tx, payout: Payout, reason: str, detail: str, source: str) -> PayoutChange:
    tx.evidence.add(payout.reference, "returned", source, detail)
    _evidence_is_in(tx, payout.reference)
    tx.ledger.book(*payout_voided(payout.reference, payout.partner, payout.quote))
    if reason in NEEDS_ADMIN:
        tx.evidence.open_review(payout.reference, reason)
    pauses = reason in PAUSES_ALL and tx.payout_pauses.begin(reason, payout.reference)
    change = _settle(tx, payout, PayoutState.RETURNED, reason)
    return replace(change, pauses=pauses)


def _unknown(tx: Tx, payout: Payout, why: str) -> PayoutChange:
    """The customer may have been paid: the float stays held, and M-PESA is asked."""
    tx.evidence.add(payout.reference, "unknown", ORDER, why)
    tx.evidence.open_review(payout.reference, "unknown")
    payout = payout.transition_to(PayoutState.UNKNOWN, reason=None, settled_at=tx.now)
    payout = replace(payout, due_at=_next_query(tx, payout))
    return _changed(tx, payout)


def _evidence_is_in(tx: Tx, reference: str) -> None:
    """Resolved by evidence: close reviews and void open proposals."""
    tx.evidence.close_reviews(reference)
    tx.proposals.supersede(reference)


def _settle(
    tx: Tx,
    payout: Payout,
    state: PayoutState,
    reason: str | None,
    receipt: str | None = None,
    recipient_name: str | None = None,
) -> PayoutChange:
    payout = payout.transition_to(
        state,
        reason=reason,
        settled_at=tx.now,
        due_at=None,
        receipt=receipt or payout.receipt,
        recipient_name=recipient_name or payout.recipient_name,
    )
    return _changed(tx, payout)


def _changed(tx: Tx, payout: Payout) -> PayoutChange:
    tx.payouts.save(payout)
    batch, ends_batch = payout_batch_rows.after_row(tx, payout)
    return PayoutChange(payout, batch=batch, ends_batch=ends_batch)
