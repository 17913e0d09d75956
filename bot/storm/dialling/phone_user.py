"""Somebody with a phone that dials, and what they press: mostly what they should, and often not."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.simulation.credentials import USSD_CODE
from bot.simulation.ussd.phones import ShownPage
from flows.engine.phone_pages import PhoneScreen

# What is dialled behind the code: some of it tries to decide what nobody has seen.
TAILS = (
    *("1", "1*500", "1*1500*1", "1*1500*1*1", "1*1500*1*1*1*1", "1*9000*2*0722000111*1"),
    *(
        "2",
        "2*500",
        "2*1500",
        "2*5000",
        "2*5000*1*1",
        "3",
        "4",
        "4*1",
        "5",
        "9*9",
        "00*00",
        "*",
        "1**1500",
    ),
)
AMOUNTS = ("500", "1500", "1500", "1500", "9000", "1,500", "20000")
NUMBERS = ("0722000111", "0722 000 111", "12", "+254722000111")
WRONG_KEYS = ("7", "77", "#", "-1", "yes", "0722000111", "menu", "cancel", "topup 500", "/float")
WAYS = ("0", "00", "98")
_OPTION = re.compile(r"^([0-9]{1,2}) ", re.MULTILINE)

How = Literal["dial", "press", "lose", "again", "text", "phone"]


class Act(NamedTuple):
    """``how`` something is sent: a dial or a press, ``copies`` at once; a press that is lost on its
    way; the last hop again; one with another text; or the last as if another phone had sent it."""

    how: How
    value: str = ""
    copies: int = 1


@dataclass
class PhoneUser:
    """``pin`` is the desk PIN of whoever is known. ``page`` is what the phone shows, one of those
    of the product's ``screen``. ``secrets`` are PINs, right and wrong, and words that nobody asked
    for: all may rest nowhere."""

    name: str
    phone: str
    pin: str | None
    page: ShownPage | None = None
    screen: PhoneScreen | None = None
    secrets: set[str] = field(default_factory=set)

    @property
    def is_known(self) -> bool:
        return self.pin is not None

    @property
    def asks_pin(self) -> bool:
        return self.screen is not None and self.screen.decides and self.screen.asks

    def act(self, dice: random.Random, text: str | None) -> Act:
        """What is done next; ``text`` is what the phone has sent in this session, if any."""
        chance = dice.random()
        if text is None or self.page is None or chance < 0.04:  # left in the middle
            return self._dial(dice)
        if chance < 0.10:
            return Act("again", copies=dice.choice((1, 1, 2)))
        if chance < 0.14:
            return Act("text", _other(dice, text))
        if chance < 0.16:
            return Act("phone", "254733000778")
        if not self.page.goes_on:
            return self._dial(dice) if chance < 0.9 else Act("press", dice.choice(WAYS))
        typed = self._typed(dice, self.page.text)
        if chance < 0.20:
            return Act("lose", typed)
        if chance < 0.25:  # two keys before the page of the first has come
            typed = f"{typed}*{dice.choice(('1', '2', *WAYS))}"
        return Act("press", typed, dice.choice((1,) * 9 + (2,)))

    @staticmethod
    def _dial(dice: random.Random) -> Act:
        tail = "" if dice.random() < 0.6 else f"*{dice.choice(TAILS)}"
        return Act("dial", f"{USSD_CODE[:-1]}{tail}#", dice.choice((1,) * 9 + (2,)))

    def _typed(self, dice: random.Random, page: str) -> str:
        if self.asks_pin and self.pin is not None and dice.random() < 0.9:
            typed = self.pin if dice.random() < 0.85 else f"{dice.randrange(1_000_000):06}"
            self.secrets.add(typed)
            return typed
        options: Sequence[str] = _OPTION.findall(page)
        numbered = [option for option in options if option not in WAYS]
        chance = dice.random()
        if chance < 0.04:
            self.secrets.add(secret := f"w{dice.getrandbits(40):010x}")
            return secret
        if chance < 0.10:
            return dice.choice(WRONG_KEYS)
        if chance < 0.18:
            return dice.choice(WAYS)
        if not numbered:
            return dice.choice((*AMOUNTS, *NUMBERS, "00"))
        return "1" if chance < 0.7 else dice.choice(numbered)


class SentHop(NamedTuple):
    """``answers``: what it answers the page with, where it goes on from the newest text, so that it
    may act."""

    user: PhoneUser
    act: Act
    answers: str | None
    answer: asyncio.Future[ShownPage]


def _other(dice: random.Random, text: str) -> str:
    """A text that a confused gateway may send: shorter, or with another end."""
    parts = text.split("*")
    kept = parts[: dice.randrange(len(parts))]
    return "*".join(kept if dice.random() < 0.5 else [*kept, dice.choice(("7", "1", "0"))])
