"""Reads partners' feeds to their ends, and compares them with what else the API tells."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.systems.feed import Event, Feed, as_told
from bot.storm.systems.partner_system import PartnerSystem
from bot.storm.systems.request_sender import RequestSender

PAGES = (7, 100, 200)  # events of one page


class FeedReader:
    def __init__(self, world: World, dice: random.Random, sender: RequestSender) -> None:
        self._world = world
        self._dice = dice
        self._sender = sender

    async def catch_up(self, system: PartnerSystem) -> list[BrokenInvariant]:
        """Read on to the end."""
        return [_feed(words) for words in await self._read_on(system, system.feed)]

    async def _read_on(self, system: PartnerSystem, feed: Feed) -> list[str]:
        found: list[str] = []
        has_more = True
        while has_more:
            query = f"limit={self._dice.choice(PAGES)}"
            if feed.last_id is not None:
                query += f"&after={feed.last_id}"
            answer = await self._sender.ask(system.get("/v1/events", query))
            if answer is None:
                continue
            if answer.status != 200:
                return [*found, f"after {feed.last_id} the feed answers {answer.status}"]
            page = answer.members()
            found += feed.read(page["data"])
            has_more = page["has_more"]
            if has_more and not page["data"]:
                return [*found, f"after {feed.last_id} there is more, and nothing comes"]
        return found

    async def compare(
        self, system: PartnerSystem, references: Sequence[str] | None
    ) -> list[BrokenInvariant]:
        """Each operation is what its newest event tells; ``None`` compares all of them."""
        found: list[BrokenInvariant] = []
        lives = -1
        while lives != self._world.crash_count:  # a restarted product does what is due
            await self._world.settle()
            lives = self._world.crash_count
            found += await self.catch_up(system)
            known = list(system.feed.newest) if references is None else references
            differs = [words for one in known for words in await self._differs(system, one)]
        return found + [_feed(words) for words in differs]

    async def _differs(self, system: PartnerSystem, reference: str) -> list[str]:
        answer = await self._sender.ask(system.get(f"/v1/operations/{reference}"))
        if answer is None:
            return []
        if answer.status != 200 or as_told(answer.members()) != system.feed.newest[reference]:
            told = system.feed.newest[reference]
            return [f"{reference} is {answer.body!r}, and its newest event tells {told}"]
        return []

    async def read_again(self, system: PartnerSystem) -> list[BrokenInvariant]:
        """From the first event on, everything is as it was when it was read first."""
        again = Feed(system.code)
        found = [_feed(words) for words in await self._read_on(system, again)]
        return found + [_feed(words) for words in _changes(system.feed.events, again.events)]


def _changes(before: Sequence[Event], now: Sequence[Event]) -> Iterator[str]:
    for event, again in zip(before, now, strict=False):
        if event != again:
            yield f"{event['id']} was {event}, and is now {again}"
            return
    if len(before) != len(now):
        yield f"{len(before)} events were read, and now there are {len(now)}"


def _feed(words: str) -> BrokenInvariant:
    return BrokenInvariant("feed", words)
