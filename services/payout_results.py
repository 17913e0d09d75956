"""What M-PESA posts about payouts: kept to the letter, matched, and acted upon.

Each function runs inside a transaction and makes no outside calls. Nothing that is posted is
signed, so it may end a payout only in the way that was ordered (docs/decisions/0052).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services import payout_settlement, utility_balance
from services.domain.money import Money
from services.domain.mpesa_balance import UtilityShort
from services.domain.payout import Payout, reference_of
from services.domain.payout_answers import (
    PaidOut,
    PayoutOrder,
    PayoutVerdict,
    Returned,
    Undecided,
)
from services.payout_settlement import PayoutChange
from services.policy import Policy
from services.ports import Tx

RESULT, TIMEOUT = "result", "timeout"  # kinds of messages
_PAYMENT, _STATUS, _TIMEOUT = "daraja.result", "daraja.status", "daraja.timeout"  # of evidence
NOT_OURS = "names no payout of ours"
BALANCES = "tells what accounts have"
NEVER_SENT = "it was never sent"


@dataclass(frozen=True, slots=True)
class PostedResult:
    """A Result as far as it tells which payout it is about. ``answers_query``: it has what only
    the answer to a query has. ``judge_status`` is also given M-PESA's id of the order.
    ``balances`` are those of M-PESA's accounts that it names."""

    originator_id: str
    conversation_id: str
    occasion: str
    answers_query: bool
    judge_payment: Callable[[PayoutOrder], PayoutVerdict]
    judge_status: Callable[[PayoutOrder, str | None], PaidOut | Undecided]
    balances: Mapping[str, Money]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message changed: a payout's outcome, and a shortage to tell admins of."""

    change: PayoutChange | None = None
    short: UtilityShort | None = None


def take(tx: Tx, policy: Policy, kind: str, body: bytes, result: PostedResult | None) -> Taken:
    """Store what was posted, and do what it proves. The same bytes again change nothing.

    ``result`` is ``None`` if it cannot be read.
    """
    if tx.payout_messages.repeated(kind, body):
        return Taken()
    if result is None:
        tx.payout_messages.add(kind, body, None, "cannot be read")
        return Taken()
    change = _act(tx, policy, kind, body, result)
    short = utility_balance.record(tx, result.balances) if kind == RESULT else None
    return Taken(change, short)


def _act(
    tx: Tx, policy: Policy, kind: str, body: bytes, result: PostedResult
) -> PayoutChange | None:
    found = _find(tx, result)
    if found is None:
        tx.payout_messages.add(kind, body, None, BALANCES if result.balances else NOT_OURS)
        return None
    payout, is_status = found
    if kind == TIMEOUT:
        tx.payout_messages.add(kind, body, payout.reference, "not processed in time")
        if is_status:
            return None
        return payout_settlement.doubt(tx, payout, "not processed in time", _TIMEOUT)
    verdict = _judge(tx, payout, result, is_status=is_status)
    tx.payout_messages.add(kind, body, payout.reference, _concluded(verdict))
    source = _STATUS if is_status else _PAYMENT
    match verdict:
        case PaidOut() if payout.submitted_at is None:
            payout_settlement.contradict(tx, payout, f"{NEVER_SENT}: {verdict.receipt}", source)
            return None
        case PaidOut():
            if not is_status and _needs_confirming(policy, payout):
                return payout_settlement.claim_paid(tx, payout, verdict, source)
            return payout_settlement.settle_paid(tx, payout, verdict, source)
        case Returned():
            return payout_settlement.settle_returned(tx, payout, verdict, source)
        case Undecided(why):
            tx.evidence.add(payout.reference, "undecided", source, why)
            return None


def _find(tx: Tx, result: PostedResult) -> tuple[Payout, bool] | None:
    """The payout, and whether the Result answers a query about it and not the order itself."""
    asked = tx.payout_messages.asked_about(result.conversation_id)
    if asked is not None:
        payout = tx.payouts.get(asked)
        return None if payout is None else (payout, True)
    by_theirs = tx.payouts.of_conversation(result.conversation_id)
    by_ours = _of_ours(tx, result.originator_id)
    if by_theirs is not None and by_ours is not None and by_theirs.reference != by_ours.reference:
        return None
    payout = by_theirs or by_ours
    if payout is not None:
        return payout, result.answers_query
    # Only a query's occasion is known to come back; what it means is then judged as its answer.
    payout = _of_ours(tx, result.occasion)
    return None if payout is None else (payout, True)


def _of_ours(tx: Tx, originator_id: str) -> Payout | None:
    reference = reference_of(originator_id)
    return None if reference is None else tx.payouts.get(reference)


def _judge(tx: Tx, payout: Payout, result: PostedResult, *, is_status: bool) -> PayoutVerdict:
    if is_status:
        return result.judge_status(payout.order, payout.conversation_id)
    verdict = result.judge_payment(payout.order)
    if isinstance(verdict, Returned):
        if payout.submitted_at is None:
            return Undecided(f"{NEVER_SENT}: {verdict.description}")
        if not _is_the_orders(tx, payout, result):
            return Undecided(f"a failure of another request: {verdict.description}")
    return verdict


def _is_the_orders(tx: Tx, payout: Payout, result: PostedResult) -> bool:
    """Whether a failure can only be that of the order. Where the order's id at M-PESA never came,
    it may as well be that of a question whose own id was lost."""
    if payout.conversation_id is not None:
        return payout.conversation_id == result.conversation_id
    return not result.occasion and tx.evidence.asked_at(payout.reference) is None


def _needs_confirming(policy: Policy, payout: Payout) -> bool:
    above = policy.payout_confirm_above
    return above is not None and above < payout.amount


def _concluded(verdict: PayoutVerdict) -> str:
    match verdict:
        case PaidOut(receipt):
            return f"paid, receipt {receipt}"
        case Returned(reason):
            return f"returned: {reason}"
        case Undecided(why):
            return why
