"""Tells people how their operations end, whether or not they still wait in the chat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.context import AppContext, OperationUpdate, queue_admin_notices
from bot.notify.batches import queue_batch_stopped
from bot.notify.codes import queue_code_lost
from bot.notify.float_purchases import queue_purchase_change
from bot.notify.outcomes import OutcomeNotices
from bot.notify.payments import queue_payment, queue_reversal
from bot.notify.payouts import queue_payout_change
from bot.notify.reconciliation import queue_day_reconciled, queue_statement_missing
from bot.notify.topups import queue_topup_change
from bot.turns.sessions import SessionCache
from flows.engine.engine import Engine
from services.domain.float_purchase import Purchase
from services.domain.mpesa_balance import UtilityShort
from services.domain.operation import OperationType
from services.domain.outbox import OutboxRow
from services.domain.payout import Payout
from services.domain.payout_batch import Batch, BatchState
from services.domain.reconciliation import ReconciliationDay
from services.domain.spending import Spending
from services.float_settlement import PurchaseChange
from services.payments import Credited, HeldInSuspense, PaymentEffect, RefusedNotification
from services.payout_settlement import PayoutChange
from services.ports import Tx
from services.reconciliation.effects import LineEffect
from services.reversals import Reversed
from services.topup_settlement import ChangeKind, TopUpChange

_KINDS = {
    Purchase: OperationType.FLOAT,
    Payout: OperationType.PAYOUT,
    Batch: OperationType.BATCH,
}


class Notifier:
    """Queues notices in the transaction that makes the change, so each is sent exactly once.

    Every method returns the outbox rows that it added.
    """

    def __init__(self, engine: Engine, sessions: SessionCache, context: AppContext) -> None:
        self._context = context
        self._outcomes = OutcomeNotices(engine, sessions, context)

    def outcome(self, tx: Tx, effect: OperationUpdate) -> list[OutboxRow]:
        match effect:
            case PurchaseChange():
                return self.purchase(tx, effect)
            case PayoutChange():
                return self.payout(tx, effect)
            case Batch() if effect.state is BatchState.STOPPED:
                return queue_batch_stopped(tx, self._outcomes, effect)
            case Purchase() | Payout() | Batch():
                return self.refused(tx, effect)
            case TopUpChange() | Credited() | HeldInSuspense() | RefusedNotification():
                return self.payment(tx, effect)

    def topup(self, tx: Tx, change: TopUpChange) -> list[OutboxRow]:
        if change.kind is ChangeKind.OUTCOME:
            self._context.metrics.outcome(OperationType.TOPUP, change.topup.state)
        return queue_topup_change(tx, self._outcomes, change)

    def purchase(self, tx: Tx, change: PurchaseChange) -> list[OutboxRow]:
        self._context.metrics.outcome(OperationType.FLOAT, change.purchase.state)
        return queue_purchase_change(tx, self._outcomes, change)

    def payout(self, tx: Tx, change: PayoutChange) -> list[OutboxRow]:
        self._context.metrics.outcome(OperationType.PAYOUT, change.payout.state)
        return queue_payout_change(tx, self._outcomes, change)

    def refused(self, tx: Tx, spending: Spending) -> list[OutboxRow]:
        """It ended before anybody outside was asked, with the reason."""
        self._context.metrics.outcome(_KINDS[type(spending)], spending.state)
        return self._outcomes.refused(tx, spending)

    def payment(self, tx: Tx, effect: PaymentEffect) -> list[OutboxRow]:
        match effect:
            case TopUpChange():
                return self.topup(tx, effect)
            case Credited() | HeldInSuspense() | RefusedNotification():
                return queue_payment(tx, self._context, effect)

    def statement_line(self, tx: Tx, effect: LineEffect) -> list[OutboxRow]:
        match effect:
            case PurchaseChange():
                return self.purchase(tx, effect)
            case Reversed():
                return queue_reversal(tx, self._context, effect)
        return self.payment(tx, effect)

    def utility_short(self, tx: Tx, short: UtilityShort) -> list[OutboxRow]:
        facts = {"has": short.has, "needed": short.needed, "missing": short.missing}
        return queue_admin_notices(tx, self._context, "notice.utility_short", facts)

    def day_reconciled(self, tx: Tx, day: ReconciliationDay) -> list[OutboxRow]:
        return queue_day_reconciled(tx, self._context, day)

    def statement_missing(self, tx: Tx, days: Sequence[date]) -> list[OutboxRow]:
        return queue_statement_missing(tx, self._context, days)

    def code_lost(self, tx: Tx, otp_id: str) -> list[OutboxRow]:
        return queue_code_lost(tx, self._outcomes, otp_id)
