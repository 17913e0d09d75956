"""All partners' systems of a storm, beside its people."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import cast

from bot.simulation.crashes import CrashPointName
from bot.simulation.ncba.handsets import Handset
from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.fingerprint import fingerprint
from bot.storm.people import Actor
from bot.storm.story import Story
from bot.storm.systems.endpoint_changes import EndpointChanges
from bot.storm.systems.feed_reader import FeedReader
from bot.storm.systems.history_reader import HistoryReader
from bot.storm.systems.partner_system import STRANGERS, PartnerSystem
from bot.storm.systems.receivers import StormReceivers
from bot.storm.systems.request import TOO_MANY, UNAVAILABLE
from bot.storm.systems.request_sender import RequestSender
from bot.storm.systems.trespassers import trespass
from services import api_keys
from services.domain.api_key import Scope
from services.ports import Random, Tx

KEY_DAYS = 60
PEOPLE_EACH = 3  # of one partner, the owner first
MINUTE_S = 61  # after which the rates are free again
_POINTS: tuple[CrashPointName, ...] = ("commit", "after-commit")
COMPARED = 3  # operations of each partner after each step


class PartnerSystems:
    def __init__(
        self, world: World, dice: random.Random, story: Story, receivers: StormReceivers
    ) -> None:
        receivers.follow(world.clock)
        self._world = world
        self._dice = dice
        self._story = story
        self._receivers = receivers
        self.sender = RequestSender(world, dice, story)
        self._feeds = FeedReader(world, dice, self.sender)
        self._histories = HistoryReader(world, dice, self.sender)
        self._endpoints = EndpointChanges(world, dice, story, receivers, self.sender, self._feeds)
        self.systems: list[PartnerSystem] = []

    @property
    def secrets(self) -> Collection[str]:
        """Whatever must be stored nowhere in clear."""
        return sorted(self.sender.promises.secrets)

    def draw_settings(self) -> None:
        """Before the world is open: in half of the worlds nearly every code that a system asks for
        is sent, although people ask for some too."""
        if self._dice.random() < 0.5:
            many = {"code_limit_factor": 10}
            self._world.settings = self._world.settings.model_copy(update=many)

    async def open(
        self,
        codes: Sequence[str],
        people: Mapping[str, Actor],
        read: Callable[[Actor], Sequence[str]],
    ) -> None:
        """Give most partners keys, and some of them endpoints. In a world that is open."""
        everybody = list(people.values())
        for n, code in enumerate(codes):
            if self._dice.random() < 0.2:
                continue
            team = everybody[n * PEOPLE_EACH : (n + 1) * PEOPLE_EACH]
            keys = await self._world.app.database.write(partial(self._make_keys, code))
            phones = [actor.phone for actor in team]
            read_owner = partial(read, team[0])
            system = PartnerSystem(code, self._dice, phones[0], phones, read_owner, *keys)
            self.systems.append(system)
            self.sender.systems[code] = system
            self.sender.promises.secrets.update(keys)
            for _ in range(self._dice.choice((0, 1, 1, 2))):
                await self._endpoints.add(system)

    def _make_keys(self, partner: str, tx: Tx) -> tuple[str, str]:
        """One for everything, and one that may only look."""

        def make(scopes: Collection[Scope]) -> str:
            dice = cast("Random", self._dice)
            made = api_keys.create(tx, dice, partner, scopes, KEY_DAYS, "storm")
            assert isinstance(made, api_keys.CreatedKey)
            return made.key

        return make(tuple(Scope)), make((Scope.READ,))

    # While people act ----------------------------------------------------------------------------

    def send(self) -> None:
        """Begin some requests, in the same moment as people act."""
        dice, sender = self._dice, self.sender
        if sender.unanswered and dice.random() < 0.5:
            again, sender.unanswered = sender.unanswered, []
            for request in again:
                sender.begin(request)
        for system in self.systems:
            if dice.random() < (0.8 if system.next else 0.4):  # a code is good for minutes
                for request in system.draw():
                    sender.begin(request)
        if sender.is_busy and dice.random() < 0.015:
            point = dice.choice(_POINTS)
            self._world.arm_crash(point, None, dice.randint(1, 3))
            self._story.fault(f"a crash is armed at {point}, amid requests", "crash")
        if dice.random() < 0.3:
            self._world.bank.set_handset(dice.choice(STRANGERS), dice.choice(list(Handset)))

    def hear(self) -> list[BrokenInvariant]:
        return self.sender.hear()

    def hang_up(self) -> None:
        self.sender.hang_up()

    # Between steps, while the world stands still -------------------------------------------------

    async def step(self) -> list[BrokenInvariant]:
        found = self.sender.hear()
        self.sender.hang_up()
        found += await self.compare()
        for system in self.systems:
            await self._endpoints.step(system)
        if self.systems and self._dice.random() < 0.2:
            found += await self._trespass()
        return found + self.sender.hear()

    async def compare(self) -> list[BrokenInvariant]:
        """Feeds, with some operations and what receivers were sent."""
        found = self._endpoints.problems()
        for system in self.systems:
            known = list(system.feed.newest)[-20:]
            some = self._dice.sample(known, k=min(COMPARED, len(known)))
            found += await self._feeds.compare(system, some)
        return found + self.sender.hear()

    async def _trespass(self) -> list[BrokenInvariant]:
        """Requests without a right change nothing."""
        dice = self._dice
        found: list[BrokenInvariant] = []
        lives = -1
        while lives != self._world.crash_count:  # a restarted product does what is due
            await self._world.settle()
            lives = self._world.crash_count
            mine = dice.choice(self.systems)
            others = [system for system in self.systems if system is not mine]
            request, right = trespass(dice, mine, dice.choice(others) if others else None)
            before = await self._world.app.database.read(fingerprint)
            answer = await self.sender.ask(request)
            after = await self._world.app.database.read(fingerprint)
        status = None if answer is None else answer.status
        asked = f"{request.method} {request.path} of {mine.code}"
        if before != after:
            found.append(BrokenInvariant("access", f"{asked} changed {before} into {after}"))
        if status not in (*right, None, TOO_MANY, UNAVAILABLE):
            found.append(BrokenInvariant("access", f"{asked} was answered {status}, not {right}"))
        return found

    # At the end ----------------------------------------------------------------------------------

    async def calm(self) -> list[BrokenInvariant]:
        """No faults any more: every request is sent again until it is answered."""
        self._receivers.calm()
        self.sender.hang_up()
        found: list[BrokenInvariant] = []
        while again := self.sender.unanswered:
            self.sender.unanswered = []
            for request in again:
                await self.sender.ask(request)
                found += self.sender.hear()
            if self.sender.unanswered:
                await self._world.advance(MINUTE_S)
        return found

    async def end(self) -> list[BrokenInvariant]:
        """Once everything has had time to arrive."""
        found = self._endpoints.problems()
        for system in self.systems:
            await self._world.advance(MINUTE_S)
            found += await self._feeds.compare(system, None)
            found += await self._feeds.read_again(system)
            found += await self._histories.compare(system)
            keyed = self.sender.promises.keyed
            found += [
                BrokenInvariant("one operation per key", words)
                for words in system.feed.causes(keyed)
            ]
            found += await self._endpoints.end(system)
        return found + self.sender.hear()
