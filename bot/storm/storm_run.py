"""Runs the world of one seed from start until it is calm again."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

from bot.database import simulated_databases
from bot.simulation.event_loop import SimulatedLoop
from bot.simulation.ncba.handsets import Handset
from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.captured_log import captured_log
from bot.storm.dialling.phone_users import PhoneUsers
from bot.storm.faults import FaultInjector
from bot.storm.fingerprint import fingerprint
from bot.storm.honest_admins import HonestAdmins
from bot.storm.invariant_checker import InvariantChecker
from bot.storm.opening import ADMINS, draw_people, draw_settings
from bot.storm.paybill_traffic import PaybillTraffic
from bot.storm.payout_traffic import PayoutTraffic
from bot.storm.people import Actor
from bot.storm.story import Story, Tally
from bot.storm.systems.partner_systems import PartnerSystems
from bot.storm.systems.receivers import StormReceivers
from flows.engine.event import Event
from services.domain.database import DatabaseServer
from services.domain.outbox import OutboxRow
from services.ports import Tx
from services.ports.simulated_databases import SimulatedDatabase
from storage.raw import connection

ROUNDS = 8
PAUSE_S = 600.0  # mean time between steps
SECRETS_EVERY = 60  # steps
CALM_DAYS = 3  # after which nothing may be open
CALM_LOOKS = 8  # checks per day


class StormRun:
    """A world of ``hours`` with this many ``partners``. A seed always gives the same run."""

    def __init__(self, seed: int, hours: float, partners: int, database: SimulatedDatabase) -> None:
        self._hours = hours
        self._dice = random.Random(f"storm-{seed}")
        self._logged: list[str] = []
        # Their own dice, so that what people do does not follow from what systems, phones and
        # M-PESA do.
        system_dice, phone_dice = random.Random(f"{seed}:api"), random.Random(f"{seed}:ussd")
        payout_dice = random.Random(f"{seed}:payouts")
        receivers = StormReceivers(system_dice)
        self.world = World(
            database, seed=seed, delivered=self._delivered, threads=False, receivers=receivers
        )
        self.story = Story(seed, self.world.clock)
        self.watch = InvariantChecker(self.world)
        self.actors: dict[str, Actor] = {}
        self._codes = [f"P{n:02}" for n in range(partners)]
        self._faults = FaultInjector(self.world, self._dice, self.story)
        self._paybill = PaybillTraffic(self.world, self._dice, self.story, self.actors, self._codes)
        self._payouts = PayoutTraffic(self.world, payout_dice, self.story)
        self.systems = PartnerSystems(self.world, system_dice, self.story, receivers)
        self.phones = PhoneUsers(self.world, phone_dice, self.story, self.watch.shown_on_phone)
        self._looked_at = 0  # log lines already searched
        self._lately: deque[Event] = deque(maxlen=20)

    async def run(self) -> Tally:
        """Raises ``Violation`` after the first step that breaks an invariant."""
        with captured_log(self._logged, self.watch.errors):
            try:
                await self.begin()
                end = self.world.clock.true_now() + timedelta(hours=self._hours)
                while self.world.clock.true_now() < end:
                    await self._step()
                await self._calm()
            finally:
                self.systems.hang_up()
                self.phones.hang_up()
                await self.world.close()
        return self.story.tally

    # Setup ---------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Set up and open the world, before anything happens."""
        self.actors.update(draw_settings(self.world, self._dice))
        self.systems.draw_settings()
        floats = self._payouts.draw_opening(self._codes)
        await self.world.open()
        people = await self.world.app.database.write(lambda tx: draw_people(tx, self._dice, floats))
        self.actors.update(people)
        await self.world.settle()
        await self.systems.open(self._codes, people, self.read)
        await self.phones.open(people)

    def _delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        self.watch.delivered(row)
        actor = self.actors.get(row.address)
        if actor is not None and row.channel == "terminal":
            actor.shown(row, message_id)

    # Steps ---------------------------------------------------------------------------------------

    async def _step(self) -> None:
        dice = self._dice
        self.story.tally.steps += 1
        self._faults.arm()
        self._payouts.arm()
        await self._faults.set_clock()
        if dice.random() < 0.03:
            self.systems.hang_up()
            await self._faults.restart_or_crash()
        self._set_handsets()
        self._paybill.pay()
        for _ in range(dice.randint(1, ROUNDS)):
            await self._round()
        if dice.random() < 0.2:
            await self.repeat(self._lately)
            self.story.check(await self.phones.repeat())
        self._paybill.notify()
        await self._payouts.forge()
        await self.world.advance(dice.expovariate(1 / PAUSE_S))
        self.story.check(await self.watch.step())
        self.story.check(await self.systems.step())
        if self.story.tally.steps % SECRETS_EVERY == 0:
            self.story.check(self.watch.secrets(self._logged[self._looked_at :], self._secrets))
            self._looked_at = len(self._logged)

    async def _round(self) -> None:
        """Some people act at the same moment, and see the results before the next round."""
        dice = self._dice
        who = list(self.actors.values())
        acting = dice.sample(who, k=dice.randint(len(who) // 3, len(who)))
        events = [actor.act(dice, self.read) for actor in acting]
        guessing = {actor.address for actor in acting if actor.guessed}
        before = await self._authorised_by(guessing)
        for event in events:
            self.story.tally.turns += 1
            self._lately.append(event)
            self.story.note(f"{event.address} {event.kind} {event.text or event.option}")
            self.world.submit(event)
        self.systems.send()
        self.phones.send()
        await self.world.settle()
        self.story.check(self.systems.hear())
        self.story.check(await self.phones.hear())
        for reference in await self._authorised_by(guessing) - before:
            self.story.check(
                [BrokenInvariant("code", f"{reference} was authorised by a wrong code")]
            )

    @property
    def _secrets(self) -> list[str]:
        return [*self.systems.secrets, *self.phones.secrets]

    def read(self, actor: Actor) -> list[str]:
        """The latest SMS and mail; a code is sent by both."""
        mails = self.world.mail.mails.get(actor.mail or "", ())
        texts = self.world.sms.texts.get(actor.phone, ())
        return [*texts[-3:], *(mail.text for mail in mails[-3:])]

    async def _authorised_by(self, addresses: set[str]) -> set[str]:
        """References of purchases and payouts that these people approved with a code."""

        def look(tx: Tx) -> set[str]:
            rows = connection(tx).execute(
                "SELECT reference, address FROM purchases WHERE authorised_at IS NOT NULL"
                " UNION ALL SELECT reference, address FROM disbursements"
                " WHERE authorised_at IS NOT NULL"
            )
            return {reference for reference, address in rows if address in addresses}

        return await self.world.app.database.read(look) if addresses else set()

    async def repeat(self, events: Sequence[Event]) -> None:
        """Deliver acknowledged events again in another order; nothing may change."""
        again = list(events)
        self._dice.shuffle(again)
        self.story.note(f"{len(again)} events come again")
        lives = -1
        # A restarted product first does what is due, so compare only across a run without a crash.
        while lives != self.world.crash_count:
            lives = self.world.crash_count
            before = await self.world.app.database.read(fingerprint)
            for event in again:
                self.world.submit(event)
            await self.world.settle()
            after = await self.world.app.database.read(fingerprint)
        self.story.tally.turns += len(again)
        self.story.tally.faults["repeated"] += len(again)
        if before != after:
            words = f"repeated events changed {before} into {after}"
            self.story.check([BrokenInvariant("replay", words)])

    def _set_handsets(self) -> None:
        """Set what some people will do with the prompt on their phone, or the next one."""
        dice = self._dice
        everybody = [actor for actor in self.actors.values() if not actor.is_admin]
        for actor in dice.sample(everybody, k=max(1, len(everybody) * 2 // 3)):
            does = dice.choices(list(Handset), weights=(10, 2, 1, 1, 6, 1))[0]
            self.world.bank.set_handset(actor.phone, does)

    # Calm ----------------------------------------------------------------------------------------

    async def _calm(self) -> None:
        """Stop all faults. Open operations settle, or honest admins settle them."""
        world = self.world
        world.bank.disarm()
        self._payouts.calm()
        world.sms.fault = None
        world.terminal.clear_failures()
        world.armed_crashes.clear()
        self.story.note("calm")
        await world.settle()
        await world.set_clock((world.clock.true_now() - world.clock.now()).total_seconds())
        self.story.check(await self.systems.calm())
        admins = HonestAdmins(
            world, self.story.tally, *(self.actors[address] for address in ADMINS)
        )
        for _ in range(CALM_DAYS):
            self._paybill.notify_all()
            for _ in range(CALM_LOOKS):  # one change between two checks could hide another
                await admins.resume_payouts()
                await world.advance(86_400 / CALM_LOOKS)
                self.story.check(await self.watch.step())
                self.story.check(await self.systems.compare())
            await world.run_job("reconciliation")
            await admins.settle_open()
            self.story.check(await self.watch.step())
        self.story.check(await self.systems.end())
        self.story.tally.operations = await world.app.database.read(_operations)
        self.story.check(await self.watch.end(self._logged, self._secrets))


def _operations(tx: Tx) -> int:
    return int(connection(tx).execute("SELECT count(*) FROM wallet_transactions").fetchone()[0])


async def run(
    seed: int, hours: float, partners: int, server: DatabaseServer | None = None
) -> Tally:
    """In a database on ``server``, or else in memory. Raises ``Violation``."""
    if server is None:
        database = simulated_databases.in_memory()
    else:
        database = simulated_databases.on_server(server)
    with closing(database):
        return await StormRun(seed, hours, partners, database).run()


def run_in_new_loop(
    seed: int, hours: float, partners: int, server: DatabaseServer | None = None
) -> Tally:
    """``run`` in its own event loop. Raises ``Violation``."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(run(seed, hours, partners, server))
