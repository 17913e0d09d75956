"""Where everything is joined: the real program, the simulator and the tests call ``open_app``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import httpx

from bot.adapters import bank_client, carriers, float_bank, ncba_credentials, policy_of
from bot.app import App
from bot.clock import DatabaseClock, SystemClock, system_random
from bot.context import AppContext, DatabaseGauges
from bot.environment.network import read_network
from bot.jobs.approvals import ApprovalExpiryJob
from bot.jobs.audit import AuditCheckJob
from bot.jobs.backup import BackupJob, BackupPlan
from bot.jobs.broadcast import BroadcastJob
from bot.jobs.clock_watch import ClockWatch
from bot.jobs.digest import DigestJob
from bot.jobs.file_watch import FileWatch
from bot.jobs.housekeeping import Housekeeping
from bot.jobs.reconciliation import ReconciliationJob
from bot.jobs.restore_report import RestoreReport
from bot.jobs.scheduler import Alarm, JobScheduler, SchedulerAlarm
from bot.jobs.statistics import StatisticsJob
from bot.notify.notifier import Notifier
from bot.observe.metrics import MeteredCollections, MeteredFloatBank, Metrics
from bot.outbox.attempt import OnDelivered
from bot.outbox.channel import Channel
from bot.outbox.pacing import MessageRates
from bot.outbox.sender import OutboxSender
from bot.readiness import Readiness
from bot.runtime.strangers import StrangerLimiter
from bot.security import lost_database
from bot.security.backup import backup_folder, read_backup_keys, sweep_leftovers
from bot.security.keyring import open_keyring
from bot.settings import AuditHeads, Settings
from bot.turns.sessions import SessionCache
from bot.turns.turn import Turns
from bot.workers.documents import DocumentWorker
from bot.workers.float_purchases import FloatPurchaseWorker
from bot.workers.payments import PaymentIntake
from bot.workers.topups import TopUpWorker
from flows.catalogue import all_flows
from flows.engine.check import check
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services.gateways.ncba.collections import NcbaCollections
from services.ports import Clock, Random
from storage.sqlite.database import Database

JOB_BY_REFERENCE_PREFIX = {
    "TU": "topups",
    "FL": "purchases",
    "ST": "documents",
}  # by a reference's prefix
LONG_S = 3_600.0  # that a job may take that reads the whole database, or asks for days of lines


@dataclass
class Dependencies:
    """What stands around the program. The defaults are the real world."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=system_random)
    alarm: Alarm = field(default_factory=SchedulerAlarm)
    bank: httpx.AsyncClient | None = None  # for one app, and closed with it
    channels: Mapping[str, Channel] = field(default_factory=dict)
    pace: MessageRates | None = None  # None: as the settings say
    delivered: OnDelivered | None = None
    probe: Callable[[str], None] = lambda point: None
    threads: bool = True  # False: the database works on the event loop, the same every time
    memory: sqlite3.Connection | None = None  # the database, where it is not the file
    clock_check_every_s: float | None = 1.0  # how often, while nothing happens; None: never
    checks_database_file: bool = True  # whether the database's file is checked again and again


async def open_app(settings: Settings, dependencies: Dependencies, stack: AsyncExitStack) -> App:
    """Build everything on ``stack``, which closes the database and the bank's client.

    Raises ``flows.engine.check.InvalidFlow``, ``bot.security.keyring.KeysFault``,
    ``bot.security.lost_database.DatabaseLost``, ``bot.environment.network.NetworkFault``, and what
    ``Database.open`` raises. The caller starts and stops the app.
    """
    engine = Engine(all_flows(), Texts.load())
    check(engine.flows, engine.texts)
    if dependencies.memory is None:
        lost_database.check_not_lost(settings)
        sweep_leftovers(settings)
    database = await Database.open(
        settings.database,
        dependencies.clock.now,
        monotonic=dependencies.clock.monotonic,
        probe=dependencies.probe,
        threads=dependencies.threads,
        memory=dependencies.memory,
    )
    stack.push_async_callback(database.close)
    secret = settings.hazina_keys  # after the database: keys without one are what a desk leaves
    keys = open_keyring(None if secret is None else secret.get_secret_value(), settings.database)
    client = await stack.enter_async_context(
        bank_client(settings, read_network()) if dependencies.bank is None else dependencies.bank
    )
    clock = DatabaseClock(dependencies.clock, database.time)
    # Admins are known by their chat accounts; the terminal stands in where there is no other.
    chat = "telegram" if "telegram" in dependencies.channels else "terminal"
    admins = tuple((chat, address) for address in sorted(settings.admin_ids))
    gauges = DatabaseGauges(lambda: database.waiting, lambda: database.size_bytes)
    jobs = JobScheduler(clock, dependencies.alarm)
    context = AppContext(
        engine.texts,
        dependencies.random,
        keys,
        policy_of(settings),
        admins,
        gauges=gauges,
        jobs=jobs,
        metrics=Metrics(clock.monotonic),
        strangers=StrangerLimiter(settings.message_rate_overall, clock.monotonic),
    )
    sessions = SessionCache(engine.flows)
    notifier = Notifier(engine, sessions, context)
    pace = dependencies.pace or MessageRates(
        settings.message_rate_chat, settings.message_rate_overall
    )
    channels = {**carriers(settings, client, clock), **dependencies.channels}
    sender = OutboxSender(
        database, clock, channels, pace, keys, notifier.code_lost, dependencies.delivered
    )

    clock_watch = ClockWatch(database, clock, context, jobs, sender.push)
    database.stepped = clock_watch.stepped

    def wake(operation: str) -> None:
        jobs.wake(JOB_BY_REFERENCE_PREFIX.get(operation[:2], "topups"))

    collections = MeteredCollections(
        NcbaCollections(client, clock, ncba_credentials(settings)), context.metrics
    )
    topup_worker = TopUpWorker(
        database,
        collections,
        clock,
        dependencies.random,
        notifier,
        sender.push,
        partial(jobs.wake, "topups"),
    )
    seller = float_bank(settings, client, clock)
    float_side = MeteredFloatBank(seller, seller, context.metrics)
    float_worker = FloatPurchaseWorker(
        database,
        float_side,
        clock,
        notifier,
        sender.push,
        partial(jobs.wake, "purchases"),
    )
    payment_intake = PaymentIntake(database, dependencies.random, notifier, sender.push)
    document_worker = DocumentWorker(
        database,
        clock,
        engine,
        sessions,
        context,
        sender.push,
        partial(jobs.wake, "documents"),
        collections,
    )
    turns = Turns(database, engine, sessions, context, sender.push, wake, notifier.outcome)
    housekeeping = Housekeeping(database, clock, sessions, context.policy)
    jobs.add("topups", topup_worker.scan)
    jobs.add("purchases", float_worker.scan)
    jobs.add("documents", document_worker.scan)
    jobs.add("digest", DigestJob(database, clock, context, sender.push).scan)
    jobs.add("outbox", sender.scan)
    jobs.add("codes", housekeeping.expire_codes)
    jobs.add("approvals", ApprovalExpiryJob(database, clock, notifier, sender.push).scan)
    reconciliation = ReconciliationJob(
        database,
        clock,
        dependencies.random,
        notifier,
        sender.push,
        float_side,
        settings.reconcile_at,
    )
    if settings.sells_float:  # else there is no statement but in files
        jobs.add("reconciliation", reconciliation.scan, reconciliation.ask, limit_s=LONG_S)
    plan = BackupPlan(
        settings.database,
        backup_folder(settings),
        read_backup_keys(settings),
        settings.backup_at,
        settings.backups_kept,
    )
    backup = BackupJob(database, clock, context, sender.push, plan)
    jobs.add("backup", backup.scan, limit_s=LONG_S)
    jobs.add("broadcast", BroadcastJob(database, clock, sender.push).scan)
    jobs.add("stats", StatisticsJob(database, clock, context.board).scan, limit_s=LONG_S)
    heads = settings.audit_heads is AuditHeads.DAILY
    auditor = AuditCheckJob(database, clock, context, sender.push, heads=heads)
    jobs.add("audit", auditor.scan, limit_s=LONG_S)
    jobs.add("sessions", housekeeping.expire_sessions)
    jobs.add("cleanup", housekeeping.clean_up)
    file = None if dependencies.memory is not None else settings.database
    workers = {"topups": topup_worker, "purchases": float_worker, "documents": document_worker}
    return App(
        database,
        engine,
        turns,
        sender,
        sessions,
        notifier,
        topup_worker,
        float_worker,
        payment_intake,
        document_worker,
        reconciliation,
        RestoreReport(database, context, notifier, sender.push),
        jobs,
        context.bot_identity,
        context.metrics,
        clock_watch,
        dependencies.clock_check_every_s,
        FileWatch(database, file, clock)
        if file is not None and dependencies.checks_database_file
        else None,
        Readiness(database, file, clock, clock_watch, jobs, workers),
    )
