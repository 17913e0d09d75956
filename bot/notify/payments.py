"""Notices about payments to the paybill that belong to no top-up, or were taken back."""

from __future__ import annotations

from typing import Any

from bot.context import AppContext, queue_admin_notices
from bot.notify.owners import notify_owners
from services import balances
from services.domain.outbox import OutboxRow
from services.domain.payment import STATEMENT, RecordedPayment
from services.payments import Credited, HeldInSuspense, RefusedNotification
from services.ports import Tx
from services.reversals import Reversed


def queue_payment(
    tx: Tx, context: AppContext, effect: Credited | HeldInSuspense | RefusedNotification
) -> list[OutboxRow]:
    """Queue a notice for the owners if the payment was credited, else for the admins."""
    match effect:
        case Credited(recorded):
            return _credited(tx, context, recorded)
        case HeldInSuspense() | RefusedNotification() if not context.policy.admin_alerts:
            return []  # admins still find it in their list
        case HeldInSuspense(recorded):
            assert recorded.why is not None
            facts = _payment_facts(recorded) | {"why": recorded.why}
            return queue_admin_notices(tx, context, "notice.suspended", facts)
        case RefusedNotification(reference, notification):
            facts = {
                "reference": reference,
                "why": notification.verdict,
                "receipt": notification.receipt or "-",
            }
            return queue_admin_notices(tx, context, "notice.notification_refused", facts)


def _credited(tx: Tx, context: AppContext, recorded: RecordedPayment) -> list[OutboxRow]:
    """Notify the owners of money that arrived without a top-up."""
    assert recorded.partner is not None
    partner = tx.people.partner(recorded.partner)
    assert partner is not None
    facts = _payment_facts(recorded) | {
        "partner": partner.code,
        "balance": balances.of(tx, partner).wallet.posted,
    }
    return notify_owners(tx, context, partner.code, "notice.credited", facts)


def queue_reversal(tx: Tx, context: AppContext, reversal: Reversed) -> list[OutboxRow]:
    """Queue notices for the admins, and for the owners of the partner who had the money."""
    recorded = reversal.recorded
    facts = _payment_facts(recorded) | {
        "reversal": reversal.reference,
        "partner": recorded.partner or "-",
        "due": reversal.due,
    }
    rows = queue_admin_notices(tx, context, "notice.reversed_admin", facts)
    if recorded.partner is None:
        return rows
    partner = tx.people.partner(recorded.partner)
    assert partner is not None
    facts["balance"] = balances.of(tx, partner).wallet.posted
    key = "notice.reversed_due" if reversal.due.cents else "notice.reversed"
    return rows + notify_owners(tx, context, partner.code, key, facts)


def _payment_facts(recorded: RecordedPayment) -> dict[str, Any]:
    payment = recorded.payment
    return {
        "reference": recorded.reference,
        "amount": payment.amount,
        "receipt": payment.receipt,
        "payer": payment.payer.masked,
        "account": payment.account_reference or "-",
        "at": payment.day if payment.source == STATEMENT else payment.paid_at,
    }
