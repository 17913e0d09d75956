"""One seed's world, from its first moment until it is calm again."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from bot.jobs.clock_watch import STEPPED
from bot.simulation.event_loop import SimulatedLoop
from bot.simulation.inboxes import CARRIER_FAULTS
from bot.simulation.log_capture import full_log
from bot.simulation.ncba.collections_api import AcceptedAccounts
from bot.simulation.ncba.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from bot.simulation.prompt_matching import match_prompts
from bot.simulation.stage import add_partner
from bot.simulation.world import CrashPointName, World
from bot.storm.invariant_checker import BrokenInvariant, InvariantChecker
from bot.storm.notification_traffic import NotificationTraffic
from bot.storm.people import ADMIN_COMMANDS, AMOUNTS, LIMIT_COMMANDS, Actor
from flows.engine.event import Event
from services.domain.fees import Fee, FeeKind
from services.domain.float_purchase import PurchaseState
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.payment import PaymentState
from services.domain.phone import Phone
from services.domain.topup import TopUpState
from services.gateways.openbanking.purchase_wire import bank_reference
from storage.sqlite.empty_database import in_memory
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

ROUNDS = 8
PAUSE_S = 600.0  # between steps, on average
SECRETS_EVERY = 60  # steps
REMEMBERED = 60  # things that happened, told when an invariant is broken
CLOCK_STEPS = (-259_200, -86_400, -10_800, -120, -5, -4, 4, 30, 600, 10_800, 86_400, 259_200)
CALM_DAYS = 3  # after which nothing may be open
CALM_LOOKS = 8  # a day
STRANGER = "254733000001"
ADMINS = ("a1", "a2")
FAULTS_BY_CALL = {
    "token": ("refuse Invalid credentials", "http 500", "html", "timeout-before", "slow 3s"),
    "initiate": (
        "refuse The balance is insufficient for the transaction",
        "http 500",
        "http 401",
        "html",
        "garbage",
        "timeout-before",
        "timeout-after",
        "timeout-after",
        "refuse Request timeout",
        "refuse-after Duplicate request",
        "refuse-after System internal error.",
        "token-gone",
        "slow 15s",
        "slow 25s",
    ),
    "query": (
        "http 500",
        "html",
        "garbage",
        "timeout-before",
        "slow 25s",
        "says-failed Unknown",
        "says-failed Request rejected: too many queries",
        "says-failed Transaction cancelled due to timeout",
        "contradicts",
        "token-gone",
    ),
    "float": (
        "http 500",
        "html",
        "garbage",
        "timeout-before",
        "timeout-after",
        "timeout-after",
        "refuse Upstream request timeout",
        "refuse-after Duplicate transaction reference",
        "duplicate",
        "only-accepted",
        "only-accepted settles 20m",
        "only-accepted settles 5h",
        "only-accepted fails 3h",
        "only-accepted never",
        "bounces",
        "token-gone",
        "slow 40s",
        "slow 100s",
        "slow 300s",
    ),
    "status": ("http 500", "html", "timeout-before", "slow 30s", "contradicts", "token-gone"),
    "qr": ("refuse No such till", "http 500", "timeout-before"),
}
# What a call meets for minutes or hours on end; the status query's own is as it was seen.
OUTAGES = {
    "initiate": ("refuse Invalid AccountNo: wrong format", "http 500", "timeout-before"),
    "query": ("http 500", "timeout-before"),
    "float": ("http 500", "html"),
    "status": ("http 500", "http 500", "html"),
}
OUTAGES_S = (1_200, 7_200, 21_600)
CRASH_POINTS: tuple[tuple[CrashPointName, str | None], ...] = (
    ("commit", None),
    ("after-commit", None),
    *(("before-call", call) for call in FAULTS_BY_CALL),
    *(("after-call", call) for call in FAULTS_BY_CALL),
)


@dataclass
class Tally:
    """What a storm was made of."""

    turns: int = 0  # those that came again among them
    steps: int = 0
    operations: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class Violation(Exception):
    """An invariant does not hold: the seed, the first step where it was seen, what led there."""

    def __init__(
        self, seed: int, step: int, broken: list[BrokenInvariant], story: list[str]
    ) -> None:
        super().__init__(seed, step, broken, story)  # all of it, so that it can cross processes
        self.seed = seed
        self.step = step
        self.broken = broken
        self.story = story

    def __str__(self) -> str:
        first = self.broken[0]
        return f"seed {self.seed}, step {self.step}: {first.invariant}: {first.words}"


class StormRun:
    """``hours`` of a world with so many ``partners``; the same for a seed whenever it is told."""

    def __init__(self, seed: int, hours: float, partners: int, memory: sqlite3.Connection) -> None:
        self.tally = Tally()
        self._seed = seed
        self._hours = hours
        self._dice = random.Random(f"storm-{seed}")
        self._logged: list[str] = []
        self.world = World(memory, seed=seed, delivered=self._delivered, threads=False)
        self.watch = InvariantChecker(self.world)
        self.actors: dict[str, Actor] = {}
        self._codes = [f"P{n:02}" for n in range(partners)]
        self._notices = NotificationTraffic(self.world, self._dice, self._heard_of)
        self._looked_at = 0  # lines of the log
        self._lately: deque[Event] = deque(maxlen=20)
        self._happened: deque[tuple[datetime, str]] = deque(maxlen=REMEMBERED)

    async def run(self) -> Tally:
        """Raises ``Violation`` at the first step after which something does not hold."""
        with captured_log(self._logged, self.watch.errors):
            try:
                await self.begin()
                end = self.world.clock.true_now() + timedelta(hours=self._hours)
                while self.world.clock.true_now() < end:
                    await self._step()
                await self._calm()
            finally:
                await self.world.close()
        return self.tally

    # The world -----------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Everybody is there, and nothing has happened yet."""
        self._settings()
        await self.world.open()
        await self.world.app.database.write(self._people)
        await self.world.settle()

    def _settings(self) -> None:
        dice = self._dice
        changes: dict[str, object] = {"admin_ids": frozenset(ADMINS)}
        if dice.random() < 0.3:
            changes["topup_code_above"] = 1_500
        if dice.random() < 0.2:  # a product whose prompts carry no reference of ours
            self.world.bank.accept_accounts(AcceptedAccounts.REGISTERED)
            changes["ncba_account_ref_template"] = "{account}"
        self.world.settings = self.world.settings.model_copy(update=changes)
        if dice.random() < 0.5:  # a third of the statement's lines does not say who has paid
            self.world.bank.statements.names_payer = lambda receipt: crc32(receipt.encode()) % 3 > 0
        if dice.random() < 0.5:  # some payments have a charge of their own, some come in twice
            statements = self.world.bank.statements
            statements.is_charged = lambda receipt: crc32(receipt.encode()) % 5 == 0
            statements.is_credited_twice = lambda receipt: crc32(receipt.encode()) % 7 == 0
        commands = (*ADMIN_COMMANDS, *LIMIT_COMMANDS) if dice.random() < 0.2 else ADMIN_COMMANDS
        for address in ADMINS:
            self.actors[address] = Actor(address, STRANGER, is_admin=True, commands=commands)

    def _people(self, tx: SqliteTx) -> None:
        dice = self._dice
        for n, code in enumerate(self._codes):
            above = 500_000 if dice.random() < 0.2 else None
            partner = Partner(code, low_balance_cents=100_000, approve_above_cents=above)
            wallet = Money(dice.choice((0, 1_500_000, 4_000_000)))
            add_partner(tx, partner, wallet, Money(0))
            if dice.random() < 0.7:
                tx.fees.set(code, Fee(FeeKind.TRANSFER, fixed=Money(2_500)), "storm")
                tx.fees.set(code, Fee(FeeKind.PROCESSING, ppm=5_000), "storm")
            for k, role in enumerate((Role.OWNER, Role.OPERATOR, Role.VIEWER)):
                number = n * 10 + k
                phone = f"2547100{number:05}"
                mail = f"p{number}@storm.example" if dice.random() < 0.5 else None
                person = tx.people.add_person(code, f"p{number}", role, Phone(phone), mail, "en")
                address = f"p{number}"  # six digits would be somebody's code one day
                tx.people.link("terminal", address, person)
                self.actors[address] = Actor(address, phone, mail=mail)

    def _delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        self.watch.delivered(row)
        actor = self.actors.get(row.address)
        if actor is not None and row.channel == "terminal":
            actor.shown(row, message_id)

    # A step --------------------------------------------------------------------------------------

    async def _step(self) -> None:
        dice = self._dice
        self.tally.steps += 1
        self._trouble()
        await self._clock()
        if dice.random() < 0.03:
            await self._life()
        self._phones()
        self._payments()
        for _ in range(dice.randint(1, ROUNDS)):
            await self._round()
        if dice.random() < 0.2:
            await self.repeat(self._lately)
        self._tell_of_payments()
        await self.world.advance(dice.expovariate(1 / PAUSE_S))
        await self._check(await self.watch.step())
        if self.tally.steps % SECRETS_EVERY == 0:
            await self._check(self.watch.secrets(self._logged[self._looked_at :]))
            self._looked_at = len(self._logged)

    async def _round(self) -> None:
        """Some do something at the same moment, and see what came of it before the next round."""
        dice = self._dice
        who = list(self.actors.values())
        acting = dice.sample(who, k=dice.randint(len(who) // 3, len(who)))
        events = [actor.act(dice, self.read) for actor in acting]
        guessing = {actor.address for actor in acting if actor.guessed}
        before = await self._authorised_by(guessing)
        for event in events:
            self.tally.turns += 1
            self._lately.append(event)
            self._note(f"{event.address} {event.kind} {event.text or event.option}")
            self.world.submit(event)
        await self.world.settle()
        for reference in await self._authorised_by(guessing) - before:
            await self._check(
                [BrokenInvariant("code", f"{reference} was authorised by a wrong code")]
            )

    def read(self, actor: Actor) -> list[str]:
        """What came last by SMS and by mail: a code comes by both."""
        mails = self.world.mail.mails.get(actor.mail or "", ())
        texts = self.world.sms.texts.get(actor.phone, ())
        return [*texts[-3:], *(mail.text for mail in mails[-3:])]

    async def _authorised_by(self, addresses: set[str]) -> set[str]:
        """Purchases that these people have approved with a code."""

        def look(tx: SqliteTx) -> set[str]:
            rows = tx.conn.execute(
                "SELECT reference, address FROM purchases WHERE authorised_at IS NOT NULL"
            )
            return {reference for reference, address in rows if address in addresses}

        return await self.world.app.database.read(look) if addresses else set()

    async def repeat(self, events: Sequence[Event]) -> None:
        """Events that were acknowledged come again, in another order: nothing may change."""
        again = list(events)
        self._dice.shuffle(again)
        self._note(f"{len(again)} events come again")
        lives = -1
        while (
            lives != self.world.crash_count
        ):  # a new life begins with what is due: compare without
            lives = self.world.crash_count
            before = await self.world.app.database.read(_fingerprint)
            for event in again:
                self.world.submit(event)
            await self.world.settle()
            after = await self.world.app.database.read(_fingerprint)
        self.tally.turns += len(again)
        self.tally.faults["repeated"] += len(again)
        if before != after:
            words = f"repeated events changed {before} into {after}"
            await self._check([BrokenInvariant("replay", words)])

    def _phones(self) -> None:
        """Somebody picks up a phone: what they do meets the prompt there, or the next one."""
        dice = self._dice
        everybody = [actor for actor in self.actors.values() if not actor.is_admin]
        for actor in dice.sample(everybody, k=max(1, len(everybody) * 2 // 3)):
            does = dice.choices(list(Handset), weights=(10, 2, 1, 1, 6, 1))[0]
            self.world.bank.set_handset(actor.phone, does)

    def _payments(self) -> None:
        """Somebody pays at the paybill by themselves."""
        dice = self._dice
        if dice.random() > 0.3:
            return
        phone = dice.choice([actor.phone for actor in self.actors.values()])
        references = [
            dice.choice(self._codes),
            f"774451#{dice.choice(self._codes).lower()}",
            "SCHOOL FEES",
            *(word for word in self._accounts_shown()),
        ]
        amount = Money.of(dice.choice(AMOUNTS).replace(",", ""))
        via_bank = dice.random() < 0.15
        typed = dice.choice(references)
        payment = self.world.bank.paybill.pay(phone, amount, typed, via_bank=via_bank)
        self._note(f"{phone} pays {amount} for {payment.account_reference}")
        self.tally.faults["paid by bank" if via_bank else "paid by hand"] += 1
        self._notices.plan(payment)

    def _accounts_shown(self) -> Iterator[str]:
        for actor in self.actors.values():
            for text in actor.recent_texts:
                if "Account number:" in text:
                    shown = text.partition("Account number: \u2068")[2].partition("\u2069")[0]
                    yield shown.rpartition("#")[2]

    def _tell_of_payments(self) -> None:
        dice = self._dice
        self._notices.of_prompts()
        self._notices.of_float()
        if dice.random() < 0.03:
            actor = dice.choice(list(self.actors.values()))
            amount = Money.of(dice.choice(AMOUNTS).replace(",", ""))
            self._notices.forge(actor.phone, amount, dice.choice(self._codes))
        self._notices.send_due()

    # What goes wrong -----------------------------------------------------------------------------

    def _trouble(self) -> None:
        dice, bank = self._dice, self.world.bank
        if dice.random() < 0.25:
            call = dice.choice(list(FAULTS_BY_CALL))
            fault = dice.choice(FAULTS_BY_CALL[call])
            times = dice.choice((1, 1, 2, 5))
            bank.arm(parse_fault(fault), call, times)
            self._fault(f"{fault} on {call} times {times}", call)
        if dice.random() < 0.03:
            call = dice.choice(list(OUTAGES))
            fault, lasts_s = dice.choice(OUTAGES[call]), dice.choice(OUTAGES_S)
            bank.arm_for(parse_fault(fault), call, timedelta(seconds=lasts_s))
            self._fault(f"{fault} on {call} for {lasts_s} s", f"{call} down")
        if dice.random() < 0.05:
            latency = dice.choice((0.0, 0.0, 0.3, 2.0))
            bank.latency = lambda: latency
        if dice.random() < 0.05:
            what = dice.choice(("403", "429:5", "timeout"))
            self.world.terminal.fail_next(what, dice.randint(1, 3))
            self._fault(f"a send meets {what}", "send")
        if dice.random() < 0.05:
            carrier = dice.choice(list(CARRIER_FAULTS))
            self.world.sms.fault = CARRIER_FAULTS[carrier]
            self._fault(f"SMS is {carrier}", "sms")
        if dice.random() < 0.08:
            point, at_call = dice.choice(CRASH_POINTS)
            self.world.arm_crash(point, at_call, dice.randint(1, 12 if at_call is None else 2))
            self._fault(f"a crash is armed at {point} {at_call or ''}", "crash")

    async def _clock(self) -> None:
        """Somebody sets the machine's clock, or puts it right; who works next may notice first."""
        dice, clock = self._dice, self.world.clock
        wrong = (clock.now() - clock.true_now()).total_seconds()
        if wrong and dice.random() < 0.2:
            seconds = -wrong
        elif dice.random() < 0.02:
            seconds = dice.choice(CLOCK_STEPS)
        else:
            return
        self._fault(f"the clock is set by {seconds:.0f} s", "clock")
        if dice.random() < 0.5:
            await self.world.set_clock(seconds)
        else:
            clock.step(seconds)

    async def _life(self) -> None:
        if self._dice.random() < 0.5:
            self._fault("a crash", "crash")
            await self.world.crash()
        else:
            self._fault("a restart", "restart")
            await self.world.restart()

    def _fault(self, words: str, kind: str) -> None:
        self.tally.faults[kind] += 1
        self._note(words)

    def _heard_of(self, kind: str, words: str) -> None:
        if kind:
            self.tally.faults[kind] += 1
        if words:
            self._note(words)

    def _note(self, words: str) -> None:
        self._happened.append((self.world.clock.true_now(), words))

    async def _check(self, broken: list[BrokenInvariant]) -> None:
        if broken:
            told = [f"{at:%d %H:%M:%S} {words}" for at, words in self._happened]
            raise Violation(self._seed, self.tally.steps, broken, told)

    # Until it is calm ----------------------------------------------------------------------------

    async def _calm(self) -> None:
        """Nothing goes wrong any more: what is open settles, or honest admins settle it."""
        world = self.world
        world.bank.disarm()
        world.sms.fault = None
        world.terminal.clear_failures()
        world.armed_crashes.clear()
        self._note("calm")
        await world.settle()
        await world.set_clock((world.clock.true_now() - world.clock.now()).total_seconds())
        for _ in range(CALM_DAYS):
            self._notices.send_all()
            for _ in range(CALM_LOOKS):  # between two looks one change hides another
                await world.advance(86_400 / CALM_LOOKS)
                await self._check(await self.watch.step())
            await world.run_job("reconciliation")
            await self._honest_admins()
            await self._check(await self.watch.step())
        self.tally.operations = await world.app.database.read(_operations)
        await self._check(await self.watch.end(self._logged))

    async def _honest_admins(self) -> None:
        """Two of them settle what only they can, by what the bank's books say, in their chats."""
        sold = {booking.reference for booking in self.world.bank.float_purchases()}

        def unknown(tx: SqliteTx) -> list[tuple[str, bool]]:
            prompts = match_prompts(self.world, tx)
            found = [
                (topup.reference, prompts.is_paid(topup.reference))
                for topup in tx.topups.every()
                if topup.state in (TopUpState.UNKNOWN, TopUpState.SEND_UNKNOWN)
            ]
            found += [
                (purchase.reference, bank_reference(purchase.reference) in sold)
                for purchase in tx.purchases.every()
                if purchase.state is PurchaseState.UNKNOWN
            ]
            return found

        def nameless(tx: SqliteTx) -> list[tuple[str, str]]:
            """Nothing says who has paid."""
            prompts = match_prompts(self.world, tx)
            return [
                (arrived.reference, topup)
                for arrived in tx.payments.every()
                if arrived.state is PaymentState.IN_SUSPENSE
                and not arrived.payment.payer.number
                and (topup := prompts.topup_of(arrived.payment.receipt)) is not None
            ]

        for reference, happened in await self.world.app.database.read(unknown):
            await self._agree(reference, "paid" if happened else "failed")
        for reference, topup in await self.world.app.database.read(nameless):
            await self._agree(reference, "match", topup)

    async def _agree(self, reference: str, option: str, *typed: str) -> None:
        """One admin says what became of it, and another agrees."""
        first, second = (self.actors[address] for address in ADMINS)
        await self._do(first.say("/cancel"))
        await self._do(first.say(f"/resolve {reference}"))
        await self._do(first.tap(option))
        for text in (*typed, "the bank's own books, read by hand"):
            await self._do(first.say(text))
        await self._do(first.tap("yes"))
        await self._do(second.say("/cancel"))
        await self._do(second.say("/approvals"))
        assert second.screen is not None
        await self._do(second.tap(second.screen.options[0]))
        await self._do(second.tap("approve"))
        await self._do(second.tap("yes"))

    async def _do(self, event: Event) -> None:
        self.tally.turns += 1
        self.world.submit(event)
        await self.world.settle()


@contextmanager
def captured_log(logged: list[str], errors: list[str]) -> Iterator[None]:
    """Keep what is logged, and what is logged as a fault of ours."""

    def hear(line: str) -> None:
        logged.append(line)
        if ('"level": "error"' in line or '"exception"' in line) and STEPPED not in line:
            errors.append(line[:2_000])

    with full_log(hear):
        yield


def _fingerprint(tx: SqliteTx) -> tuple[object, ...]:
    """What no repeated event may change."""
    row: tuple[object, ...] = tx.conn.execute(
        "SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM wallet_transactions),"
        " (SELECT count(*) FROM evidence), (SELECT count(*) FROM audit_log),"
        " (SELECT sum(turn) FROM sessions), (SELECT group_concat(state) FROM"
        "  (SELECT state FROM wallet_transactions ORDER BY seq)),"
        " (SELECT sum(attempts) FROM otp_validations), (SELECT count(*) FROM outbox)"
    ).fetchone()
    return row


def _operations(tx: SqliteTx) -> int:
    return int(tx.conn.execute("SELECT count(*) FROM wallet_transactions").fetchone()[0])


async def run(seed: int, hours: float, partners: int) -> Tally:
    """Raises ``Violation``."""
    with closing(in_memory()) as memory:
        return await StormRun(seed, hours, partners, memory).run()


def run_in_new_loop(seed: int, hours: float, partners: int) -> Tally:
    """``run`` in an event loop of its own. Raises ``Violation``."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(run(seed, hours, partners))
