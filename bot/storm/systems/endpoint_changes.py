"""Partners' webhook endpoints in a storm: added, tested, removed, and checked at the end."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.story import Story
from bot.storm.systems.endpoint import Behaviour, Endpoint
from bot.storm.systems.feed_reader import FeedReader
from bot.storm.systems.partner_system import PartnerSystem
from bot.storm.systems.receivers import StormReceivers
from bot.storm.systems.request_sender import RequestSender
from services.domain.partner_event import EVENT_TYPES

PATH = "/v1/webhook-endpoints"
ENDPOINTS_MAX = 4  # of one partner


class EndpointChanges:
    def __init__(
        self,
        world: World,
        dice: random.Random,
        story: Story,
        receivers: StormReceivers,
        sender: RequestSender,
        feeds: FeedReader,
    ) -> None:
        self._world = world
        self._dice = dice
        self._story = story
        self._receivers = receivers
        self._sender = sender
        self._feeds = feeds
        self._made = 0

    def of(self, system: PartnerSystem) -> list[Endpoint]:
        found = self._receivers.endpoints.values()
        return [one for one in found if one.partner == system.code and not one.is_removed]

    async def step(self, system: PartnerSystem) -> None:
        """Change something now and then, while the world stands still."""
        dice, endpoints = self._dice, self.of(system)
        for endpoint in endpoints:
            if dice.random() < 0.08:
                does = self._receivers.change(endpoint)
                kind = "" if does is Behaviour.TAKES else "webhook"
                self._story.heard_of(kind, f"the receiver of {endpoint.id} {does}")
        if dice.random() < 0.03 and len(endpoints) < ENDPOINTS_MAX:
            await self.add(system)
        if not endpoints:
            return
        endpoint = dice.choice(endpoints)
        if dice.random() < 0.01:
            await self._remove(system, endpoint.id)
            endpoint.is_removed = True
        elif dice.random() < 0.05:
            self._sender.begin(system.post(f"{PATH}/{endpoint.id}/test"))
        if dice.random() < 0.1 and system.feed.events:
            id_ = dice.choice(system.feed.events[-20:])["id"]
            for one in endpoints:
                one.resent.add(id_)
            self._sender.begin(system.post(f"/v1/events/{id_}/resend"))

    async def add(self, system: PartnerSystem) -> None:
        """Nothing else happens meanwhile, so everything after the newest event is to be sent."""
        types = None
        if self._dice.random() < 0.3:
            types = tuple(one for one in EVENT_TYPES if self._dice.random() < 0.6) or None
        while True:
            self._made += 1
            url = f"https://{system.code.lower()}.example/hooks/{self._made}"
            lives = self._world.crash_count
            await self._feeds.catch_up(system)
            body: dict[str, Any] = {"url": url, "types": None if types is None else list(types)}
            answer = await self._sender.ask(system.post(PATH, body))
            if answer is not None and answer.status != 201:
                return
            if answer is not None and lives == self._world.crash_count:
                break
            await self._remove_unknown(system, url)
        members = answer.members()
        self._sender.promises.secrets.add(members["secret"])
        self._receivers.endpoints[url] = Endpoint(
            system.code, url, members["id"], members["secret"], types, system.feed.last_place
        )

    async def _remove_unknown(self, system: PartnerSystem, url: str) -> None:
        """Whether it was made is not known, nor its secret."""
        for one in await self._listed(system):
            if one["url"] == url:
                await self._remove(system, one["id"])

    async def _remove(self, system: PartnerSystem, id_: str) -> None:
        request = replace(system.get(f"{PATH}/{id_}"), method="DELETE")
        while await self._sender.ask(request) is None:
            pass

    async def _listed(self, system: PartnerSystem) -> list[dict[str, Any]]:
        while (answer := await self._sender.ask(system.get(PATH))) is None:
            pass
        listed: list[dict[str, Any]] = answer.members()["data"]
        return listed

    def problems(self) -> list[BrokenInvariant]:
        """What was wrong with what arrived since the last time."""
        found = []
        for endpoint in self._receivers.endpoints.values():
            found += [BrokenInvariant("webhooks", words) for words in endpoint.problems]
            endpoint.problems.clear()
        return found

    async def end(self, system: PartnerSystem) -> list[BrokenInvariant]:
        """Everything has had time to arrive."""
        listed = {one["id"]: one for one in await self._listed(system)}
        words: list[str] = []
        for endpoint in self.of(system):
            is_on = endpoint.id in listed and listed[endpoint.id]["enabled"]
            if endpoint.was_gone == is_on:
                words.append(f"{endpoint.id} is {listed.get(endpoint.id)}, which was not its end")
            words += endpoint.differing(system.feed)
            if not endpoint.was_gone:
                words += endpoint.missing(system.feed)
        return [BrokenInvariant("webhooks", text) for text in words]
