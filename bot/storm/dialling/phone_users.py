"""The phones of a storm that dial, beside its chats and partners' systems.

A gateway is as strict here as in scripts: the same hop must be answered with the same bytes, and a
page must be one that a phone can show.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping
from typing import NamedTuple

from bot.simulation.crashes import CrashPointName
from bot.simulation.ussd.phones import PhoneFault, Phones, ShownPage
from bot.simulation.world import World
from bot.storm.dialling.phone_user import Act, PhoneUser
from bot.storm.fingerprint import fingerprint
from bot.storm.invariant_checker import BrokenInvariant
from bot.storm.people import Actor
from bot.storm.story import Story
from flows.engine.phone_pages import PhoneScreen
from services.domain.ussd import CHANNEL
from services.ports import Tx
from storage.sqlite.raw import connection

GATEWAY = "africas_talking"
STRANGER = "254733000777"
_POINTS: tuple[CrashPointName, ...] = ("commit", "after-commit")


class _Sent(NamedTuple):
    """``adds``: it goes on from the newest text, so that it may act."""

    user: PhoneUser
    act: Act
    adds: bool
    answer: asyncio.Future[ShownPage]


class _Begun(NamedTuple):
    """An operation that somebody has begun on a phone."""

    seq: int
    reference: str
    phone: str
    amount_cents: int


class PhoneUsers:
    def __init__(self, world: World, dice: random.Random, story: Story) -> None:
        self._world = world
        self._dice = dice
        self._story = story
        self._phones = Phones(world.door)
        self._users: list[PhoneUser] = []
        self._sent: list[_Sent] = []
        self._last_seq = 0  # of the operations that were looked at

    @property
    def secrets(self) -> Collection[str]:
        """What was typed on phones, and must rest nowhere."""
        return sorted(secret for user in self._users for secret in user.secrets)

    def open(self, people: Mapping[str, Actor]) -> None:
        """All of them have phones, and so has somebody whom nobody knows."""
        self._users = [PhoneUser(name, actor.phone) for name, actor in people.items()]
        self._users.append(PhoneUser("stranger", STRANGER, is_known=False))

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
        begun, decides = await self._world.app.database.read(self._look)
        found = self._check_begun(begun, heard)
        for sent in heard:
            found += self._see(sent, decides)
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
        adds = act.how == "press"
        match act.how:
            case "dial":
                sent = self._phones.dial(phone, act.value, act.copies)
            case "press":
                sent = self._phones.press(phone, act.value, act.copies)
            case "lose":
                self._phones.lose(phone, act.value)
                return
            case "again":
                sent = self._phones.send_again(phone, act.copies)
            case "text":
                assert dialled is not None
                adds = act.value.startswith(f"{dialled.newest}*") or not dialled.newest
                sent = self._phones.send_text(phone, act.value)
            case "phone":
                sent = self._phones.send_from(phone, act.value)
        self._sent.append(_Sent(user, act, adds, asyncio.ensure_future(sent)))

    def _look(self, tx: Tx) -> tuple[list[_Begun], dict[str, bool]]:
        """What was begun on phones since the last look, and whose page decides something now."""
        rows = connection(tx).execute(
            "SELECT seq, reference, address, amount_cents FROM wallet_transactions"
            " WHERE channel = ? AND type = 'topup' AND seq > ? ORDER BY seq",
            (CHANNEL, self._last_seq),
        )
        decides = {}
        for user in self._users:
            dialled = self._phones.session(user.phone)
            stored = None if dialled is None else tx.ussd_sessions.find(GATEWAY, dialled.session)
            if stored is not None and stored.screen is not None:
                decides[user.phone] = PhoneScreen.load(stored.screen).decides
        return [_Begun(*row) for row in rows], decides

    def _check_begun(self, begun: list[_Begun], heard: list[_Sent]) -> list[BrokenInvariant]:
        """Each was begun by one hop, that answered a page which asked for just that."""
        found = []
        by_phone = {sent.user.phone: sent for sent in heard if sent.adds}
        for one in begun:
            self._last_seq = one.seq
            sent = by_phone.pop(one.phone, None)
            if sent is None:
                words = f"{one.reference} was begun by no hop that could"
                found.append(BrokenInvariant("unseen", words))
                continue
            page, amount = sent.user.page, f"KES {one.amount_cents // 100:,}"
            if page is None or not sent.user.decides or amount not in page.text:
                words = f"{one.reference} of {amount} was begun from {page}"
                found.append(BrokenInvariant("unseen", words))
        return found

    def _see(self, sent: _Sent, decides: Mapping[str, bool]) -> list[BrokenInvariant]:
        user = sent.user
        try:
            page = sent.answer.result()
        except PhoneFault as fault:
            user.page = None
            return [BrokenInvariant("same page", f"{user.name}: {fault}")]
        if sent.act.how == "phone":
            return [BrokenInvariant("access", f"of {user.name}: {page}")] * page.goes_on
        user.page, user.decides = page, decides.get(user.phone, False)
        if page.goes_on and not user.is_known:
            return [BrokenInvariant("access", f"a stranger was shown {page}")]
        return []
