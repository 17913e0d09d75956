"""Float purchases at the bank: what they have of their own beside ``MoneyWorker``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.notify.notifier import Notifier
from bot.workers.money_worker import CallLimits, Record
from services import float_settlement
from services.domain.bank import FloatAnswer, NotSent, Ready, StatusAnswer
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.lease import Lease
from services.domain.operation import OperationType
from services.domain.outbox import OutboxRow
from services.float_settlement import PurchaseChange
from services.ports import FloatBank, Tx

_log = structlog.get_logger(__name__)

# Longer than token (20 s) and purchase (60 s), both repeated (refused token), and the commits.
LIMITS = CallLimits(lease=timedelta(seconds=240), sends_max=64, queries_max=64)


class FloatPurchaseKind:
    """An ``OperationKind``: the request buys the float, and what is unknown is queried."""

    name = OperationType.FLOAT

    def __init__(self, bank: FloatBank, notifier: Notifier, limits: CallLimits = LIMITS) -> None:
        self.limits = limits
        self._bank = bank
        self._notifier = notifier

    def claim(
        self, tx: Tx, lease: Lease, sends: int, queries: int
    ) -> tuple[Sequence[Purchase], Sequence[PurchaseChange]]:
        return float_settlement.claim(tx, lease, sends, queries)

    def is_to_send(self, claimed: Purchase) -> bool:
        return claimed.state is PurchaseState.AUTHORISED

    async def prepare(self) -> Ready | NotSent:
        return await self._bank.prepare()

    def begin_sending(self, tx: Tx, claimed: Purchase, lease: Lease) -> Purchase | None:
        return float_settlement.begin_submitting(tx, claimed, lease)

    async def send(self, ready: Ready, sending: Purchase) -> FloatAnswer:
        return await self._bank.purchase(ready, float_settlement.order(sending))

    def record_answer(
        self, operation: Purchase, answer: FloatAnswer, milliseconds: int
    ) -> Record[PurchaseChange]:
        return lambda tx: float_settlement.record_purchase(tx, operation, answer, milliseconds)

    async def query(self, claimed: Purchase) -> StatusAnswer:
        return await self._bank.status(claimed.reference)

    def record_status(
        self, claimed: Purchase, status: StatusAnswer, milliseconds: int
    ) -> Record[PurchaseChange]:
        return lambda tx: float_settlement.record_status(tx, claimed, status, milliseconds)

    def messages(self, tx: Tx, change: PurchaseChange) -> Sequence[OutboxRow]:
        return self._notifier.purchase(tx, change)

    def log(self, change: PurchaseChange) -> None:
        purchase = change.purchase
        log = _log.info if purchase.state is PurchaseState.SUCCEEDED else _log.warning
        log(
            "float purchase settled",
            reference=purchase.reference,
            state=purchase.state,
            reason=purchase.reason,
        )
