"""Sends the requests of partners' systems, keeps what was not answered, and checks what was."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.app import App
from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.story import Story
from bot.storm.systems.partner_system import PartnerSystem
from bot.storm.systems.promises import Promises
from bot.storm.systems.request import TOO_MANY, UNAVAILABLE, Answer, Request


class _UnderWay(NamedTuple):
    request: Request
    task: asyncio.Task[Answer]
    product: App  # that it was sent to


class RequestSender:
    def __init__(self, world: World, dice: random.Random, story: Story) -> None:
        self._world = world
        self._dice = dice
        self._story = story
        self.systems: dict[str, PartnerSystem] = {}
        self.promises = Promises()
        self._under_way: list[_UnderWay] = []
        self.unanswered: list[Request] = []
        self._found: list[BrokenInvariant] = []

    @property
    def is_busy(self) -> bool:
        return bool(self._under_way)

    def begin(self, request: Request) -> None:
        """It is answered while the world settles, or later if the bank is asked."""
        self._story.note(f"{request.partner} sends {request.method} {request.path} {request.key}")
        spelled, otherwise = self._spelled(request.body), self._dice.random() < 0.2
        sent = request.send(self._world.door, spelled, otherwise=otherwise)
        self._under_way.append(_UnderWay(request, asyncio.create_task(sent), self._world.app))

    def _spelled(self, body: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The same amount in another spelling is the same request."""
        if body is None or not isinstance(body.get("amount"), int):
            return body
        amount = body["amount"]
        return {**body, "amount": self._dice.choice((amount, f"{amount}", f"{amount}.00"))}

    def hear(self) -> list[BrokenInvariant]:
        """Learn from the answers that have come. Returns what was wrong since the last time."""
        done = [one for one in self._under_way if one.task.done()]
        self._under_way = [one for one in self._under_way if not one.task.done()]
        for one in done:
            self._hear(one.request, one.task.result(), one.product)
        found, self._found = self._found, []
        return found

    def _hear(self, request: Request, answer: Answer, product: App) -> None:
        self._story.tally.calls += 1
        system = self.systems[request.partner]
        was_cut_off = product is not self._world.app
        self._found += self.promises.heard(request, answer, system.codes(), was_cut_off=was_cut_off)
        if answer.status in (UNAVAILABLE, TOO_MANY):
            self._keep(request)
            return
        if request.learn is not None:
            request.learn(answer)
        if request.key is not None:
            system.remember(request)

    def _keep(self, request: Request) -> None:
        """What has a key is sent again until it is answered."""
        if request.key is not None:
            self.unanswered.append(request)

    def hang_up(self) -> None:
        """Wait no longer for answers."""
        for one in self._under_way:
            one.task.cancel()
            self._keep(one.request)
        self._under_way.clear()

    async def ask(self, request: Request) -> Answer | None:
        """Answered while the world stands still. ``None`` if the product died meanwhile, or would
        need time."""
        product, lives = self._world.app, self._world.crash_count
        task = asyncio.create_task(request.send(self._world.door))
        await self._world.settle()
        if not task.done() or lives != self._world.crash_count:
            task.cancel()
            self._keep(request)
            return None
        self._hear(request, task.result(), product)
        return task.result()
