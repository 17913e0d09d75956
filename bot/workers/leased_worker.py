"""Base of the workers that hold what they have claimed for a limited time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence

import structlog

from bot.outbox.database_retries import PushRows
from bot.workers.bank_worker import BankWorker, CallPool, Wake
from services.domain.lease import Lease
from services.ports import Clock, Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)


class LeasedWorker(BankWorker):
    def __init__(
        self,
        database: Database,
        clock: Clock,
        push: PushRows,
        wake: Wake,
        pools: Sequence[CallPool],
        lease: Lease,
    ) -> None:
        super().__init__(database, clock, push, wake, pools)
        self._lease = lease
        self._gone: set[str] = set()  # processes whose leases are to be ended

    async def recover(self) -> None:
        """At start-up, end the leases of earlier processes, unless another one may hold them: those
        end when it is known to be gone, or by time."""
        if not self._database.sole_writer:
            return
        ended = await self._database.write(self._end_leases_of_others)
        if ended:
            _log.info("leases of the last run ended", count=ended)

    def take_over_from(self, processes: Collection[str]) -> None:
        """At the next scan, end the leases of processes that are gone."""
        self._gone.update(processes)
        self._wake(None)

    def leave(self, tx: Tx) -> None:
        """After ``stop``, let others go on at once with what it did not begin."""
        self._end_leases_of(tx, {self._lease.owner})

    async def _take_over(self) -> None:
        if not self._gone:
            return
        gone = frozenset(self._gone)
        ended = await self._database.write(lambda tx: self._end_leases_of(tx, gone))
        self._gone -= gone
        if ended:
            _log.warning("leases of a process that is gone ended", count=ended)

    @abstractmethod
    def _end_leases_of_others(self, tx: Tx) -> int: ...

    @abstractmethod
    def _end_leases_of(self, tx: Tx, owners: Collection[str]) -> int: ...
