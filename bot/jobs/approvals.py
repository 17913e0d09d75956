"""Ends purchases and payouts that no second person approved in time, and tells the requester."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.notify.notifier import Notifier
from services import approvals
from services.domain.approval import APPROVAL_LIFE
from services.domain.database import Priority
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

PAGE = 100  # operations in one transaction


class ApprovalExpiryJob:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        notifier: Notifier,
        push: Callable[[Sequence[OutboxRow]], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._notifier = notifier
        self._push = push

    async def scan(self) -> datetime | None:
        """Returns when the next one expires; new requests cannot expire earlier."""

        def end(tx: Tx) -> list[OutboxRow]:
            ended = approvals.expire(tx, PAGE)
            return [row for operation in ended for row in self._notifier.refused(tx, operation)]

        while rows := await self._database.write(end, Priority.JOBS):
            self._push(rows)
        latest = self._clock.now() + APPROVAL_LIFE
        asked_at = await self._database.read(lambda tx: tx.approvals.oldest())
        return latest if asked_at is None else min(latest, asked_at + APPROVAL_LIFE)
