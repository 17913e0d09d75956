"""Kills the product at every crash point of the standard journeys: each commit and each bank call.

A journey is repeated, each time with a crash at the next point of one kind, until a run finishes
without reaching that many points. After each run the world calms down and the end-of-storm
invariants must hold.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from bot.security.keyring import Keyring
from bot.simulation.crashes import CrashPointName
from bot.simulation.credentials import KEYS, USSD_CODE
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from bot.simulation.ncba.statements import StatementDefect
from bot.simulation.opening_balances import add_partner
from bot.simulation.ussd.phones import Phones
from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.captured_log import captured_log
from bot.storm.faults import CRASH_POINTS
from bot.storm.invariant_checker import InvariantChecker
from bot.storm.people import Actor
from services.domain.desk_pin import digest
from services.domain.money import Money
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx

PHONE = "254710000001"
PIN = "730519"  # of the owner
# Nothing here has to survive a reboot, and a disk would only slow it down.
FOLDERS = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
POINTS_MAX = 500  # of one kind in one journey; a journey has about fifty
_CODE = re.compile(r"Code ([0-9]{6})")
_REFERENCE = re.compile(r"(?:TU|FL|PB|PR)-[0-9A-Z]{6}")


class JourneyRun:
    """One journey in its own world: an owner, two admins and the bank."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, delivered=self._delivered, threads=False)
        self.owner = Actor("100001", PHONE)
        self.admins = (Actor("a1", ""), Actor("a2", ""))
        self.phones = Phones(self.world.door)
        self.world.settings = self.world.settings.model_copy(
            update={"admin_ids": frozenset(admin.address for admin in self.admins)}
        )

    def _delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        for actor in (self.owner, *self.admins):
            if row.address == actor.address:
                actor.shown(row, message_id)

    async def open(self) -> None:
        def seed(tx: Tx) -> None:
            add_partner(tx, Partner("FINSAFE"), Money(6_000_000), Money(0))
            person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, Phone(PHONE), None, "en")
            tx.people.link("terminal", self.owner.address, person)
            keys = Keyring.read(KEYS)
            digested = digest(keys.pepper(keys.pepper_id), person, PIN)
            tx.desk_pins.put(person, keys.pepper_id, digested)

        await self.world.open()
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

    async def tap(self, *options: str, who: Actor | None = None) -> None:
        for option in options:
            self.world.submit((who or self.owner).tap(option))
            await self.world.settle()

    async def notify(self, amount: str, reference: str, *, phone: str = PHONE) -> None:
        notice = self.world.bank.paybill.notify(phone, Money.of(amount), reference)
        for _ in range(2):
            self.world.notify(notice)
        await self.world.settle()

    def newest(self, prefix: str) -> str:
        """The latest reference with this prefix shown to anybody."""
        texts = [text for actor in (self.owner, *self.admins) for text in actor.recent_texts]
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
    codes: list[str] = _CODE.findall(play.world.sms.texts[PHONE][-1])
    await play.say(codes[-1])
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
    "two admins": _two_admins,
    "taken back": _taken_back,
}


class CrashFailure(NamedTuple):
    """Where the process died, and which invariants were broken afterwards."""

    point: str
    broken: list[BrokenInvariant]


BEFORE = {"taken back": _a_payment_and_a_night}  # runs before the crash is armed


async def crash_at_every_point(journey: str) -> tuple[int, list[CrashFailure]]:
    """The number of crash points, and those after which an invariant was broken."""
    points, bad = 0, []
    for point, call in CRASH_POINTS:
        for nth in range(1, POINTS_MAX):
            fired, broken = await _play(journey, point, call, nth)
            if broken:
                bad.append(CrashFailure(f"{point} {call or ''} {nth}".replace("  ", " "), broken))
            if not fired:
                break
            points += 1
    return points, bad


async def _play(
    journey: str, point: CrashPointName, call: str | None, nth: int
) -> tuple[bool, list[BrokenInvariant]]:
    logged: list[str] = []
    with tempfile.TemporaryDirectory(prefix="hazina-points-", dir=FOLDERS) as folder:
        play = JourneyRun(Path(folder))
        watch = InvariantChecker(play.world)
        with captured_log(logged, watch.errors):
            await play.open()
            if journey in BEFORE:
                await BEFORE[journey](play)
            armed = play.world.arm_crash(point, call, nth)
            try:
                await JOURNEYS[journey](play)
                fired = armed.fired
                play.world.armed_crashes.clear()
                play.world.bank.disarm()
                broken = await watch.step()
                for _ in range(2):
                    await play.world.advance(86_400)
                    await play.world.run_job("reconciliation")
                    broken += await watch.step()
                return fired, broken + await watch.end(logged, (PIN,))
            finally:
                await play.world.close()
