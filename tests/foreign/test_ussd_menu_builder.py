"""A menu of npm's ussd-menu-builder reads the same `text`, and is reached at the same places.

It follows the whole text from the start with every hop. Hazina remembers the text before, and goes
on from there. On purpose they differ in this:

- the same text once more: there money is asked for again, here the stored page is shown;
- three wrong entries in a row end a session here;
- a text that is dialled at once, or comes after a lost hop, never goes past a Confirm here;
- here 0, 00 and 98 have a meaning everywhere, and a bare amount at the menu offers what can be done
  with it; so these are not compared.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from services.domain.ussd import Page
from tests.kit.hop_desk import HopDesk
from tests.kit.plain_store import PlainStore
from tests.kit.turns_on_database import seed

MENU = Path(__file__).parent / "ussd_menu"
NODE = shutil.which("node")
pytestmark = [
    pytest.mark.foreign,
    pytest.mark.skipif(NODE is None, reason="node is missing: apt-get install nodejs npm"),
    pytest.mark.skipif(
        not (MENU / "node_modules").exists(),
        reason="ussd-menu-builder is not installed: `make foreign` does it where npm is",
    ),
]

SESSIONS = 150
HOPS_MAX = 9
MISSES_MAX = 2  # in a row; a third ends a session here
KEYS = ("1", "1", "1", "2", "3", "4", "1500", "700", "abc", "0722000111", "9")
AT_THE_MENU = ("1", "1", "1", "3", "4", "9", "x")  # 2 asks for a PIN; amounts and numbers: above


class Reached(NamedTuple):
    place: str
    goes_on: bool


class Builder:
    """The other menu, as a process."""

    def __init__(self) -> None:
        assert NODE is not None
        self._process = subprocess.Popen(
            [NODE, "menu.js"], cwd=MENU, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.asked = 0  # how often money was asked for, in all

    def reach(self, text: str) -> Reached:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(text)}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        self.asked = answer["asked"]
        return Reached(answer["place"], answer["goesOn"])

    def end(self) -> None:
        self._process.communicate(timeout=30)


class Ours:
    """One session of a desk with nothing in it."""

    def __init__(self, store: PlainStore) -> None:
        store.undo()
        store.do(seed)
        self.desk = HopDesk(store)

    def hop(self, text: str) -> Page:
        return asyncio.run(self.desk.hop("session", text))

    def reach(self, text: str) -> Reached:
        page = self.hop(text)
        node = self.desk.node()
        return Reached("menu" if node is None else node.id, page.goes_on)

    def count(self) -> int:
        return self.desk.store.count("SELECT count(*) FROM wallet_transactions")


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    builder = Builder()
    yield builder
    builder.end()


def agree(theirs: Reached, ours: Reached) -> bool:
    """A session that has ended leaves the conversation wherever the top-up is."""
    return theirs == ours if theirs.goes_on else not ours.goes_on


def texts(dice: random.Random, builder: Builder) -> Iterator[str]:
    """A text that grows by a key a hop, until the session is over or too much was wrong."""
    text, place, misses = "", builder.reach(""), 0
    yield text
    for _ in range(HOPS_MAX):
        key = dice.choice(AT_THE_MENU if place.place == "menu" else KEYS)
        text = f"{text}*{key}" if text else key
        before, place = place, builder.reach(text)
        misses = misses + 1 if place == before else 0
        if misses > MISSES_MAX:
            return
        yield text
        if not place.goes_on:
            return


@pytest.mark.parametrize("number", range(SESSIONS))
def test_the_same_keys_lead_to_the_same_place(
    store: PlainStore, builder: Builder, number: int
) -> None:
    ours = Ours(store)
    for text in texts(random.Random(number), builder):
        assert agree(builder.reach(text), ours.reach(text)), text


@pytest.mark.parametrize("number", range(SESSIONS))
def test_what_is_dialled_at_once_leads_there_too_but_not_past_a_confirm(
    store: PlainStore, builder: Builder, number: int
) -> None:
    parts = list(texts(random.Random(number), builder))[-1].split("*")
    steps = ["*".join(parts[:n]) for n in range(len(parts) + 1)]
    stops = [text for text in steps if builder.reach(text).place == "confirm"]
    expected = builder.reach(stops[0] if stops else steps[-1])
    assert agree(expected, Ours(store).reach(steps[-1])), steps[-1]


@pytest.mark.parametrize("number", range(SESSIONS))
def test_a_lost_hop_is_made_up_for_unless_it_led_to_a_confirm(
    store: PlainStore, builder: Builder, number: int
) -> None:
    dice = random.Random(number)
    hops = list(texts(dice, builder))
    lost = dice.randrange(1, max(2, len(hops) - 1))
    ours = Ours(store)
    for n, text in enumerate(hops):
        if n == lost:
            continue
        place = ours.reach(text)
        if n == lost + 1 and builder.reach(hops[lost]).place == "confirm":
            assert place == Reached("confirm", goes_on=True), text
            return  # what came with the lost key was not taken
        assert agree(builder.reach(text), place), text


def test_money_is_asked_for_once_however_often_the_hop_comes(
    store: PlainStore, builder: Builder
) -> None:
    ours, before = Ours(store), builder.asked
    steps = ("", "1", "1*1500", "1*1500*1", "1*1500*1*1")
    for text in steps:
        ours.hop(text)
    builder.reach(steps[-1])
    page = ours.hop(steps[-1])
    for _ in range(3):
        assert ours.hop(steps[-1]) == page
        builder.reach(steps[-1])
    assert ours.count() == 1
    assert builder.asked - before == 4
