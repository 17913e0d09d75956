"""The running program: what its doors may ask of it, and how it starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bot.context import BotIdentity
from bot.jobs.clock_watch import ClockWatch
from bot.jobs.file_watch import FileWatch
from bot.jobs.reconciliation import ReconciliationJob
from bot.jobs.restore_report import RestoreReport
from bot.jobs.scheduler import JobScheduler
from bot.notify.notifier import Notifier
from bot.observe.metrics import Metrics
from bot.outbox.sender import OutboxSender
from bot.readiness import Readiness
from bot.turns.sessions import SessionCache
from bot.turns.turn import Decided, Turns
from bot.workers.documents import DocumentWorker
from bot.workers.float_purchases import FloatPurchaseWorker
from bot.workers.payments import PaymentIntake
from bot.workers.topups import TopUpWorker
from flows.engine.engine import Engine
from flows.engine.event import Event
from services.domain.message import DeliveryReport
from services.domain.payment import BankNotification
from storage.sqlite.database import Database, DatabaseUnavailable
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

_log = structlog.get_logger(__name__)

# Longer than a money call's own limits: 60 s, and where the bank refused the token, 20 s for
# another and 60 s more (facts: NCBA 4).
MONEY_CALL_S = 145.0


class App:
    """The running program without its edges. Built by ``open_app`` only."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        turns: Turns,
        sender: OutboxSender,
        sessions: SessionCache,
        notifier: Notifier,
        topup_worker: TopUpWorker,
        float_worker: FloatPurchaseWorker,
        payment_intake: PaymentIntake,
        document_worker: DocumentWorker,
        reconciliation: ReconciliationJob,
        restored: RestoreReport,
        jobs: JobScheduler,
        bot_identity: BotIdentity,
        metrics: Metrics,
        clock_watch: ClockWatch,
        clock_check_every_s: float | None,
        file_watch: FileWatch | None,
        readiness: Readiness,
    ) -> None:
        self.database = database
        self.engine = engine
        self.sessions = sessions
        self.jobs = jobs
        self.bot_identity = bot_identity
        self.reconciliation = reconciliation
        self.metrics = metrics
        self._clock_watch = clock_watch
        self._look_at_clock_s = clock_check_every_s
        self._file_watch = file_watch
        self.readiness = readiness
        self._turns = turns
        self._sender = sender
        self._notifier = notifier
        self._topup_worker = topup_worker
        self._float_worker = float_worker
        self._payment_intake = payment_intake
        self._document_worker = document_worker
        self._restored = restored

    @property
    def in_flight(self) -> int:
        """Work that is with a thread: a simulation's clock stands still for it."""
        return self.database.in_flight + self._document_worker.threads

    async def handle(self, event: Event) -> Decided:
        """See ``Turns.handle``: committed when it returns. Waits while answers pile up."""
        await self._sender.room(event.channel)
        return await self._turns.handle(event)

    async def stop_sending(self) -> None:
        """Send nothing any more; what is queued stays queued."""
        await self._sender.stop()

    async def record_notification(self, notification: BankNotification) -> bool:
        """See ``PaymentIntake.notified``: committed when it returns."""
        return await self._payment_intake.record_notification(notification)

    async def record_delivery_report(self, channel: str, report: DeliveryReport) -> None:
        """Take in what a carrier says of a message; committed when it returns."""
        delivered = report.delivered
        if delivered is None:
            return

        def take(tx: SqliteTx) -> Sequence[OutboxRow]:
            otp = tx.outbox.record_delivery_report(channel, report.message_id, delivered)
            return () if otp is None or delivered else self._notifier.code_lost(tx, otp)

        self._sender.push(await self.database.write(take))

    async def start(self) -> None:
        await self._restored.announce()
        await self._topup_worker.recover()
        await self._float_worker.recover()
        self.jobs.start()
        if self._look_at_clock_s is not None:
            self._clock_watch.watch(self._look_at_clock_s)
        if self._file_watch is not None:
            self._file_watch.watch()

    async def stop(self, grace_s: float) -> None:
        """Claim no more, give money calls ``grace_s`` seconds, note what is unknown, and until
        when the desk ran."""
        self._stop_watching()
        await self.jobs.stop()
        await asyncio.gather(
            self._topup_worker.stop(grace_s),
            self._float_worker.stop(grace_s),
            self._document_worker.stop(0),
        )
        await self._sender.stop()
        try:
            await self.database.write(_touch)
        except DatabaseUnavailable:
            _log.warning("stopped without noting the time", exc_info=True)

    def abort(self) -> None:
        """Drop everything where it stands, as a kill would. For simulated crashes."""
        self.database.simulate_crash()
        self._stop_watching()
        self.jobs.abort()
        self._topup_worker.abort()
        self._float_worker.abort()
        self._document_worker.abort()
        self._sender.abort()

    def _stop_watching(self) -> None:
        self._clock_watch.stop()
        self.readiness.stop()
        if self._file_watch is not None:
            self._file_watch.stop()


def _touch(tx: SqliteTx) -> None:
    """A commit with nothing in it but its moment."""
