"""Take in what the bank tells of payments to the paybill, and tell whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot.notify.notify import Tell
from services import payments
from services.domain.payment import Notification
from services.payments import LedTo, Taken
from services.ports import Random
from storage.sqlite.database import Database
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

_log = structlog.get_logger(__name__)


class Cashier:
    def __init__(
        self,
        database: Database,
        random: Random,
        tell: Tell,
        push: Callable[[Sequence[OutboxRow]], None],
    ) -> None:
        self._database = database
        self._random = random
        self._tell = tell
        self._push = push

    async def notified(self, notification: Notification) -> bool:
        """Whether the bank may be told that its notification was received; committed by then."""

        def take(tx: SqliteTx) -> tuple[Taken, list[OutboxRow]]:
            taken = payments.take(tx, self._random, notification)
            return taken, [row for one in taken.led_to for row in self._tell.payment(tx, one)]

        taken, rows = await self._database.write(take)
        self._push(rows)
        for one in taken.led_to:
            _log.info("payment", **_words(one))
        return taken.accepted


def _words(led_to: LedTo) -> dict[str, str]:
    match led_to:
        case payments.Credited(arrived):
            return {"reference": arrived.reference, "state": arrived.state}
        case payments.Suspended(arrived):
            return {"reference": arrived.reference, "state": arrived.why or arrived.state}
        case payments.Spoiled(reference, notification):
            return {"reference": reference, "state": notification.verdict}
    return {"reference": led_to.topup.reference, "state": led_to.topup.state}
