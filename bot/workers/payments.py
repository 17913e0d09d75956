"""Records the bank's notifications of paybill payments, and notifies the people concerned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot.notify.notifier import Notifier
from services import payment_notifications, payments
from services.domain.outbox import OutboxRow
from services.domain.payment import BankNotification
from services.payment_notifications import IntakeResult
from services.payments import PaymentEffect
from services.ports import Random, Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)


class PaymentIntake:
    def __init__(
        self,
        database: Database,
        random: Random,
        notifier: Notifier,
        push: Callable[[Sequence[OutboxRow]], None],
    ) -> None:
        self._database = database
        self._random = random
        self._notifier = notifier
        self._push = push

    async def record_notification(self, notification: BankNotification) -> bool:
        """Whether to acknowledge the notification to the bank; committed when it returns."""

        def record(tx: Tx) -> tuple[IntakeResult, list[OutboxRow]]:
            result = payment_notifications.record_notification(tx, self._random, notification)
            rows = [row for effect in result.effects for row in self._notifier.payment(tx, effect)]
            return result, rows

        result, rows = await self._database.write(record)
        self._push(rows)
        for effect in result.effects:
            _log.info("payment", **_log_fields(effect))
        return result.accepted


def _log_fields(effect: PaymentEffect) -> dict[str, str]:
    match effect:
        case payments.Credited(payment):
            return {"reference": payment.reference, "state": payment.state}
        case payments.HeldInSuspense(payment):
            return {"reference": payment.reference, "state": payment.why or payment.state}
        case payments.RefusedNotification(reference, notification):
            return {"reference": reference, "state": notification.verdict}
    return {"reference": effect.topup.reference, "state": effect.topup.state}
