"""The one place where everything is joined: the real program, the simulator and the tests."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

import httpx
import structlog

from bot.clock import DeskClock, SystemClock, system_random
from bot.context import Desk, Gauges, Links
from bot.environment.network import Network, read_network
from bot.http.readiness import Readiness
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
from bot.outbox.carriers import MAIL, SMS, MailChannel, SmsChannel
from bot.outbox.channel import Channel
from bot.outbox.pacing import Pace
from bot.outbox.sender import Deliverer
from bot.security import lost_database
from bot.security.backup import folder_of, keys_of, sweep_leftovers
from bot.security.keyring import open_keys
from bot.settings import AuditHeads, Settings
from bot.turns.sessions import Conversations
from bot.turns.strangers import Strangers
from bot.turns.turn import Decided, Turns
from bot.workers.documents import Clerk
from bot.workers.float_purchases import QUESTIONS_MAX, Buyer
from bot.workers.float_purchases import SENDS_MAX as PURCHASES_MAX
from bot.workers.payments import Cashier
from bot.workers.topups import QUERIES_MAX, SENDS_MAX, Collector
from flows.catalogue import all_flows
from flows.engine.check import check
from flows.engine.engine import Engine
from flows.engine.event import Event
from flows.engine.texts import Texts
from services.domain.bank import (
    FloatAnswer,
    FloatOrder,
    NoAnswer,
    NotSent,
    Ready,
    StatusAnswer,
)
from services.domain.message import DeliveryReport
from services.domain.money import Money
from services.domain.payment import Notification
from services.domain.reconciliation import BankLine
from services.gateways.ncba.collections import NcbaCollections, NcbaCredentials
from services.gateways.openbanking.credentials import OpenBankingCredentials
from services.gateways.openbanking.float_bank import OpenBankingFloat
from services.gateways.sms.africas_talking import AfricasTalkingCredentials, AfricasTalkingSms
from services.gateways.smtp import SmtpCredentials, SmtpMailer
from services.policy import ByHand, Policy
from services.ports import Clock, Random
from storage.sqlite.database import Database, DatabaseUnavailable
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx


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


class App:
    """The running program without its edges. Built by ``open_app`` only."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        turns: Turns,
        deliverer: Deliverer,
        conversations: Conversations,
        tell: Tell,
        collector: Collector,
        buyer: Buyer,
        cashier: Cashier,
        clerk: Clerk,
        reconciler: Reconciler,
        restored: Restored,
        jobs: Jobs,
        links: Links,
        vitals: Vitals,
        clock_watch: ClockWatch,
        look_at_clock_s: float | None,
        file_watch: FileWatch | None,
        readiness: Readiness,
    ) -> None:
        self.database = database
        self.engine = engine
        self.conversations = conversations
        self.jobs = jobs
        self.links = links
        self.reconciler = reconciler
        self.vitals = vitals
        self._clock_watch = clock_watch
        self._look_at_clock_s = look_at_clock_s
        self._file_watch = file_watch
        self.readiness = readiness
        self._turns = turns
        self._deliverer = deliverer
        self._tell = tell
        self._collector = collector
        self._buyer = buyer
        self._cashier = cashier
        self._clerk = clerk
        self._restored = restored

    @property
    def in_flight(self) -> int:
        """Work that is with a thread: a simulation's clock stands still for it."""
        return self.database.in_flight + self._clerk.threads

    async def handle(self, event: Event) -> Decided:
        """See ``Turns.handle``: committed when it returns. Waits while answers pile up."""
        await self._deliverer.room(event.channel)
        return await self._turns.handle(event)

    async def hold_back(self) -> None:
        """Send nothing any more; what is queued stays queued."""
        await self._deliverer.stop()

    async def notified(self, notification: Notification) -> bool:
        """See ``Cashier.notified``: committed when it returns."""
        return await self._cashier.notified(notification)

    async def reported(self, channel: str, report: DeliveryReport) -> None:
        """Take in what a carrier says of a message; committed when it returns."""
        delivered = report.delivered
        if delivered is None:
            return

        def take(tx: SqliteTx) -> Sequence[OutboxRow]:
            otp = tx.outbox.reported(channel, report.message_id, delivered)
            return () if otp is None or delivered else self._tell.code_lost(tx, otp)

        self._deliverer.push(await self.database.write(take))

    async def start(self) -> None:
        await self._restored.tell()
        await self._collector.recover()
        await self._buyer.recover()
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
            self._collector.stop(grace_s), self._buyer.stop(grace_s), self._clerk.stop(0)
        )
        await self._deliverer.stop()
        try:
            await self.database.write(_touch)
        except DatabaseUnavailable:
            _log.warning("stopped without noting the time", exc_info=True)

    def drop(self) -> None:
        """Drop everything where it stands, as a kill would. For simulated crashes."""
        self.database.kill()
        self._stop_watching()
        self.jobs.drop()
        self._collector.drop()
        self._buyer.drop()
        self._clerk.drop()
        self._deliverer.drop()

    def _stop_watching(self) -> None:
        self._clock_watch.stop()
        self.readiness.stop()
        if self._file_watch is not None:
            self._file_watch.stop()


def _touch(tx: SqliteTx) -> None:
    """A commit with nothing in it but its moment."""


_log = structlog.get_logger(__name__)

WORKERS = {"TU": "topups", "FL": "purchases", "ST": "documents"}  # by a reference's prefix
# Each call its own connection, and one for each token.
BANK_CONNECTIONS = SENDS_MAX + QUERIES_MAX + PURCHASES_MAX + QUESTIONS_MAX + 2
LONG_S = 3_600.0  # that a job may take that reads the whole database, or asks for days of lines
# Longer than a money call's own limits: 60 s, and where the bank refused the token, 20 s for
# another and 60 s more (facts: NCBA 4).
MONEY_CALL_S = 145.0


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


def policy_of(settings: Settings) -> Policy:
    above = settings.topup_code_above
    return Policy(
        short_code=settings.b2c_short_code if settings.sells_float else None,
        topup_code_above=None if above is None else Money(above * 100),
        prompts_own=settings.prompts_per_phone_hour,
        prompts_other=settings.prompts_other_phone_hour,
        phone_freeze=timedelta(hours=settings.phone_freeze_hours),
        otp_kept=timedelta(days=settings.otp_kept_days),
        flood_turns=settings.flood_turns,
        flood_window=timedelta(seconds=settings.flood_window_s),
        by_hand=by_hand_of(settings),
        admin_alerts=settings.admin_alerts,
    )


def by_hand_of(settings: Settings) -> ByHand | None:
    """Only a bank that tells of payments can settle one that nobody is prompted for."""
    if not settings.hears_of_payments:
        return None
    account = settings.ncba_account_ref_template.replace(
        "{account}", settings.ncba_account_number or ""
    )
    return ByHand(settings.ncba_paybill_no, account, settings.ncba_till is not None)


def bank_client(settings: Settings, network: Network) -> httpx.AsyncClient:
    """For the bank, and for who carries SMS. Raises ``bot.environment.network.NetworkFault``."""
    limits = httpx.Limits(max_connections=BANK_CONNECTIONS, max_keepalive_connections=64)
    urls = [url for name, url in settings.addresses.items() if name != "TELEGRAM_BASE_URL"]
    return network.client(urls, limits)


def carriers(settings: Settings, client: httpx.AsyncClient, clock: Clock) -> dict[str, Channel]:
    """SMS and mail as the settings name them; none of what they leave out."""
    found: dict[str, Channel] = {}
    key = settings.africas_talking_api_key
    if settings.africas_talking_username and key is not None:
        credentials = AfricasTalkingCredentials(
            username=settings.africas_talking_username,
            api_key=key.get_secret_value(),
            base_url=settings.africas_talking_base_url,
            sender_id=settings.africas_talking_sender_id,
        )
        found[SMS] = SmsChannel(AfricasTalkingSms(client, clock, credentials))
    if settings.smtp_host and settings.smtp_from:
        password = settings.smtp_password
        found[MAIL] = MailChannel(
            SmtpMailer(
                clock,
                SmtpCredentials(
                    host=settings.smtp_host,
                    port=settings.smtp_port,
                    sender=settings.smtp_from,
                    username=settings.smtp_username,
                    password=None if password is None else password.get_secret_value(),
                    starttls=settings.smtp_starttls,
                ),
            )
        )
    return found


class NoFloatBank:
    """A desk that sells no float has nothing to ask a bank; what is open from before waits."""

    async def prepare(self) -> Ready | NotSent:
        return NotSent("Open Banking is not set up")

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        raise AssertionError("nothing is bought without a token")

    async def status(self, reference: str) -> StatusAnswer:
        return NoAnswer("Open Banking is not set up")

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        return NoAnswer("Open Banking is not set up")


def float_bank(
    settings: Settings, client: httpx.AsyncClient, clock: Clock
) -> OpenBankingFloat | NoFloatBank:
    if not settings.sells_float:
        return NoFloatBank()
    assert settings.openbanking_base_url is not None
    assert settings.openbanking_subscription_key is not None
    assert settings.openbanking_user_id is not None
    assert settings.openbanking_password is not None
    credentials = OpenBankingCredentials(
        base_url=settings.openbanking_base_url,
        subscription_key=settings.openbanking_subscription_key.get_secret_value(),
        user_id=settings.openbanking_user_id,
        password=settings.openbanking_password.get_secret_value(),
        debit_account=settings.ncba_account_number or "",
        agent_name=settings.openbanking_agent_name,
        user_agent=settings.ncba_user_agent,
        success_codes=settings.openbanking_success_codes,
        refusal_codes=settings.openbanking_refusal_codes,
        accepted_codes=settings.openbanking_accepted_codes,
        bought_codes=settings.openbanking_bought_codes,
        failed_codes=settings.openbanking_failed_codes,
    )
    return OpenBankingFloat(client, clock, credentials)


def ncba_credentials(settings: Settings) -> NcbaCredentials:
    """What NCBA's gateway is told of the settings."""
    password = settings.ncba_password
    return NcbaCredentials(
        base_url=settings.ncba_base_url,
        username=settings.ncba_username or "",
        password="" if password is None else password.get_secret_value(),
        paybill_no=settings.ncba_paybill_no,
        account_number=settings.ncba_account_number or "",
        account_ref_template=settings.ncba_account_ref_template,
        till=settings.ncba_till,
        user_agent=settings.ncba_user_agent,
    )
