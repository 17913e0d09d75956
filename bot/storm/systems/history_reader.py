"""Reads a partner's whole history through the API, and holds it against balance and events."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.systems.feed import as_told
from bot.storm.systems.partner_system import PartnerSystem
from bot.storm.systems.request_sender import RequestSender

PAGES = (20, 50, 200)  # operations of one page
WITH_EVENTS = ("topup", "float", "payout")


class HistoryReader:
    def __init__(self, world: World, dice: random.Random, sender: RequestSender) -> None:
        self._world = world
        self._dice = dice
        self._sender = sender

    async def compare(self, system: PartnerSystem) -> list[BrokenInvariant]:
        """Once its feed was read to the end, while nothing happens and nothing crashes."""
        operations: list[Mapping[str, Any]] = []
        query = ""
        while True:
            limit = f"limit={self._dice.choice(PAGES)}"
            answer = await self._sender.ask(system.get("/v1/transactions", limit + query))
            assert answer is not None, "faults have stopped"
            page = answer.members()
            operations += page["data"]
            if page["next_cursor"] is None:
                break
            query = f"&cursor={page['next_cursor']}"
        balance = await self._sender.ask(system.get("/v1/balance"))
        assert balance is not None, "faults have stopped"
        wallet = Decimal(balance.members()["wallet"]["balance"])
        found = [*_sum(operations, wallet), *_against(operations, system.feed.newest)]
        return [BrokenInvariant("history", f"of {system.code}: {words}") for words in found]


def _sum(operations: Sequence[Mapping[str, Any]], wallet: Decimal) -> Iterator[str]:
    changed = sum((Decimal(one["wallet_change"]) for one in operations), Decimal())
    if changed != wallet:
        yield f"it sums to {changed}, and the wallet has {wallet}"


def _against(
    operations: Sequence[Mapping[str, Any]], newest: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    listed = {one["reference"]: one for one in operations}
    if len(listed) != len(operations):
        yield "an operation stands in it twice"
    for reference, told in newest.items():
        if told["kind"] == "payout_batch":  # its rows stand there
            continue
        if reference not in listed or as_told(listed[reference]) != told:
            yield f"{reference} is {listed.get(reference)} in it, and {told} in the feed"
    for reference, one in listed.items():
        if one["kind"] in WITH_EVENTS and reference not in newest:
            yield f"{reference} stands in it, and no event told of it"
