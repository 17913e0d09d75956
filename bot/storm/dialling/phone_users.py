"""The phones of a storm that dial, beside its chats and partners' systems.

A gateway is as strict here as in scripts: the same hop must be answered with the same bytes, and a
page must be one that a phone can show.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from bot.security.keyring import Keyring
from bot.simulation.crashes import CrashPointName
from bot.simulation.credentials import KEYS
from bot.simulation.ussd.phones import PhoneFault, Phones
from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.dialling.decisions import Decided, Decisions, decided_on_phones
from bot.storm.dialling.phone_user import Act, PhoneUser, SentHop
from bot.storm.fingerprint import fingerprint
from bot.storm.people import Actor
from bot.storm.story import Story
from flows.engine.phone_pages import PhoneScreen
from services.domain.desk_pin import digest, find_weakness
from services.domain.phone import Phone
from services.ports import Tx

GATEWAY = "africas_talking"
STRANGER = "254733000777"
_POINTS: tuple[CrashPointName, ...] = ("commit", "after-commit")


class _Look(NamedTuple):
    """What the product has: all that was decided on phones, and the newest page of each number."""

    decided: Sequence[Decided]
    screens: Mapping[str, PhoneScreen]


class PhoneUsers:
    """``shown`` is called with each page that a phone shows."""

    def __init__(
        self, world: World, dice: random.Random, story: Story, shown: Callable[[str], None]
    ) -> None:
        self._world = world
        self._dice = dice
        self._story = story
        self._shown = shown
        self._phones = Phones(world.door)
        self._users: list[PhoneUser] = []
        self._sent: list[SentHop] = []
        self._decisions = Decisions()

    @property
    def secrets(self) -> Collection[str]:
        """What was typed on phones, and must rest nowhere."""
        return sorted(secret for user in self._users for secret in user.secrets)

    async def open(self, people: Mapping[str, Actor]) -> None:
        """All of them have phones and desk PINs; somebody whom nobody knows has a phone too."""
        for name, actor in people.items():
            actor.pin = self._draw_pin(actor)
            self._users.append(PhoneUser(name, actor.phone, actor.pin, secrets={actor.pin}))
        self._users.append(PhoneUser("stranger", STRANGER, None))
        keys = Keyring.read(KEYS)

        def set_pins(tx: Tx) -> None:
            for actor in people.values():
                (person,) = tx.people.linked_with(Phone(actor.phone))
                digested = digest(keys.pepper(keys.pepper_id), person.id, actor.pin)
                tx.desk_pins.put(person.id, keys.pepper_id, digested)

        with self._world.crashes_held_back():
            await self._world.app.database.write(set_pins)

    def _draw_pin(self, actor: Actor) -> str:
        """Of six digits: fewer stand in many a number that is no secret."""
        drawn = iter(lambda: f"{self._dice.randrange(1_000_000):06}", "")
        return next(pin for pin in drawn if find_weakness(pin, Phone(actor.phone)) is None)

    def send(self) -> None:
        """Some act, in the same moment as people in their chats; each has one hop under way."""
        dice = self._dice
        busy = {sent.user.phone for sent in self._sent}
        for user in self._users:
            if user.phone in busy or dice.random() < (0.4 if user.is_known else 0.9):
                continue
            dialled = self._phones.session(user.phone)
            self._begin(user, user.act(dice, None if dialled is None else dialled.text))
        if self._sent and dice.random() < 0.015:
            point = dice.choice(_POINTS)
            self._world.arm_crash(point, None, dice.randint(1, 3))
            self._story.fault(f"a crash is armed at {point}, amid hops", "crash")

    async def hear(self) -> list[BrokenInvariant]:
        """What the phones show now, and whether what was begun on them was seen before."""
        heard = [sent for sent in self._sent if sent.answer.done()]
        self._sent = [sent for sent in self._sent if not sent.answer.done()]
        look = await self._world.app.database.read(self._look)
        found = self._decisions.check(look.decided, heard)
        for sent in heard:
            found += self._see(sent, look.screens)
        return found

    async def repeat(self) -> list[BrokenInvariant]:
        """Every phone's last hop comes again, and changes nothing."""
        found: list[BrokenInvariant] = []
        lives = -1
        while lives != self._world.crash_count:  # a restarted product does what is due
            await self._world.settle()
            lives = self._world.crash_count
            before = await self._world.app.database.read(fingerprint)
            for user in self._users:
                if self._phones.session(user.phone) is not None:
                    self._begin(user, Act("again"))
            await self._world.settle()
            found = await self.hear()
            after = await self._world.app.database.read(fingerprint)
        if before != after:
            words = f"repeated hops changed {before} into {after}"
            found.append(BrokenInvariant("replay", words))
        return found

    def hang_up(self) -> None:
        for sent in self._sent:
            sent.answer.cancel()
        self._sent.clear()

    def _begin(self, user: PhoneUser, act: Act) -> None:
        self._story.tally.hops += act.copies
        self._story.note(f"{user.name} {act.how} {act.value}".rstrip())
        phone, dialled = user.phone, self._phones.session(user.phone)
        answers: str | None = None
        match act.how:
            case "dial":
                sent = self._phones.dial(phone, act.value, act.copies)
            case "press":
                assert dialled is not None
                text = f"{dialled.text}*{act.value}" if dialled.text else act.value
                answers = _added(dialled.newest, text)
                sent = self._phones.press(phone, act.value, act.copies)
            case "lose":
                self._phones.lose(phone, act.value)
                return
            case "again":
                sent = self._phones.send_again(phone, act.copies)
            case "text":
                assert dialled is not None
                answers = _added(dialled.newest, act.value)
                sent = self._phones.send_text(phone, act.value)
            case "phone":
                sent = self._phones.send_from(phone, act.value)
        self._sent.append(SentHop(user, act, answers, asyncio.ensure_future(sent)))

    def _look(self, tx: Tx) -> _Look:
        screens = {}
        for user in self._users:
            dialled = self._phones.session(user.phone)
            stored = None if dialled is None else tx.ussd_sessions.find(GATEWAY, dialled.session)
            if stored is not None and stored.screen is not None:
                screens[user.phone] = PhoneScreen.load(stored.screen)
        return _Look(decided_on_phones(tx), screens)

    def _see(self, sent: SentHop, screens: Mapping[str, PhoneScreen]) -> list[BrokenInvariant]:
        user = sent.user
        try:
            page = sent.answer.result()
        except PhoneFault as fault:
            user.page = None
            return [BrokenInvariant("same page", f"{user.name}: {fault}")]
        if sent.act.how == "phone":
            return [BrokenInvariant("access", f"of {user.name}: {page}")] * page.goes_on
        self._shown(page.text)
        user.page, user.screen = page, screens.get(user.phone)
        if page.goes_on and not user.is_known:
            return [BrokenInvariant("access", f"a stranger was shown {page}")]
        return []


def _added(newest: str, text: str) -> str | None:
    """The first answer that a text adds to the newest one; ``None`` if it does not go on."""
    rest = text.removeprefix(f"{newest}*") if newest else text
    return rest.partition("*")[0] if rest and (rest != text or not newest) else None
