"""Take in what the bank tells of payments to the paybill, and tell whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot.notify.notifier import Notifier
from services import payments
from services.domain.payment import BankNotification
from services.payments import IntakeResult, PaymentEffect
from services.ports import Random
from storage.sqlite.database import Database
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

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
        """Whether the bank may be told that its notification was received; committed by then."""

        def take(tx: SqliteTx) -> tuple[IntakeResult, list[OutboxRow]]:
            taken = payments.record_notification(tx, self._random, notification)
            return taken, [row for one in taken.effects for row in self._notifier.payment(tx, one)]

        taken, rows = await self._database.write(take)
        self._push(rows)
        for one in taken.effects:
            _log.info("payment", **_words(one))
        return taken.accepted


def _words(effects: PaymentEffect) -> dict[str, str]:
    match effects:
        case payments.Credited(arrived):
            return {"reference": arrived.reference, "state": arrived.state}
        case payments.HeldInSuspense(arrived):
            return {"reference": arrived.reference, "state": arrived.why or arrived.state}
        case payments.RefusedNotification(reference, notification):
            return {"reference": reference, "state": notification.verdict}
    return {"reference": effects.topup.reference, "state": effects.topup.state}
