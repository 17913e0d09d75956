"""Notices to the admins about payments that only they can bring further.

What the partner is told of such a payment promises that an admin knows of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.context import AppContext, queue_admin_notices
from bot.notify.outcomes import Operation
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.mpesa import NEEDS_ADMIN
from services.domain.outbox import OutboxRow
from services.domain.payout import NEEDS_ADMIN as PAYOUT_NEEDS_ADMIN
from services.domain.payout import Payout, PayoutState
from services.domain.topup import TopUp, TopUpState
from services.ports import Tx

TOLD_SINGLY_MAX = 10  # reviews opened within an hour; more are announced once, without their own
_HOUR = timedelta(hours=1)


def queue_needs_admin(tx: Tx, context: AppContext, operation: Operation) -> list[OutboxRow]:
    """Queue a notice about an outcome that is not known, or was refused for a reason on our side;
    nothing for any other."""
    key = _key(operation)
    if key is None:
        return []
    fresh = tx.evidence.count_open_reviews_since(tx.now - _HOUR, TOLD_SINGLY_MAX + 2)
    if fresh > TOLD_SINGLY_MAX + 1:
        return []
    if fresh > TOLD_SINGLY_MAX:
        return queue_admin_notices(tx, context, "notice.many_to_review", {"most": TOLD_SINGLY_MAX})
    return queue_admin_notices(tx, context, key, _facts(operation))


def _key(operation: Operation) -> str | None:
    match operation:
        case TopUp(state=TopUpState.SEND_UNKNOWN):
            return "notice.topup_send_unknown"
        case TopUp(state=TopUpState.UNKNOWN):
            return "notice.topup_unknown"
        case Purchase(state=PurchaseState.UNKNOWN):
            return "notice.float_unknown"
        case Payout(state=PayoutState.UNKNOWN):
            return "notice.payout_unknown"
        case Payout(state=PayoutState.PAID_AFTER_RETURN):
            return "notice.payout_owed"
        case Payout(reason=reason):
            return "notice.payout_refused_for_ours" if reason in PAYOUT_NEEDS_ADMIN else None
    return "notice.refused_for_ours" if operation.reason in NEEDS_ADMIN else None


def _facts(operation: Operation) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "reference": operation.reference,
        "code": operation.partner,
        "amount": operation.amount,
    }
    if isinstance(operation, Purchase | Payout):
        facts["total"] = operation.quote.total
    if operation.reason is not None:
        facts["why"] = operation.reason
    return facts
