"""Builds the program. The real program, the simulator and the tests all call ``open_app``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import httpx

from bot.adapters import (
    bank_client,
    carriers,
    collections,
    float_bank,
    payout_rail,
    policy_of,
    token_keeping,
    webhook_sender,
)
from bot.app import JOB_BY_REFERENCE_PREFIX, App, Core, Watches, Workers
from bot.calls.caller import CHANNEL
from bot.clock import DatabaseClock, SystemClock, system_random
from bot.context import AppContext, DatabaseGauges
from bot.database import database_engine
from bot.environment.network import read_network
from bot.jobs.api_keys import ApiKeyExpiryJob
from bot.jobs.approvals import ApprovalExpiryJob
from bot.jobs.audit import AuditCheckJob
from bot.jobs.backup import BackupJob, BackupPlan
from bot.jobs.broadcast import BroadcastJob
from bot.jobs.clock_watch import ClockWatch
from bot.jobs.digest import DigestJob
from bot.jobs.drill import DrillJob
from bot.jobs.file_watch import FileWatch
from bot.jobs.housekeeping import Housekeeping
from bot.jobs.mpesa_balances import MpesaBalanceJob
from bot.jobs.process_report import JobsOfAllProcesses
from bot.jobs.reconciliation import ReconciliationJob
from bot.jobs.restore_report import RestoreReport
from bot.jobs.scheduler import Alarm, JobScheduler, SchedulerAlarm
from bot.jobs.statistics import StatisticsJob
from bot.notify.notifier import Notifier
from bot.observe.metrics import (
    MeteredCollections,
    MeteredFloatBank,
    MeteredPayoutRail,
    Metrics,
)
from bot.outbox.attempt import OnDelivered
from bot.outbox.busy_notes import BusyNotes
from bot.outbox.channel import Channel
from bot.outbox.database_retries import PushRows
from bot.outbox.metered_channel import MeteredChannel
from bot.outbox.pacing import MessageRates
from bot.outbox.sender import OutboxSender
from bot.rate_limits.sliding_window import SlidingWindows
from bot.rate_limits.strangers import StrangerLimiter
from bot.readiness import Readiness
from bot.security import lost_database
from bot.security.backup import backup_folder, read_backup_keys, sweep_leftovers
from bot.security.desk_keys import open_keys, require_keys
from bot.settings import AuditHeads, Settings
from bot.turns.calls import Budget, Calls
from bot.turns.hops import Hops
from bot.turns.operation_waits import OperationWaits
from bot.turns.phone_answers import PhoneAnswers
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from bot.turns.steps import Steps
from bot.turns.turn import Turns
from bot.workers.documents import DocumentWorker
from bot.workers.float_purchases import FloatPurchaseKind
from bot.workers.money_worker import AnyMoneyWorker, AnyOperationKind, MoneyWorker
from bot.workers.payments import PaymentIntake
from bot.workers.payout_results import PayoutResults
from bot.workers.payouts import PayoutKind
from bot.workers.topups import TopUpKind
from bot.workers.webhooks import WebhookWorker
from flows.catalogue import all_flows
from flows.engine.capabilities import PHONE_MENU, SYSTEMS, ChannelCapabilities
from flows.engine.check import check
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services.domain.ussd import CHANNEL as USSD
from services.domain.webhook_url import check_url
from services.ports import CheckUrl, Clock, Random, WebhookTransport
from services.ports.database import Database
from services.ports.simulated_databases import SimulatedDatabase

LONG_S = 3_600.0  # limit for jobs that read the whole database or fetch days of statement lines


@dataclass
class Dependencies:
    """The program's environment. The defaults are the real one.

    ``request_channels`` only answer requests: what they can do, by name. Their adapters call
    ``App.handle`` and show its answer; nothing is ever sent to them.
    """

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=system_random)
    alarm: Alarm = field(default_factory=SchedulerAlarm)
    bank: httpx.AsyncClient | None = None  # used by one app only, and closed with it
    # Used by one app only, and closed with it. What it reaches, ``check_webhook_url`` lets in.
    webhooks: WebhookTransport | None = None
    check_webhook_url: CheckUrl = check_url
    channels: Mapping[str, Channel] = field(default_factory=dict)
    request_channels: Mapping[str, ChannelCapabilities] = field(default_factory=dict)
    pace: MessageRates | None = None  # None: from the settings
    waits_max: int | None = None  # API calls that wait for a change at once; None: any number
    delivered: OnDelivered | None = None
    probe: Callable[[str], None] = lambda point: None
    threads: bool = True  # False: the database is used on the event loop, deterministically
    simulated: SimulatedDatabase | None = None  # the database, instead of the settings'
    clock_check_every_s: float | None = 1.0  # while idle; None: never
    checks_database_file: bool = True  # whether the database file is checked periodically


async def open_app(settings: Settings, dependencies: Dependencies, stack: AsyncExitStack) -> App:
    """Build everything on ``stack``, which closes the database and the bank's client.

    Raises ``flows.engine.check.InvalidFlow``, also for what a flow calls without a declared right,
    ``bot.security.keyring.KeysFault``, ``bot.security.lost_database.DatabaseLost``,
    ``bot.environment.network.NetworkFault``, ``bot.security.initiator_password.CertificateFault``,
    ``services.domain.database.DatabaseFault``. The caller starts and stops the app.
    """
    engine = Engine(all_flows(), Texts.load(), HANDLERS)
    check(engine.flows, engine.texts, HANDLERS)
    database = await _open_database(settings, dependencies, stack)
    client = await stack.enter_async_context(
        bank_client(settings, read_network()) if dependencies.bank is None else dependencies.bank
    )
    clock = DatabaseClock(dependencies.clock, database.time)
    webhooks = dependencies.webhooks or webhook_sender(read_network(), clock)
    stack.push_async_callback(webhooks.close)
    channels = {**carriers(settings, client, clock), **dependencies.channels}
    core = _core(settings, dependencies, engine, database, clock, channels)
    banks = _banks(settings, core, client)
    sender = _outbox(settings, dependencies, core, channels)
    workers = _workers(core, banks, webhooks, sender.push)
    payment_intake = PaymentIntake(database, core.random, core.notifier, sender.push)
    payout_results = PayoutResults(
        database,
        core.context.policy,
        core.notifier,
        sender.push,
        partial(_wake_if_running, core.jobs, "payouts"),
    )
    steps = Steps(engine, core.sessions, core.context, core.notifier.outcome)
    turns = Turns(
        database,
        engine,
        core.sessions,
        core.context,
        steps,
        sender.push,
        partial(_wake_worker, core.jobs),
    )
    hops = Hops(
        database,
        core.context,
        PhoneAnswers(core.context, steps, core.sessions),
        sender.push,
        partial(_wake_worker, core.jobs),
    )
    waits = OperationWaits(database, settings.api_waits_per_partner, dependencies.waits_max)
    database.changed = waits.changed
    calls = Calls(
        database,
        core.context,
        SlidingWindows(_call_limits(settings), core.clock.monotonic),
        sender.push,
        partial(_wake_worker, core.jobs),
        partial(_wake_all, core.jobs),
        core.notifier.outcome,
    )
    reconciliation = ReconciliationJob(
        database,
        core.clock,
        core.random,
        core.notifier,
        sender.push,
        banks.float_bank,
        settings.reconcile_at,
    )
    balances = MpesaBalanceJob(database, core.clock, banks.payout_rail)
    _add_jobs(settings, core, sender, workers, reconciliation, balances)
    return App(
        core,
        turns,
        hops,
        calls,
        waits,
        sender,
        workers,
        payment_intake,
        payout_results,
        reconciliation,
        RestoreReport(database, core.context, core.notifier, sender.push),
        BusyNotes(core.clock, engine.texts, channels, dependencies.delivered),
        _watches(settings, dependencies, core, sender.push, workers),
    )


async def _open_database(
    settings: Settings, dependencies: Dependencies, stack: AsyncExitStack
) -> Database:
    clock, probe = dependencies.clock, dependencies.probe
    if dependencies.simulated is None:
        require_keys(settings)
        lost_database.check_not_lost(settings)
        sweep_leftovers(settings)
        database = await database_engine.open_database(
            settings.database,
            clock.now,
            monotonic=clock.monotonic,
            probe=probe,
            threads=dependencies.threads,
        )
    else:
        database = await dependencies.simulated.open(
            clock.now, monotonic=clock.monotonic, probe=probe, threads=dependencies.threads
        )
    stack.push_async_callback(database.close)
    return database


def _core(
    settings: Settings,
    dependencies: Dependencies,
    engine: Engine,
    database: Database,
    clock: DatabaseClock,
    channels: Mapping[str, Channel],
) -> Core:
    # After opening the database: a key file without a database means that the database was lost.
    keys = open_keys(settings)
    # Admins are identified by chat account; without Telegram the terminal takes its place.
    chat = "telegram" if "telegram" in dependencies.channels else "terminal"
    jobs = JobScheduler(clock, dependencies.alarm)
    all_jobs = JobsOfAllProcesses(jobs, database)
    answering = dependencies.request_channels
    assert not any(one.push for one in answering.values()), "nothing could be sent there"
    context = AppContext(
        engine.texts,
        dependencies.random,
        keys,
        policy_of(settings),
        admins=tuple((chat, address) for address in sorted(settings.admin_ids)),
        gauges=DatabaseGauges(
            lambda: all_jobs.waiting,
            lambda: database.size_bytes,
            lambda: 1 + len(database.others),
            lambda: database.leads or any(one.leads for one in database.others),
        ),
        jobs=all_jobs,
        metrics=Metrics(clock.monotonic),
        strangers=StrangerLimiter(settings.message_rate_overall, clock.monotonic),
        channels={
            **{name: channel.capabilities for name, channel in channels.items()},
            **answering,
            CHANNEL: SYSTEMS,
            USSD: PHONE_MENU,
        },
        check_webhook_url=dependencies.check_webhook_url,
        dashboard_url=settings.dashboard_address,
    )
    sessions = SessionCache(engine.flows)
    return Core(
        database,
        clock,
        dependencies.random,
        engine,
        sessions,
        context,
        Notifier(engine, sessions, context),
        jobs,
        all_jobs,
    )


@dataclass(frozen=True, slots=True)
class _Banks:
    collections: MeteredCollections
    float_bank: MeteredFloatBank
    payout_rail: MeteredPayoutRail


def _banks(settings: Settings, core: Core, client: httpx.AsyncClient) -> _Banks:
    clock, metrics = core.clock, core.context.metrics
    keeping = token_keeping(core.database, clock, core.context.keys)
    seller = float_bank(settings, client, clock, keeping)
    return _Banks(
        MeteredCollections(collections(settings, client, clock, keeping), metrics),
        MeteredFloatBank(seller, seller, metrics),
        MeteredPayoutRail(payout_rail(settings, client, clock, keeping), metrics),
    )


def _outbox(
    settings: Settings, dependencies: Dependencies, core: Core, channels: Mapping[str, Channel]
) -> OutboxSender:
    pace = dependencies.pace or MessageRates(
        settings.message_rate_chat, settings.message_rate_overall
    )
    return OutboxSender(
        core.database,
        core.clock,
        {name: MeteredChannel(one, core.context.metrics) for name, one in channels.items()},
        pace,
        core.context.keys,
        core.notifier.code_lost,
        dependencies.delivered,
    )


def _workers(core: Core, banks: _Banks, webhooks: WebhookTransport, push: PushRows) -> Workers:
    def worker(job: str, kind: AnyOperationKind) -> AnyMoneyWorker:
        wake = partial(core.jobs.wake, job)
        return MoneyWorker(core.database, core.clock, push, wake, core.database.process, kind)

    return Workers(
        {
            "topups": worker("topups", TopUpKind(banks.collections, core.random, core.notifier)),
            "purchases": worker("purchases", FloatPurchaseKind(banks.float_bank, core.notifier)),
            "payouts": worker("payouts", PayoutKind(banks.payout_rail, core.notifier)),
        },
        DocumentWorker(
            core.database,
            core.clock,
            core.engine,
            core.sessions,
            core.context,
            push,
            partial(core.jobs.wake, "documents"),
            banks.collections,
        ),
        WebhookWorker(
            core.database,
            core.clock,
            core.context,
            push,
            partial(core.jobs.wake, "webhooks"),
            core.database.process,
            webhooks,
        ),
    )


def _call_limits(settings: Settings) -> dict[str, int]:
    return {
        Budget.READS: settings.api_reads_per_minute,
        Budget.MOVES: settings.api_moves_per_minute,
    }


def _wake_worker(jobs: JobScheduler, operation: str) -> None:
    """An invitation or a change of contact is an operation of a conversation, but no worker's."""
    job = JOB_BY_REFERENCE_PREFIX.get(operation[:2])
    if job is not None:
        jobs.wake(job)


def _wake_all(jobs: JobScheduler) -> None:
    """Whoever sends on what a commit has left: to the bank, and to people."""
    for job in (*JOB_BY_REFERENCE_PREFIX.values(), "outbox"):
        _wake_if_running(jobs, job)


def _wake_if_running(jobs: JobScheduler, job: str) -> None:
    """What is added before the start is found by the first scan."""
    if jobs.is_running:
        jobs.wake(job)


def _add_jobs(
    settings: Settings,
    core: Core,
    sender: OutboxSender,
    workers: Workers,
    reconciliation: ReconciliationJob,
    balances: MpesaBalanceJob,
) -> None:
    """The scheduler starts jobs in this order."""
    database, clock, context, push = core.database, core.clock, core.context, sender.push
    housekeeping = Housekeeping(database, clock, core.sessions, context.policy)
    tells_heads = settings.audit_heads is AuditHeads.DAILY
    add = core.jobs.add
    for job, worker in workers.money.items():
        add(job, worker.scan, everywhere=True)
    add("documents", workers.documents.scan)
    add("webhooks", workers.webhooks.scan, everywhere=True)
    database.webhooks_queued = partial(_wake_if_running, core.jobs, "webhooks")
    add("digest", DigestJob(database, clock, context, push).scan)
    add("api_keys", ApiKeyExpiryJob(database, clock, context, push).scan)
    add("outbox", sender.scan)
    add("codes", housekeeping.expire_codes)
    add("approvals", ApprovalExpiryJob(database, clock, core.notifier, push).scan)
    if settings.sells_float:  # otherwise statements come from files only
        add("reconciliation", reconciliation.scan, reconciliation.ask, limit_s=LONG_S)
    if settings.pays_customers:
        add("mpesa_balances", balances.scan, balances.ask)
    if (plan := _backup_plan(settings)) is not None:
        add("backup", BackupJob(database, clock, context, push, plan).scan, limit_s=LONG_S)
        add("drill", DrillJob(database, clock, context, push, plan).scan, limit_s=LONG_S)
    add("broadcast", BroadcastJob(database, clock, context, push).scan)
    counting = StatisticsJob(database, clock, context.board)  # into this process's memory
    add("stats", counting.scan, limit_s=LONG_S, everywhere=True)
    audit = AuditCheckJob(database, clock, context, push, heads=tells_heads)
    add("audit", audit.scan, limit_s=LONG_S)
    add("sessions", housekeeping.expire_sessions)
    add("cleanup", housekeeping.clean_up)


def _backup_plan(settings: Settings) -> BackupPlan | None:
    """``None``: the database is on a server, where others back it up."""
    database = settings.database_file
    if database is None:
        return None
    return BackupPlan(
        database,
        backup_folder(settings, database),
        read_backup_keys(settings),
        settings.backup_at,
        settings.backups_kept,
    )


def _watches(
    settings: Settings, dependencies: Dependencies, core: Core, push: PushRows, workers: Workers
) -> Watches:
    database, clock, jobs = core.database, core.clock, core.jobs
    clock_watch = ClockWatch(database, clock, core.context, jobs, push)
    database.stepped = clock_watch.stepped
    file = None if dependencies.simulated is not None else settings.database_file
    file_watch = None
    if file is not None and dependencies.checks_database_file:
        file_watch = FileWatch(database, file, clock)
    return Watches(
        clock_watch,
        dependencies.clock_check_every_s,
        file_watch,
        Readiness(database, file, clock, clock_watch, jobs, workers.by_job()),
    )
