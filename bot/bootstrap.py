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
from bot.clock import DeskClock, SystemClock, system_random
from bot.context import Desk, Gauges
from bot.environment.network import read_network
from bot.jobs.approvals import Unanswered
from bot.jobs.audit import Auditor
from bot.jobs.backup import BackupJob, Plan
from bot.jobs.broadcast import Broadcaster
from bot.jobs.clock_watch import ClockWatch
from bot.jobs.digest import Digest
from bot.jobs.file_watch import FileWatch
from bot.jobs.housekeeping import Housekeeping
from bot.jobs.reconciliation import Reconciler
from bot.jobs.restored import Restored
from bot.jobs.scheduler import Alarm, Jobs, SchedulerAlarm
from bot.jobs.statistics import Statistician
from bot.notify.notify import Tell
from bot.observe.metrics import Vitals, WatchedCollections, WatchedFloat
from bot.outbox.attempt import Delivered
from bot.outbox.channel import Channel
from bot.outbox.pacing import Pace
from bot.outbox.sender import Deliverer
from bot.readiness import Readiness
from bot.runtime.strangers import Strangers
from bot.security import lost_database
from bot.security.backup import folder_of, keys_of, sweep_leftovers
from bot.security.keyring import open_keys
from bot.settings import AuditHeads, Settings
from bot.turns.sessions import Conversations
from bot.turns.turn import Turns
from bot.workers.documents import Clerk
from bot.workers.float_purchases import Buyer
from bot.workers.payments import Cashier
from bot.workers.topups import Collector
from flows.catalogue import all_flows
from flows.engine.check import check
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services.gateways.ncba.collections import NcbaCollections
from services.ports import Clock, Random
from storage.sqlite.database import Database

WORKERS = {"TU": "topups", "FL": "purchases", "ST": "documents"}  # by a reference's prefix
LONG_S = 3_600.0  # that a job may take that reads the whole database, or asks for days of lines


@dataclass
class Outside:
    """What stands around the program. The defaults are the real world."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=system_random)
    alarm: Alarm = field(default_factory=SchedulerAlarm)
    bank: httpx.AsyncClient | None = None  # for one app, and closed with it
    channels: Mapping[str, Channel] = field(default_factory=dict)
    pace: Pace | None = None  # None: as the settings say
    delivered: Delivered | None = None
    probe: Callable[[str], None] = lambda point: None
    threads: bool = True  # False: the database works on the event loop, the same every time
    memory: sqlite3.Connection | None = None  # the database, where it is not the file
    look_at_clock_s: float | None = 1.0  # how often, while nothing happens; None: never
    reads_file: bool = True  # whether the database's file is checked again and again


async def open_app(settings: Settings, outside: Outside, stack: AsyncExitStack) -> App:
    """Build everything on ``stack``, which closes the database and the bank's client.

    Raises ``flows.engine.check.FlowFault``, ``bot.security.keyring.KeysFault``,
    ``bot.security.lost_database.DatabaseLost``, ``bot.environment.network.NetworkFault``, and what
    ``Database.open`` raises. The caller starts and stops the app.
    """
    engine = Engine(all_flows(), Texts.load())
    check(engine.flows, engine.texts)
    if outside.memory is None:
        lost_database.look(settings)
        sweep_leftovers(settings)
    database = await Database.open(
        settings.database,
        outside.clock.now,
        monotonic=outside.clock.monotonic,
        probe=outside.probe,
        threads=outside.threads,
        memory=outside.memory,
    )
    stack.push_async_callback(database.close)
    secret = settings.hazina_keys  # after the database: keys without one are what a desk leaves
    keys = open_keys(None if secret is None else secret.get_secret_value(), settings.database)
    client = await stack.enter_async_context(
        bank_client(settings, read_network()) if outside.bank is None else outside.bank
    )
    clock = DeskClock(outside.clock, database.time)
    # Admins are known by their chat accounts; the terminal stands in where there is no other.
    chat = "telegram" if "telegram" in outside.channels else "terminal"
    admins = tuple((chat, address) for address in sorted(settings.admin_ids))
    gauges = Gauges(lambda: database.waiting, lambda: database.size_bytes)
    jobs = Jobs(clock, outside.alarm)
    desk = Desk(
        engine.texts,
        outside.random,
        keys,
        policy_of(settings),
        admins,
        gauges=gauges,
        jobs=jobs,
        vitals=Vitals(clock.monotonic),
        strangers=Strangers(settings.message_rate_overall, clock.monotonic),
    )
    conversations = Conversations(engine.flows)
    tell = Tell(engine, conversations, desk)
    pace = outside.pace or Pace(settings.message_rate_chat, settings.message_rate_overall)
    channels = {**carriers(settings, client, clock), **outside.channels}
    deliverer = Deliverer(database, clock, channels, pace, keys, tell.code_lost, outside.delivered)

    clock_watch = ClockWatch(database, clock, desk, jobs, deliverer.push)
    database.stepped = clock_watch.stepped

    def wake(operation: str) -> None:
        jobs.wake(WORKERS.get(operation[:2], "topups"))

    collections = WatchedCollections(
        NcbaCollections(client, clock, ncba_credentials(settings)), desk.vitals
    )
    collector = Collector(
        database,
        collections,
        clock,
        outside.random,
        tell,
        deliverer.push,
        partial(jobs.wake, "topups"),
    )
    seller = float_bank(settings, client, clock)
    float_side = WatchedFloat(seller, seller, desk.vitals)
    buyer = Buyer(
        database,
        float_side,
        clock,
        tell,
        deliverer.push,
        partial(jobs.wake, "purchases"),
    )
    cashier = Cashier(database, outside.random, tell, deliverer.push)
    clerk = Clerk(
        database,
        clock,
        engine,
        conversations,
        desk,
        deliverer.push,
        partial(jobs.wake, "documents"),
        collections,
    )
    turns = Turns(database, engine, conversations, desk, deliverer.push, wake, tell.outcome)
    housekeeping = Housekeeping(database, clock, conversations, desk.policy)
    jobs.add("topups", collector.scan)
    jobs.add("purchases", buyer.scan)
    jobs.add("documents", clerk.scan)
    jobs.add("digest", Digest(database, clock, desk, deliverer.push).scan)
    jobs.add("outbox", deliverer.scan)
    jobs.add("codes", housekeeping.expire_codes)
    jobs.add("approvals", Unanswered(database, clock, tell, deliverer.push).scan)
    reconciler = Reconciler(
        database,
        clock,
        outside.random,
        tell,
        deliverer.push,
        float_side,
        settings.reconcile_at,
    )
    if settings.sells_float:  # else there is no statement but in files
        jobs.add("reconciliation", reconciler.scan, reconciler.ask, limit_s=LONG_S)
    plan = Plan(
        settings.database,
        folder_of(settings),
        keys_of(settings),
        settings.backup_at,
        settings.backups_kept,
    )
    backup = BackupJob(database, clock, desk, deliverer.push, plan)
    jobs.add("backup", backup.scan, limit_s=LONG_S)
    jobs.add("broadcast", Broadcaster(database, clock, deliverer.push).scan)
    jobs.add("stats", Statistician(database, clock, desk.board).scan, limit_s=LONG_S)
    heads = settings.audit_heads is AuditHeads.DAILY
    auditor = Auditor(database, clock, desk, deliverer.push, heads=heads)
    jobs.add("audit", auditor.scan, limit_s=LONG_S)
    jobs.add("sessions", housekeeping.expire_sessions)
    jobs.add("cleanup", housekeeping.clean_up)
    file = None if outside.memory is not None else settings.database
    workers = {"topups": collector, "purchases": buyer, "documents": clerk}
    return App(
        database,
        engine,
        turns,
        deliverer,
        conversations,
        tell,
        collector,
        buyer,
        cashier,
        clerk,
        reconciler,
        Restored(database, desk, tell, deliverer.push),
        jobs,
        desk.links,
        desk.vitals,
        clock_watch,
        outside.look_at_clock_s,
        FileWatch(database, file, clock) if file is not None and outside.reads_file else None,
        Readiness(database, file, clock, clock_watch, jobs, workers),
    )
