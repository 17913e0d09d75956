"""Payouts at M-PESA: what they have of their own beside ``MoneyWorker``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.notify.notifier import Notifier
from bot.workers.money_worker import CallLimits, Record
from services import payout_settlement
from services.domain.bank import NoAnswer, NotSent, Ready
from services.domain.lease import Lease
from services.domain.operation import OperationType
from services.domain.outbox import OutboxRow
from services.domain.payout import Payout, PayoutState
from services.domain.payout_answers import Asked, PayoutAnswer
from services.payout_settlement import PayoutChange
from services.ports import PayoutRail, Tx

_log = structlog.get_logger(__name__)

# Longer than token and order (30 s each), both repeated (refused token), the wait for a turn at a
# slowed pace, and the commits. Few at once: M-PESA takes some five a second of a short code.
LIMITS = CallLimits(lease=timedelta(seconds=240), sends_max=16, queries_max=8)


class PayoutKind:
    """An ``OperationKind``: the request orders the payment, and what has no Result is asked about.
    The answer to a question comes as a Result too (``PayoutResults``)."""

    name = OperationType.PAYOUT

    def __init__(self, rail: PayoutRail, notifier: Notifier, limits: CallLimits = LIMITS) -> None:
        self.limits = limits
        self._rail = rail
        self._notifier = notifier

    def claim(
        self, tx: Tx, lease: Lease, sends: int, queries: int
    ) -> tuple[Sequence[Payout], Sequence[PayoutChange]]:
        return payout_settlement.claim(tx, lease, sends, queries)

    def is_to_send(self, claimed: Payout) -> bool:
        return claimed.state is PayoutState.AUTHORISED

    async def prepare(self) -> Ready | NotSent:
        return await self._rail.prepare()

    def begin_sending(self, tx: Tx, claimed: Payout, lease: Lease) -> Payout | None:
        return payout_settlement.begin_submitting(tx, claimed, lease)

    async def send(self, ready: Ready, sending: Payout) -> PayoutAnswer:
        return await self._rail.pay(ready, sending.order)

    def record_answer(
        self, operation: Payout, answer: PayoutAnswer, milliseconds: int
    ) -> Record[PayoutChange]:
        return lambda tx: payout_settlement.record_order(tx, operation, answer, milliseconds)

    async def query(self, claimed: Payout) -> Asked | NoAnswer:
        return await self._rail.ask_status(claimed.originator_id)

    def record_status(
        self, claimed: Payout, status: Asked | NoAnswer, milliseconds: int
    ) -> Record[PayoutChange]:
        return lambda tx: payout_settlement.record_query(tx, claimed, status, milliseconds)

    def messages(self, tx: Tx, change: PayoutChange) -> Sequence[OutboxRow]:
        return self._notifier.payout(tx, change)

    def log(self, change: PayoutChange) -> None:
        log_change(change)


def log_change(change: PayoutChange) -> None:
    """One line per outcome, a warning if an admin must see it."""
    payout = change.payout
    log = _log.info if payout.state is PayoutState.PAID else _log.warning
    log(
        "payout settled",
        reference=payout.reference,
        state=payout.state,
        reason=payout.reason,
        pauses_all=change.pauses,
    )
