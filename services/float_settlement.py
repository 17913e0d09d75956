"""Float purchases, the bank's side: claim, submit, and record the bank's answers.

Each function runs inside a transaction and makes no outside calls. Holds are placed by
``services.float_purchases.authorise``; here they are posted or voided, only on evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.domain.bank import (
    Failed,
    FloatAnswer,
    FloatOrder,
    NoAnswer,
    NotSent,
    Rejected,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)
from services.domain.float_purchase import (
    NOT_SENT_EVERY,
    NOT_SENT_FOR,
    Purchase,
    PurchaseState,
    next_query,
)
from services.domain.lease import Lease
from services.domain.ledger import float_posted, float_voided
from services.domain.mpesa import NEEDS_ADMIN
from services.domain.operation import OperationType
from services.domain.proposal import ADMINS, BY_ADMINS
from services.ports import Tx

BANK_DOWN = "bank_down"
BANK_REFUSED = "bank_refused"


@dataclass(frozen=True, slots=True)
class PurchaseChange:
    """A purchase has reached an outcome, which its buyer should be told once."""

    purchase: Purchase


def claim(
    tx: Tx, lease: Lease, sends: int, queries: int
) -> tuple[Sequence[Purchase], list[PurchaseChange]]:
    """Claim what is due: at most ``sends`` to be sent and ``queries`` to be queried.

    One found in ``SUBMITTING`` lost its worker and becomes unknown. One not sent within its minute
    has failed: provably nothing left the machine.
    """
    work: list[Purchase] = []
    settled: list[PurchaseChange] = []
    for reference in tx.claims.take(OperationType.FLOAT, lease, sends, queries):
        purchase = _get(tx, reference)
        if purchase.state is PurchaseState.SUBMITTING:
            settled.append(_unknown(tx, purchase, "the worker was gone before an answer"))
        elif purchase.state is PurchaseState.AUTHORISED and _minute_is_over(tx, purchase):
            settled.append(_fail(tx, purchase, BANK_DOWN, "nothing was sent", "hazina"))
        else:
            work.append(purchase)
    return work, settled


def begin_submitting(tx: Tx, claimed: Purchase, lease: Lease) -> Purchase | None:
    """Commit that the one request is about to be sent; ``None`` if the claim was lost."""
    if not tx.claims.still_ready(claimed.reference, claimed.attempt):
        return None
    purchase = _get(tx, claimed.reference).transition_to(
        PurchaseState.SUBMITTING, submitted_at=tx.now, due_at=tx.now + lease.lasts
    )
    tx.purchases.save(purchase)
    return purchase


def order(purchase: Purchase) -> FloatOrder:
    assert purchase.submitted_at is not None
    return FloatOrder(
        purchase.reference,
        purchase.phone,
        purchase.amount,
        purchase.short_code,
        purchase.submitted_at,
    )


def record_purchase(
    tx: Tx, claimed: Purchase, answer: FloatAnswer, milliseconds: int
) -> PurchaseChange | None:
    """Record the answer to the one request, or to its token request (facts: NCBA 4).

    Late evidence counts: an answer after the lease ended still settles an unknown purchase. An
    answer recorded already changes nothing.
    """
    reference = claimed.reference
    if tx.evidence.has_money_call(reference):
        return None
    match answer:
        case NotSent(why):
            outcome, detail = "not_sent", why
        case Succeeded(_, description):
            outcome, detail = "succeeded", description
        case Rejected(_, description):
            outcome, detail = "rejected", description
        case Unknown(why):
            outcome, detail = "unknown", why
    call = "token" if claimed.state is PurchaseState.AUTHORISED else "float"
    tx.evidence.call(reference, call, claimed.attempt, outcome, detail, milliseconds)
    purchase = _get(tx, reference)
    match answer:
        case NotSent(why):
            if purchase.state is PurchaseState.UNKNOWN:
                if purchase.submitted_at != claimed.submitted_at:
                    return None  # it was sent once more since
                # The lease had ended before its worker could report that nothing left the machine.
                return _fail(tx, purchase, BANK_DOWN, why, "hazina")
            return _not_sent(tx, purchase, claimed)
        case Succeeded(bank_id, description):
            return _succeed(tx, purchase, bank_id, description, "ncba.float")
        case Rejected(_, description):
            if purchase.state not in (PurchaseState.SUBMITTING, PurchaseState.UNKNOWN):
                return None
            return _fail(tx, purchase, BANK_REFUSED, description, "ncba.float")
        case Unknown(why):
            if purchase.state is not PurchaseState.SUBMITTING:
                return None
            return _unknown(tx, purchase, why)


def record_status(
    tx: Tx, claimed: Purchase, answer: StatusAnswer, milliseconds: int
) -> PurchaseChange | None:
    """Record the answer to a status query; only codes in the tables are evidence."""
    match answer:
        case Succeeded(_, detail):
            outcome = "succeeded"
        case Failed(detail):
            outcome = "failed"
        case StillOpen(detail):
            outcome = "still_open"
        case NoAnswer(detail):
            outcome = "no_answer"
    reference = claimed.reference
    tx.evidence.call(reference, "status", claimed.attempt, outcome, detail, milliseconds)
    purchase = _get(tx, reference)
    if isinstance(answer, Succeeded):
        return _succeed(tx, purchase, answer.bank_id, answer.description, "ncba.status")
    if purchase.state is not PurchaseState.UNKNOWN:
        return None
    match answer:
        case Failed(description):
            return _fail(tx, purchase, BANK_REFUSED, description, "ncba.status")
        case StillOpen() | NoAnswer():
            if purchase.attempt == claimed.attempt:
                assert purchase.settled_at is not None
                due_at = next_query(purchase.settled_at, tx.now)
                tx.purchases.save(replace(purchase, due_at=due_at))
            return None


def query_now(tx: Tx, reference: str) -> Purchase | None:
    """Make the next query due at once; ``None`` if the bank can say nothing new."""
    purchase = tx.purchases.get(reference)
    if purchase is None or not purchase.can_be_queried:
        return None
    purchase = replace(purchase, due_at=tx.now)
    tx.purchases.save(purchase)
    return purchase


def resolve(tx: Tx, purchase: Purchase, reason: str, *, bought: bool) -> PurchaseChange:
    """Two admins decide an unknown purchase; ``reason`` is their evidence, in words."""
    assert purchase.state is PurchaseState.UNKNOWN, "only what is unknown is resolved"
    if not bought:
        return _fail(tx, purchase, BY_ADMINS, reason, ADMINS)
    settled = _succeed(tx, purchase, None, reason, ADMINS)
    assert settled is not None
    return settled


def settle_bought(tx: Tx, purchase: Purchase, detail: str, source: str) -> PurchaseChange:
    """Other evidence, such as the bank's statement, shows that it was bought."""
    settled = _succeed(tx, purchase, None, detail, source)
    assert settled is not None, "only what is not known yet is settled so"
    return settled


def _evidence_is_in(tx: Tx, reference: str) -> None:
    """Resolved by evidence: close reviews and void open proposals."""
    tx.evidence.close_reviews(reference)
    tx.proposals.supersede(reference)


def _get(tx: Tx, reference: str) -> Purchase:
    purchase = tx.purchases.get(reference)
    assert purchase is not None
    return purchase


def _minute_is_over(tx: Tx, purchase: Purchase) -> bool:
    assert purchase.authorised_at is not None
    return tx.now >= purchase.authorised_at + NOT_SENT_FOR


def _not_sent(tx: Tx, purchase: Purchase, claimed: Purchase) -> PurchaseChange | None:
    """Nothing left the machine: retry, for a minute in all."""
    if purchase.attempt != claimed.attempt:
        return None
    if purchase.state not in (PurchaseState.AUTHORISED, PurchaseState.SUBMITTING):
        return None
    if purchase.state is PurchaseState.SUBMITTING:
        purchase = purchase.transition_to(PurchaseState.AUTHORISED, submitted_at=None)
    if _minute_is_over(tx, purchase):
        return _fail(tx, purchase, BANK_DOWN, "nothing was sent", "hazina")
    assert purchase.authorised_at is not None
    due_at = min(tx.now + NOT_SENT_EVERY, purchase.authorised_at + NOT_SENT_FOR)
    tx.purchases.save(replace(purchase, due_at=due_at))
    return None


def _succeed(
    tx: Tx, purchase: Purchase, bank_id: str | None, detail: str, source: str
) -> PurchaseChange | None:
    if purchase.state is PurchaseState.FAILED:
        # The bank has said both: nothing moves automatically, and admins must review it.
        tx.evidence.add(purchase.reference, "contradicted", source, detail)
        tx.evidence.open_review(purchase.reference, "contradicted")
    if purchase.state not in (PurchaseState.SUBMITTING, PurchaseState.UNKNOWN):
        return None
    tx.evidence.add(purchase.reference, "succeeded", source, detail)
    _evidence_is_in(tx, purchase.reference)
    tx.ledger.book(*float_posted(purchase.reference, purchase.partner, purchase.quote))
    return _settle(tx, purchase, PurchaseState.SUCCEEDED, None, bank_id=bank_id)


def _fail(tx: Tx, purchase: Purchase, reason: str, detail: str, source: str) -> PurchaseChange:
    tx.evidence.add(purchase.reference, "failed", source, detail)
    _evidence_is_in(tx, purchase.reference)
    tx.ledger.book(*float_voided(purchase.reference, purchase.partner, purchase.quote))
    if reason in NEEDS_ADMIN:
        tx.evidence.open_review(purchase.reference, reason)
    return _settle(tx, purchase, PurchaseState.FAILED, reason)


def _unknown(tx: Tx, purchase: Purchase, why: str) -> PurchaseChange:
    """The float may have been bought: the money stays held, and the bank is queried."""
    tx.evidence.add(purchase.reference, "unknown", "ncba.float", why)
    tx.evidence.open_review(purchase.reference, "unknown")
    due_at = next_query(tx.now, tx.now)
    purchase = purchase.transition_to(
        PurchaseState.UNKNOWN, reason=None, settled_at=tx.now, due_at=due_at
    )
    tx.purchases.save(purchase)
    return PurchaseChange(purchase)


def _settle(
    tx: Tx,
    purchase: Purchase,
    state: PurchaseState,
    reason: str | None,
    bank_id: str | None = None,
) -> PurchaseChange:
    purchase = purchase.transition_to(
        state, reason=reason, settled_at=tx.now, due_at=None, bank_id=bank_id or purchase.bank_id
    )
    tx.purchases.save(purchase)
    return PurchaseChange(purchase)
