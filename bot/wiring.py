"""The one place where everything is joined: the real program, the simulator and the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx

from bot.channel import Channel
from bot.clock import SystemClock, system_random
from bot.collector import QUERIES_MAX, SENDS_MAX, Collector
from bot.deliver import Delivered, Deliverer, Pace
from bot.housekeeping import Housekeeping
from bot.jobs import Alarm, Jobs, SchedulerAlarm
from bot.settings import Settings
from bot.tell import Tell
from bot.turns import Decided, Turns
from flows.catalogue import all_flows
from flows.check import check
from flows.engine import Engine
from flows.event import Event
from flows.words import Texts
from services.gateways.ncba import NcbaCollections, NcbaCredentials
from services.ports import Clock, Random
from storage.database import LINGER_S, Database


@dataclass
class Outside:
    """What stands around the program. The defaults are the real world."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=system_random)
    alarm: Alarm = field(default_factory=SchedulerAlarm)
    bank_transport: httpx.AsyncBaseTransport | None = None
    channels: Mapping[str, Channel] = field(default_factory=dict)
    pace: Pace | None = None  # None: as the settings say
    delivered: Delivered | None = None
    probe: Callable[[str], None] = lambda point: None
    linger_s: float = LINGER_S  # real time, which a simulation need not spend


class App:
    """The running program without its edges. Built by ``open_app`` only."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        turns: Turns,
        deliverer: Deliverer,
        collector: Collector,
        jobs: Jobs,
    ) -> None:
        self.database = database
        self.engine = engine
        self.jobs = jobs
        self._turns = turns
        self._deliverer = deliverer
        self._collector = collector

    async def handle(self, event: Event) -> Decided:
        """See ``Turns.handle``: committed when it returns."""
        return await self._turns.handle(event)

    async def start(self) -> None:
        await self._collector.recover()
        self.jobs.start()

    async def stop(self, grace_s: float) -> None:
        """Claim no more, give money calls ``grace_s`` seconds, note what is unknown."""
        await self.jobs.stop()
        await self._collector.stop(grace_s)
        await self._deliverer.stop()

    def drop(self) -> None:
        """Drop everything where it stands, as a kill would. For simulated crashes."""
        self.database.kill()
        self.jobs.drop()
        self._collector.drop()
        self._deliverer.drop()


BANK_CONNECTIONS = SENDS_MAX + QUERIES_MAX + 1  # each call its own, and one for the token
MONEY_CALL_S = 25.0  # longer than a money call's own limit of 20 s (facts: NCBA 4)


async def open_app(settings: Settings, outside: Outside, stack: AsyncExitStack) -> App:
    """Build everything on ``stack``, which closes the database and the bank's client.

    Raises ``flows.check.FlowFault``, ``storage.migrate.MigrationError``,
    ``storage.database.DatabaseInUse``. The caller starts and stops the app.
    """
    engine = Engine(all_flows(), Texts.load())
    check(engine.flows, engine.texts)
    database = await Database.open(
        settings.database, outside.clock.now, probe=outside.probe, linger_s=outside.linger_s
    )
    stack.push_async_callback(database.close)
    client = await stack.enter_async_context(
        httpx.AsyncClient(
            transport=outside.bank_transport,
            limits=httpx.Limits(max_connections=BANK_CONNECTIONS, max_keepalive_connections=64),
        )
    )
    collections = NcbaCollections(client, outside.clock, ncba_credentials(settings))
    pace = outside.pace or Pace(settings.message_rate_chat, settings.message_rate_overall)
    jobs = Jobs(outside.clock, outside.alarm)
    deliverer = Deliverer(database, outside.clock, outside.channels, pace, outside.delivered)

    def wake() -> None:
        jobs.wake("topups")

    collector = Collector(
        database,
        collections,
        outside.clock,
        outside.random,
        Tell(engine, outside.random),
        deliverer.push,
        wake,
    )
    turns = Turns(database, engine, outside.random, settings.admin_ids, deliverer.push, wake)
    housekeeping = Housekeeping(database, outside.clock, engine.flows)
    jobs.add("topups", collector.scan)
    jobs.add("outbox", deliverer.scan)
    jobs.add("sessions", housekeeping.expire_sessions)
    jobs.add("cleanup", housekeeping.clean_up)
    return App(database, engine, turns, deliverer, collector, jobs)


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
        user_agent=settings.ncba_user_agent,
    )
