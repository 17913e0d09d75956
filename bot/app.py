"""The running program: the operations that channels and HTTP call, and how it starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.context import AppContext
from bot.jobs.clock_watch import ClockWatch
from bot.jobs.file_watch import FileWatch
from bot.jobs.process_report import JobsOfAllProcesses
from bot.jobs.reconciliation import ReconciliationJob
from bot.jobs.restore_report import RestoreReport
from bot.jobs.scheduler import JobScheduler
from bot.notify.notifier import Notifier
from bot.outbox.busy_notes import BusyNotes
from bot.outbox.sender import OutboxSender
from bot.readiness import Readiness
from bot.turns.calls import Calls
from bot.turns.hops import Hops
from bot.turns.operation_waits import OperationWaits
from bot.turns.sessions import SessionCache
from bot.turns.turn import Decided, Turns
from bot.workers.bank_worker import BankWorker
from bot.workers.documents import DocumentWorker
from bot.workers.leased_worker import LeasedWorker
from bot.workers.money_worker import AnyMoneyWorker
from bot.workers.payments import PaymentIntake
from bot.workers.payout_results import PayoutResults
from bot.workers.webhooks import STOP_S, WebhookWorker
from flows.engine.engine import Engine
from flows.engine.event import Event
from services.domain.database import DatabaseUnavailable
from services.domain.message import DeliveryReport
from services.domain.outbox import OutboxRow
from services.domain.payment import BankNotification
from services.payout_settlement import PayoutChange
from services.ports import Clock, Random, Tx
from services.ports.database import Database

JOB_BY_REFERENCE_PREFIX = {
    "TU": "topups",
    "FL": "purchases",
    "PO": "payouts",
    "ST": "documents",
}

# What other processes leave to do: at once, and what may be due earlier than this one knows.
OTHERS_BEGIN = ("outbox", "documents")
OTHERS_MAKE_DUE = (
    "topups",
    "purchases",
    "payouts",
    "webhooks",
    "codes",
    "approvals",
    "sessions",
    "broadcast",
)

_log = structlog.get_logger(__name__)

# Longer than a money call's own limits: 60 s, and after a refused token 20 s until another process
# has a new one or 20 s to get one, and 60 s more (facts: NCBA 4).
MONEY_CALL_S = 165.0


@dataclass(frozen=True, slots=True)
class Core:
    """What every other part of the program is built on."""

    database: Database
    clock: Clock
    random: Random
    engine: Engine
    sessions: SessionCache
    context: AppContext
    notifier: Notifier
    jobs: JobScheduler
    all_jobs: JobsOfAllProcesses


@dataclass(frozen=True, slots=True)
class Workers:
    """``money`` by the name of the job that wakes it: one for each kind of operation."""

    money: Mapping[str, AnyMoneyWorker]
    documents: DocumentWorker
    webhooks: WebhookWorker

    def by_job(self) -> Mapping[str, BankWorker]:
        return {**self.money, "documents": self.documents, "webhooks": self.webhooks}

    @property
    def leased(self) -> Sequence[LeasedWorker]:
        return (*self.money.values(), self.webhooks)

    async def recover(self) -> None:
        for worker in self.leased:
            await worker.recover()

    def take_over_from(self, processes: Collection[str]) -> None:
        for worker in self.leased:
            worker.take_over_from(processes)

    def leave(self, tx: Tx) -> None:
        for worker in self.leased:
            worker.leave(tx)

    async def stop(self, grace_s: float) -> None:
        """Money calls in flight get ``grace_s`` seconds; documents are made again later, and
        events sent again."""
        await asyncio.gather(
            *(worker.stop(grace_s) for worker in self.money.values()),
            self.documents.stop(0),
            self.webhooks.stop(min(grace_s, STOP_S)),
        )

    def abort(self) -> None:
        for worker in self.by_job().values():
            worker.abort()


@dataclass(frozen=True, slots=True)
class Watches:
    """``clock_check_every_s``: seconds between looks at the clock; ``None`` for none."""

    clock: ClockWatch
    clock_check_every_s: float | None
    file: FileWatch | None
    readiness: Readiness

    def start(self) -> None:
        if self.clock_check_every_s is not None:
            self.clock.watch(self.clock_check_every_s)
        if self.file is not None:
            self.file.watch()

    def stop(self) -> None:
        self.clock.stop()
        self.readiness.stop()
        if self.file is not None:
            self.file.stop()


class App:
    """The running program without channels and HTTP. Only ``open_app`` builds it."""

    def __init__(
        self,
        core: Core,
        turns: Turns,
        hops: Hops,
        calls: Calls,
        waits: OperationWaits,
        sender: OutboxSender,
        workers: Workers,
        payment_intake: PaymentIntake,
        payout_results: PayoutResults,
        reconciliation: ReconciliationJob,
        restore_report: RestoreReport,
        busy: BusyNotes,
        watches: Watches,
    ) -> None:
        self.database = core.database
        self.random = core.random
        self.hops = hops
        self.calls = calls
        self.waits = waits
        self.engine = core.engine
        self.sessions = core.sessions
        self.jobs = core.jobs
        self.all_jobs = core.all_jobs
        self.context = core.context
        self.bot_identity = core.context.bot_identity
        self.metrics = core.context.metrics
        self.reconciliation = reconciliation
        self.readiness = watches.readiness
        self._notifier = core.notifier
        self._turns = turns
        self._sender = sender
        self._workers = workers
        self._payment_intake = payment_intake
        self.payout_results = payout_results
        self._restore_report = restore_report
        self._busy = busy
        self._watches = watches

    @property
    def in_flight(self) -> int:
        """Work under way in threads; a simulation stops its clock while there is any."""
        return self.database.in_flight + self._workers.documents.threads

    async def is_linked(self, channel: str, address: str) -> bool:
        """Whether the account belongs to somebody of a partner."""
        found = await self.database.read(lambda tx: tx.people.at(channel, address))
        return found is not None

    async def handle(self, event: Event) -> Decided:
        """See ``Turns.handle``: committed when it returns. Waits while answers are backlogged."""
        await self._sender.room(event.channel)
        try:
            return await self._turns.handle(event)
        except DatabaseUnavailable:
            self._busy.tell(event.channel, event.address)
            raise

    async def stop_sending(self) -> None:
        """Stop sending; queued messages stay queued."""
        await self._sender.stop()

    async def record_notification(self, notification: BankNotification) -> bool:
        """See ``PaymentIntake.record_notification``: committed when it returns."""
        return await self._payment_intake.record_notification(notification)

    async def record_delivery_report(self, channel: str, report: DeliveryReport) -> None:
        """Record a carrier's delivery report; committed when it returns."""
        delivered = report.delivered
        if delivered is None:
            return

        def record(tx: Tx) -> Sequence[OutboxRow]:
            otp = tx.outbox.record_delivery_report(channel, report.message_id, delivered)
            return () if otp is None or delivered else self._notifier.code_lost(tx, otp)

        self._sender.push(await self.database.write(record))

    def queue_payout(self, tx: Tx, change: PayoutChange) -> None:
        """Queue what people are told of it; it is sent when the desk runs."""
        self._notifier.payout(tx, change)

    async def ask_bank(self, reference: str, seconds: float) -> None:
        """Return once the bank's answer about it, if it is asked now, is committed; at most so many
        real seconds later."""
        job = JOB_BY_REFERENCE_PREFIX.get(reference[:2])
        worker = None if job is None else self._workers.money.get(job)
        if job is None or worker is None:
            return
        try:
            async with asyncio.timeout(seconds):
                await self.jobs.run_now(job)
                await worker.answered(reference)
        except TimeoutError:
            return

    async def start(self) -> None:
        self.database.leading_changed = self._leading_changed
        self.database.elsewhere = self._elsewhere
        await self.database.join()
        await self._restore_report.announce()
        await self._workers.recover()
        self.database.gone = self._workers.take_over_from
        self.jobs.start(leads=self.database.leads)
        self._watches.start()

    def _leading_changed(self, leads: bool) -> None:
        self._sender.forget()
        self.jobs.lead(leads)

    def _elsewhere(self, references: frozenset[str] | None) -> None:
        """Another process has committed something, or may have in the last second."""
        if not self.jobs.is_running:
            return
        for job in OTHERS_BEGIN if references is not None else (*OTHERS_BEGIN, *OTHERS_MAKE_DUE):
            self.jobs.wake(job)
        self.all_jobs.take_up()

    async def stop(self, grace_s: float) -> None:
        """Claim no more work, give money calls ``grace_s`` seconds to end, record the rest as
        unknown, and record when the program stopped."""
        self._watches.stop()
        self.waits.close()
        await self.jobs.stop()
        await self._workers.stop(grace_s)
        await self._sender.stop()
        try:
            await self.database.write(self._leave)
        except DatabaseUnavailable:
            _log.warning("stopped without noting the time", exc_info=True)

    def abort(self) -> None:
        """Drop everything immediately, as a kill would. For simulated crashes."""
        self.database.simulate_crash()
        self._watches.stop()
        self.jobs.abort()
        self._workers.abort()
        self._sender.abort()
        self._busy.abort()

    def _leave(self, tx: Tx) -> None:
        """Let go of what others could take up. The transaction records its time, even if there is
        nothing else in it."""
        if self.database.is_shared:
            self._workers.leave(tx)
