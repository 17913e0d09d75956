"""Kills the product at every crash point of the standard journeys: each commit, and each call of
bank and M-PESA.

A journey is played once undisturbed, to know which calls it makes; then again and again, each time
with a crash at the next point of one kind, until a run finishes without reaching that many points.
After each run the world calms down and the end-of-storm invariants must hold.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bot.scripts.payout_file import written
from bot.security.keyring import Keyring
from bot.simulation.crashes import CrashPointName
from bot.simulation.credentials import KEYS, USSD_CODE
from bot.simulation.daraja.payees import parse_payee
from bot.simulation.faults import parse_fault
from bot.simulation.home import home
from bot.simulation.ncba.handsets import Handset
from bot.simulation.ncba.statements import StatementDefect
from bot.simulation.opening_balances import add_partner
from bot.simulation.ussd.phones import Phones
from bot.simulation.world import Home, World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.captured_log import captured_log
from bot.storm.faults import CRASH_POINTS
from bot.storm.invariant_checker import InvariantChecker
from bot.storm.payout_traffic import CRASH_POINTS as PAYOUT_CRASH_POINTS
from bot.storm.people import Actor
from services.domain.database import DatabaseServer
from services.domain.desk_pin import digest
from services.domain.money import Money
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx

PHONE = "254710000001"
COLLEAGUE = "254710000002"
PIN = "730519"  # of the owner
PAYEE = "254722000111"  # a customer
OTHER_PAYEE, THIRD_PAYEE = "254722000222", "254722000333"
FILE_ROWS = (f"{PAYEE},1500,S-1", f"{OTHER_PAYEE},700,S-2", f"{THIRD_PAYEE},50,S-3")
FLOAT = Money(6_000_000)  # at the start
ALL_CRASH_POINTS = (*CRASH_POINTS, *PAYOUT_CRASH_POINTS)
# Nothing here has to survive a reboot, and a disk would only slow it down.
FOLDERS = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
POINTS_MAX = 500  # of one kind in one journey; a journey has about fifty
_CODE = re.compile(r"Code ([0-9]{6})")
_REFERENCE = re.compile(r"(?:TU|FL|PO|BA|PB|PR)-[0-9A-Z]{6}")


class JourneyRun:
    """One journey in its own world: an owner and a colleague, two admins and the bank."""

    def __init__(self, home: Home) -> None:
        self.world = World(home, delivered=self._delivered, threads=False)
        self.owner = Actor("100001", PHONE)
        self.colleague = Actor("100002", COLLEAGUE)
        self.admins = (Actor("a1", ""), Actor("a2", ""))
        self.phones = Phones(self.world.door)
        self.world.settings = self.world.settings.model_copy(
            update={
                "admin_ids": frozenset(admin.address for admin in self.admins),
                "phone_freeze_hours": 0,  # the colleague may agree at once
            }
        )

    def _delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        for actor in (self.owner, self.colleague, *self.admins):
            if row.address == actor.address:
                actor.shown(row, message_id)

    async def open(self) -> None:
        def seed(tx: Tx) -> None:
            add_partner(tx, Partner("FINSAFE"), Money(6_000_000), FLOAT)
            person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, Phone(PHONE), None, "en")
            tx.people.link("terminal", self.owner.address, person)
            second = tx.people.add_person(
                "FINSAFE", "baraka", Role.OPERATOR, Phone(COLLEAGUE), None, "en"
            )
            tx.people.link("terminal", self.colleague.address, second)
            keys = Keyring.read(KEYS)
            digested = digest(keys.pepper(keys.pepper_id), person, PIN)
            tx.desk_pins.put(person, keys.pepper_id, digested)

        await self.world.open()
        self.world.daraja.opening(FLOAT.cents)
        await self.world.app.database.write(seed)
        await self.world.settle()

    async def say(self, *texts: str, who: Actor | None = None) -> None:
        for text in texts:
            self.world.submit((who or self.owner).say(text))
            await self.world.settle()

    async def dial(self, *typed: str) -> None:
        """Dial the desk, and answer its pages. Raises ``PhoneFault`` where the same hop, sent again
        after a crash, is answered with another page."""
        for n, keys in enumerate(("", *typed)):
            hop = self.phones.press(PHONE, keys) if n else self.phones.dial(PHONE, USSD_CODE)
            for sending in (hop, self.phones.send_again(PHONE)):
                answer = asyncio.ensure_future(sending)
                await self.world.settle()
                await answer

    async def send(self, *rows: str) -> None:
        """A file of payouts, without its head."""
        content = written(["phone,amount,reference", *rows], None)
        self.world.submit(self.owner.send(content))
        await self.world.settle()

    async def tap(self, *options: str, who: Actor | None = None) -> None:
        for option in options:
            self.world.submit((who or self.owner).tap(option))
            await self.world.settle()

    async def notify(self, amount: str, reference: str, *, phone: str = PHONE) -> None:
        notice = self.world.bank.paybill.notify(phone, Money.of(amount), reference)
        for _ in range(2):
            self.world.notify(notice)
        await self.world.settle()

    def calls(self) -> Counter[str]:
        """How often bank and M-PESA were called so far."""
        calls = {call for _, call in ALL_CRASH_POINTS if call is not None}
        return Counter({call: self.world.api_of(call).calls(call) for call in calls})

    def codes(self) -> list[str]:
        """Those in the owner's newest SMS."""
        found: list[str] = _CODE.findall(self.world.sms.texts[PHONE][-1])
        return found

    def newest(self, prefix: str) -> str:
        """The latest reference with this prefix shown to anybody."""
        everybody = (self.owner, self.colleague, *self.admins)
        texts = [text for actor in everybody for text in actor.recent_texts]
        found: list[str] = [reference for text in texts for reference in _REFERENCE.findall(text)]
        return [reference for reference in found if reference.startswith(prefix)][-1]


async def _prompt(play: JourneyRun) -> None:
    play.world.bank.set_handset(PHONE, Handset.PAYS)
    await play.say("/topup", "1500")
    await play.tap("mine", "yes")
    await play.world.advance(60)


async def _prompt_by_phone(play: JourneyRun) -> None:
    play.world.bank.set_handset(PHONE, Handset.PAYS)
    await play.dial("1", "1500", "1", "1")
    await play.world.advance(60)
    await play.dial("00", "4", "1")


async def _prompt_and_notification(play: JourneyRun) -> None:
    await play.say("/topup", "1500")
    await play.tap("mine", "yes")
    await play.notify("1500", play.newest("TU"))
    await play.world.advance(60)


async def _lost_prompt(play: JourneyRun) -> None:
    play.world.bank.arm(parse_fault("timeout-after"), "initiate")
    await play.say("/topup", "1500")
    await play.tap("mine", "yes")
    await play.world.advance(60)
    await play.notify("1500", "774451")
    await play.world.advance(60)


async def _by_hand(play: JourneyRun) -> None:
    await play.say("/topup", "1500")
    await play.tap("qr", "yes")
    await play.notify("1500", play.newest("TU"), phone="254733000002")
    await play.world.advance(60)


async def _float(play: JourneyRun) -> None:
    await play.say("/float", "10000")
    await play.tap("yes")
    await _type_code(play)
    await play.world.advance(60)


async def pay(play: JourneyRun, amount: str = "1500") -> None:
    """Order a payout of so many shillings, and approve it."""
    await play.say(f"/pay {PAYEE} {amount}")
    await play.tap("yes")
    await _type_code(play)


async def _type_code(play: JourneyRun) -> None:
    await play.say(play.codes()[-1])


async def _payout(play: JourneyRun) -> None:
    await pay(play)
    await play.world.advance(60)


async def _payout_told_early(play: JourneyRun) -> None:
    play.world.daraja.set_payee(PAYEE, parse_payee("before-ack"))
    await _payout(play)


async def _payout_unheard(play: JourneyRun) -> None:
    """The answer to the order is lost, and no Result ever comes."""
    play.world.daraja.arm(parse_fault("timeout-after"), "payout")
    play.world.daraja.set_payee(PAYEE, parse_payee("silent"))
    await pay(play)
    await play.world.advance(900)


async def _payout_told_to_nobody(play: JourneyRun) -> None:
    """The Result comes while the product is down, and does not come again."""
    await pay(play)
    await play.world.close()
    await play.world.advance(30)
    await play.world.open()
    await play.world.advance(900)


async def _payout_confirmed(play: JourneyRun) -> None:
    limit = {"payout_confirm_above": 1_000}
    play.world.settings = play.world.settings.model_copy(update=limit)
    await play.world.restart()
    await _payout(play)


async def _payout_after_return(play: JourneyRun) -> None:
    play.world.daraja.set_payee(PAYEE, parse_payee("fails 4 late 10m"))
    await pay(play)
    await play.world.advance(900)


async def _payout_by_admins(play: JourneyRun) -> None:
    """What M-PESA never ordered, nor finds, two admins return."""
    first, second = play.admins
    play.world.daraja.arm(parse_fault("timeout-before"), "payout")
    await _payout(play)
    reference = play.newest("PO")
    await play.say(f"/resolve {reference}", who=first)
    await play.tap("failed", who=first)
    await play.say("not on the statement of the portal", who=first)
    await play.tap("yes", who=first)
    await play.say("/approvals", who=second)
    await play.tap(play.newest("PR").lower(), "approve", "yes", who=second)


async def _payout_frozen(play: JourneyRun) -> None:
    """What waits for a token is frozen, and sent once it is thawed."""
    play.world.daraja.arm(parse_fault("http 503"), "payout-token", 2)
    await pay(play)
    await play.say("/settings")
    await play.tap("freeze-payouts")
    await play.world.advance(600)
    await play.say("/settings")
    await play.tap("thaw-payouts")
    await _type_code(play)
    await play.world.advance(60)


async def send_file(play: JourneyRun, *rows: str) -> None:
    """Send a file, have the colleague agree to it, and type its code."""
    await play.send(*rows)
    await play.tap("yes")
    await play.say("/approve", who=play.colleague)
    await play.tap(play.newest("BA").lower(), "yes", who=play.colleague)
    await play.tap("yes")
    await _type_code(play)


async def _file(play: JourneyRun) -> None:
    """One row is paid, one comes back, and of one nobody hears before the query."""
    play.world.daraja.set_payee(OTHER_PAYEE, parse_payee("fails 2040"))
    play.world.daraja.set_payee(THIRD_PAYEE, parse_payee("silent"))
    await send_file(play, *FILE_ROWS)
    await play.world.advance(900)


async def _file_stopped(play: JourneyRun) -> None:
    """Two rows wait for their turn when it is stopped."""
    await send_file(play, *FILE_ROWS)
    await play.tap("stop")
    await play.world.advance(60)


async def _float_unknown(play: JourneyRun) -> None:
    play.world.bank.arm(parse_fault("timeout-after"), "float")
    await _float(play)
    await play.world.advance(3_600)


async def _float_by_phone(play: JourneyRun) -> None:
    await play.dial("2", "5000", "1", "4711", PIN)
    await play.world.advance(60)


async def _two_admins(play: JourneyRun) -> None:
    first, second = play.admins
    await play.notify("1500", "SOMETHING", phone="254733000002")
    await play.say("/pending", who=first)
    await play.say(f"/resolve {play.newest('PB')}", who=first)
    await play.tap("assign", who=first)
    await play.say("FINSAFE", "the payer has shown the message", who=first)
    await play.tap("yes", who=first)
    await play.say("/approvals", who=second)
    await play.tap(play.newest("PR").lower(), "approve", "yes", who=second)


async def _a_payment_and_a_night(play: JourneyRun) -> None:
    play.world.bank.statements.defects.append(StatementDefect.REVERSED)
    await play.notify("1500", "FINSAFE")
    await play.world.advance(86_400)


async def _taken_back(play: JourneyRun) -> None:
    await play.world.run_job("reconciliation")


JOURNEYS: dict[str, Callable[[JourneyRun], Awaitable[None]]] = {
    "prompt": _prompt,
    "prompt by phone": _prompt_by_phone,
    "prompt and notification": _prompt_and_notification,
    "lost prompt": _lost_prompt,
    "by hand": _by_hand,
    "float": _float,
    "float by phone": _float_by_phone,
    "float unknown": _float_unknown,
    "payout": _payout,
    "payout told early": _payout_told_early,
    "payout unheard of": _payout_unheard,
    "payout told to nobody": _payout_told_to_nobody,
    "payout confirmed": _payout_confirmed,
    "payout after its return": _payout_after_return,
    "payout by two admins": _payout_by_admins,
    "payout frozen": _payout_frozen,
    "file": _file,
    "file stopped": _file_stopped,
    "two admins": _two_admins,
    "taken back": _taken_back,
}


class CrashFailure(NamedTuple):
    """Where the process died, and which invariants were broken afterwards."""

    point: str
    broken: list[BrokenInvariant]


BEFORE = {"taken back": _a_payment_and_a_night}  # runs before the crash is armed


async def crash_at_every_point(
    journey: str, server: DatabaseServer | None = None
) -> tuple[int, list[CrashFailure]]:
    """The number of crash points, and those after which an invariant was broken. The databases of
    the worlds are on ``server``, or else files."""
    undisturbed = await _play(server, journey, "commit", None, POINTS_MAX)
    points, bad = 0, [CrashFailure("nowhere", undisturbed.broken)] if undisturbed.broken else []
    for point, call in ALL_CRASH_POINTS:
        if call is not None and call not in undisturbed.calls:
            continue
        for nth in range(1, POINTS_MAX):
            played = await _play(server, journey, point, call, nth)
            if played.broken:
                where = f"{point} {call or ''} {nth}".replace("  ", " ")
                bad.append(CrashFailure(where, played.broken))
            if not played.fired:
                break
            points += 1
    return points, bad


class _Played(NamedTuple):
    """``calls`` are those that the journey made."""

    fired: bool
    broken: list[BrokenInvariant]
    calls: frozenset[str]


async def _play(
    server: DatabaseServer | None, journey: str, point: CrashPointName, call: str | None, nth: int
) -> _Played:
    logged: list[str] = []
    with home(server, within=FOLDERS) as its_home:
        play = JourneyRun(its_home)
        watch = InvariantChecker(play.world)
        with captured_log(logged, watch.errors):
            await play.open()
            if journey in BEFORE:
                await BEFORE[journey](play)
            before = play.calls()
            armed = play.world.arm_crash(point, call, nth)
            try:
                await JOURNEYS[journey](play)
                fired = armed.fired
                made = frozenset(play.calls() - before)
                play.world.armed_crashes.clear()
                play.world.bank.disarm()
                play.world.daraja.disarm()
                broken = await watch.step()
                for _ in range(2):
                    await play.world.advance(86_400)
                    await play.world.run_job("reconciliation")
                    broken += await watch.step()
                return _Played(fired, broken + await watch.end(logged, (PIN,)), made)
            finally:
                await play.world.close()
