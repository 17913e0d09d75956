"""Top-ups, the bank's side: claim, send, and record the bank's answers.

Each function runs inside a transaction and makes no outside calls. What people should be told is
returned as a ``TopUpChange``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services import suspense
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NoAnswer,
    NotPaid,
    NotSent,
    Paid,
    QueryAnswer,
    Rejected,
    StillOpen,
    Unknown,
)
from services.domain.lease import Lease
from services.domain.ledger import topup_credit
from services.domain.mpesa import NEEDS_ADMIN, Reason
from services.domain.operation import OperationType
from services.domain.payment import Payment
from services.domain.proposal import ADMINS, BY_ADMINS
from services.domain.topup import (
    BY_HAND_FOR,
    CREDITED,
    NOT_SENT_EVERY,
    NOT_SENT_FOR,
    SLOW_AFTER,
    TopUp,
    TopUpState,
    next_poll,
    refuses_account,
)
from services.ports import Tx
from services.topup_polling import elapsed, next_soft_poll, polling_is_over

ACCOUNT_REFUSED = "account_refused"  # evidence that prompts as configured now are refused
LAPSED = "lapsed"  # the reason of a payment by hand that did not arrive within its day


class ChangeKind(StrEnum):
    """What a change means to the person who began the top-up."""

    PROGRESS = "progress"  # the live message is edited
    SLOW = "slow"  # the same, and they are told that they need not wait
    OUTCOME = "outcome"  # a new message reports the outcome


@dataclass(frozen=True, slots=True)
class TopUpChange:
    topup: TopUp
    kind: ChangeKind


def query_now(tx: Tx, reference: str) -> TopUp | None:
    """Make the next query due at once; ``None`` if the bank can say nothing new."""
    topup = tx.topups.get(reference)
    if topup is None or not topup.can_be_queried:
        return None
    topup = replace(topup, due_at=tx.now)
    tx.topups.save(topup)
    return topup


def claim(
    tx: Tx, lease: Lease, sends: int, queries: int
) -> tuple[Sequence[TopUp], list[TopUpChange]]:
    """Claim what is due: at most ``sends`` to be sent and ``queries`` to be queried.

    One found in ``SENDING`` lost its worker and becomes unknown. One not sent within its minute is
    rejected: its payer no longer expects a prompt.
    """
    work: list[TopUp] = []
    changes: list[TopUpChange] = []
    for reference in tx.claims.take(OperationType.TOPUP, lease, sends, queries):
        topup = _get(tx, reference)
        if topup.state is TopUpState.SENDING:
            changes.append(_send_unknown(tx, topup, "the worker was gone before an answer"))
        elif topup.state is TopUpState.CREATED and tx.now >= topup.created_at + NOT_SENT_FOR:
            changes.append(_settle(tx, topup, TopUpState.REJECTED, Reason.BANK_DOWN))
        elif topup.state is TopUpState.PENDING and topup.bank_id is None and not topup.by_hand:
            # Its id turned out to be shared with another prompt
            changes.append(_unknown(tx, topup))
        elif topup.by_hand:
            left = BY_HAND_FOR - elapsed(tx, topup.created_at)
            if left > timedelta(0):
                tx.topups.put_off(topup.reference, tx.now + left)
            else:  # its day is over; a later payment is credited late
                changes.append(_settle(tx, topup, TopUpState.NOT_PAID, LAPSED))
        else:
            work.append(topup)
    return work, changes


def begin_sending(tx: Tx, claimed: TopUp, lease: Lease) -> TopUp | None:
    """Commit that the one request is about to be sent; ``None`` if the claim was lost."""
    if not tx.claims.still_ready(claimed.reference, claimed.attempt):
        return None
    topup = _get(tx, claimed.reference)
    due_at = tx.now + lease.lasts
    topup = topup.transition_to(TopUpState.SENDING, sent_at=tx.now, due_at=due_at)
    tx.topups.save(topup)
    return topup


def record_initiate(
    tx: Tx, claimed: TopUp, answer: InitiateAnswer, milliseconds: int, spread: float
) -> TopUpChange | None:
    """Record the answer to the one request, or to its token request.

    ``None`` if the lease had ended before the answer came, and it brings no id; and if the answer
    was recorded already, by a commit that was reported as failed.
    """
    if tx.evidence.has_money_call(claimed.reference):
        return None
    match answer:
        case NotSent(why):
            outcome, detail = "not_sent", why
        case Accepted(_, _, description):
            outcome, detail = "accepted", description
        case Rejected(_, description):
            outcome, detail = "rejected", description
        case Unknown(why):
            outcome, detail = "unknown", why
    call = "token" if claimed.state is TopUpState.CREATED else "initiate"
    reference = claimed.reference
    tx.evidence.call(reference, call, claimed.attempt, outcome, detail, milliseconds)
    tx.topups.log_push(reference, outcome, detail)
    topup = _get(tx, reference)
    if topup.state not in (TopUpState.CREATED, TopUpState.SENDING):
        if isinstance(answer, Accepted) and topup.state is TopUpState.SEND_UNKNOWN:
            if _shares_its_id(tx, topup, answer):
                return None
            return _found_after_all(tx, topup, answer, spread)
        if isinstance(answer, Accepted) and topup.reason == BY_ADMINS:
            # Admins have called it failed, but a prompt was sent: they must review it again.
            tx.evidence.add(reference, "contradicted", "ncba.initiate", answer.description)
            tx.evidence.open_review(reference, "contradicted")
        return None
    match answer:
        case NotSent():
            return _not_sent(tx, topup, claimed)
        case Accepted(bank_id, _, description):
            if _shares_its_id(tx, topup, answer):
                return _send_unknown(tx, topup, "its id is another prompt's too")
            tx.evidence.add(reference, "accepted", "ncba.initiate", description)
            topup = topup.transition_to(
                TopUpState.PENDING,
                bank_id=bank_id,
                due_at=next_poll(topup.sent_at or tx.now, tx.now, spread),
            )
            tx.topups.save(topup)
            return TopUpChange(topup, ChangeKind.PROGRESS)
        case Rejected(reason, description):
            tx.evidence.add(reference, "rejected", "ncba.initiate", description)
            if refuses_account(description):
                tx.evidence.add(reference, ACCOUNT_REFUSED, "ncba.initiate", description)
            return _settle(tx, topup, TopUpState.REJECTED, reason)
        case Unknown(why):
            return _send_unknown(tx, topup, why)


def record_query(
    tx: Tx, claimed: TopUp, answer: QueryAnswer, milliseconds: int, spread: float
) -> TopUpChange | None:
    """Record the answer to a query. Evidence counts whatever its source, however late."""
    reference = claimed.reference
    outcome, detail = _words(answer)
    tx.evidence.call(reference, "query", claimed.attempt, outcome, detail, milliseconds)
    tx.topups.log_push(reference, "asked", detail)
    topup = _get(tx, reference)
    if claimed.bank_id is not None and topup.bank_id is None:
        return None  # the query may have been about another prompt
    match answer:
        case Paid(description):
            return _paid(tx, topup, description, "ncba.query")
        case NotPaid(reason, final, description):
            return _not_paid(tx, topup, claimed, reason, final, description, spread)
        case StillOpen() | NoAnswer():
            return _still_open(tx, topup, claimed, spread)


def apply_payment(tx: Tx, topup: TopUp, payment: Payment) -> TopUpChange | None:
    """A payment arrived for it: settle it, or only record the receipt if it was credited
    already."""
    assert topup.receipt is None, "one receipt pays for one top-up"
    topup = replace(topup, receipt=payment.receipt)
    if topup.state in CREDITED:
        tx.evidence.add(topup.reference, "receipt", payment.source, payment.receipt)
        tx.topups.save(topup)
        return None
    return _paid(tx, topup, payment.receipt, payment.source)


def settle_without_receipt(tx: Tx, topup: TopUp, detail: str, source: str) -> TopUpChange:
    """Evidence from elsewhere names it, without M-PESA's code."""
    change = _paid(tx, topup, detail, source)
    assert change is not None, "only what is not credited yet is settled so"
    return change


def resolve(tx: Tx, topup: TopUp, reason: str, *, paid: bool) -> TopUpChange:
    """Two admins decide an unknown top-up; ``reason`` is their evidence, in words.

    Paid has the same effect as the bank's own word. What they call failed is credited late if the
    bank later reports it paid.
    """
    if paid:
        change = _paid(tx, topup, reason, ADMINS)
        assert change is not None, "only what is unknown is resolved"
        return change
    sent = topup.state is TopUpState.UNKNOWN
    tx.evidence.add(topup.reference, "not_paid" if sent else "rejected", ADMINS, reason)
    _evidence_is_in(tx, topup.reference)
    return _settle(tx, topup, TopUpState.NOT_PAID if sent else TopUpState.REJECTED, BY_ADMINS)


def _evidence_is_in(tx: Tx, reference: str) -> None:
    """Resolved by evidence: close reviews and void open proposals."""
    tx.evidence.close_reviews(reference)
    tx.proposals.supersede(reference)


def _words(answer: QueryAnswer) -> tuple[str, str]:
    match answer:
        case Paid(description):
            return "paid", description
        case NotPaid(_, final, description):
            return ("not_paid" if final else "not_paid_so_far"), description
        case StillOpen(description):
            return "still_open", description
        case NoAnswer(why):
            return "no_answer", why


def _get(tx: Tx, reference: str) -> TopUp:
    topup = tx.topups.get(reference)
    assert topup is not None
    return topup


def _paid(tx: Tx, topup: TopUp, description: str, source: str) -> TopUpChange | None:
    if topup.state in CREDITED:
        return None
    tx.evidence.add(topup.reference, "paid", source, description)
    _evidence_is_in(tx, topup.reference)
    if topup.receipt is None:
        topup = replace(topup, receipt=suspense.release_for(tx, topup))
    late = topup.state in (TopUpState.NOT_PAID, TopUpState.REJECTED)
    change = _settle(tx, topup, TopUpState.PAID_LATE if late else TopUpState.PAID, None)
    tx.ledger.book(topup_credit(topup.reference, topup.partner, topup.amount))
    return change


def _not_paid(
    tx: Tx,
    topup: TopUp,
    claimed: TopUp,
    reason: str,
    final: bool,
    description: str,
    spread: float,
) -> TopUpChange | None:
    if topup.state is TopUpState.NOT_PAID:
        # Reported already. A final answer ends the polling; a soft failure may still be paid.
        if final:
            tx.topups.save(replace(topup, due_at=None))
            return None
        return _still_open(tx, topup, claimed, spread)
    if not final and (topup.state is TopUpState.UNKNOWN or polling_is_over(tx, topup)):
        # It may still be paid, and would not be queried again
        return _still_open(tx, topup, claimed, spread)
    if topup.state not in (TopUpState.PENDING, TopUpState.UNKNOWN):
        return None
    kind = "not_paid" if final else "not_paid_so_far"
    tx.evidence.add(topup.reference, kind, "ncba.query", description)
    _evidence_is_in(tx, topup.reference)
    due_at = None if final else next_soft_poll(tx, topup, spread)
    return _settle(tx, topup, TopUpState.NOT_PAID, reason, due_at)


def _still_open(tx: Tx, topup: TopUp, claimed: TopUp, spread: float) -> TopUpChange | None:
    if topup.attempt != claimed.attempt or topup.due_at is None:
        return None  # a later claim has its own schedule, or a final answer ended it
    assert topup.sent_at is not None
    if topup.state is TopUpState.UNKNOWN:
        tx.topups.put_off(topup.reference, None)
        return None
    if topup.state is TopUpState.NOT_PAID:
        tx.topups.put_off(topup.reference, next_soft_poll(tx, topup, spread))
        return None
    if topup.state is not TopUpState.PENDING:
        return None
    age = elapsed(tx, topup.sent_at)
    if polling_is_over(tx, topup):
        return _unknown(tx, topup)
    due_at = next_poll(tx.now - age, tx.now, spread)
    if topup.slow or age < SLOW_AFTER:
        tx.topups.put_off(topup.reference, due_at)
        return None
    topup = replace(topup, due_at=due_at, slow=True)
    tx.topups.save(topup)
    return TopUpChange(topup, ChangeKind.SLOW)


def _unknown(tx: Tx, topup: TopUp) -> TopUpChange:
    """The bank can no longer be queried about it."""
    tx.evidence.open_review(topup.reference, "unknown")
    return _settle(tx, topup, TopUpState.UNKNOWN, None)


def _not_sent(tx: Tx, topup: TopUp, claimed: TopUp) -> TopUpChange | None:
    """Nothing left the machine: retry, for a minute in all."""
    if topup.attempt != claimed.attempt:
        return None
    gives_up_at = topup.created_at + NOT_SENT_FOR
    if tx.now >= gives_up_at:
        return _settle(tx, topup, TopUpState.REJECTED, Reason.BANK_DOWN)
    topup = replace(
        topup,
        state=TopUpState.CREATED,
        sent_at=None,
        due_at=min(tx.now + NOT_SENT_EVERY, gives_up_at),
    )
    tx.topups.save(topup)
    return None


def _send_unknown(tx: Tx, topup: TopUp, why: str) -> TopUpChange:
    """The prompt may be on the phone and may be paid, and there is no id to query with."""
    tx.evidence.add(topup.reference, "send_unknown", "ncba.initiate", why)
    tx.evidence.open_review(topup.reference, "send_unknown")
    return _settle(tx, topup, TopUpState.SEND_UNKNOWN, None)


def _shares_its_id(tx: Tx, topup: TopUp, answer: Accepted) -> bool:
    """Whether the bank has given the same id to another prompt.

    The bank's answers may then be about either, so neither is queried any more: both await an
    incoming payment, or two admins.
    """
    others = tx.topups.of_bank_id(answer.bank_id)
    for other in others:
        detail = f"{topup.reference} was given the same id"
        tx.evidence.add(other.reference, "shared_id", "ncba.initiate", detail)
        if other.can_be_queried:
            due_at = tx.now if other.state is TopUpState.PENDING else None
            tx.topups.save(replace(other, bank_id=None, due_at=due_at))
            tx.topups.share_id(other.reference, answer.bank_id)
    if others:
        tx.evidence.add(topup.reference, "accepted", "ncba.initiate", answer.description)
        tx.topups.share_id(topup.reference, answer.bank_id)
    return bool(others)


def _found_after_all(tx: Tx, topup: TopUp, answer: Accepted, spread: float) -> TopUpChange:
    """The answer came after the lease had ended, and brought the id: it can be queried."""
    tx.evidence.add(topup.reference, "accepted", "ncba.initiate", answer.description)
    _evidence_is_in(tx, topup.reference)
    topup = topup.transition_to(
        TopUpState.PENDING,
        bank_id=answer.bank_id,
        settled_at=None,
        due_at=next_poll(topup.sent_at or tx.now, tx.now, spread),
    )
    tx.topups.save(topup)
    return TopUpChange(topup, ChangeKind.PROGRESS)


def _settle(
    tx: Tx, topup: TopUp, state: TopUpState, reason: str | None, due_at: datetime | None = None
) -> TopUpChange:
    topup = topup.transition_to(state, reason=reason, settled_at=tx.now, due_at=due_at)
    tx.topups.save(topup)
    if reason in NEEDS_ADMIN:
        tx.evidence.open_review(topup.reference, reason)
    return TopUpChange(topup, ChangeKind.OUTCOME)
