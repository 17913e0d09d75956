"""Syntax of console commands, and the errors for wrong input."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.simulation.console import demo
from services.domain.phone import Phone

if TYPE_CHECKING:
    from bot.simulation.console.simulator import Simulator

CLIP = 60  # characters of the input that an error repeats
SPAN = r"[0-9]{1,6}[smhd]"
UNITS = {"s": ("second", 1), "m": ("minute", 60), "h": ("hour", 3_600), "d": ("day", 86_400)}


class CommandError(Exception):
    """One line that explains the syntax."""


@dataclass(frozen=True, slots=True)
class Command:
    """``usage`` and ``what`` are the two columns of ``:help``."""

    usage: str
    what: str
    run: Callable[[Simulator, str], Awaitable[None]]


def read_phone(typed: str) -> Phone:
    """A phone as people write it; the demo person's if empty. Raises ``CommandError``."""
    if not typed:
        return demo.PHONE
    digits = re.sub(r"[ +()-]", "", typed)
    if re.fullmatch(r"0[17][0-9]{8}", digits):
        digits = f"254{digits[1:]}"
    try:
        return Phone(digits)
    except ValueError:
        raise CommandError(
            f"{clip(typed)} is not a Kenyan mobile number such as 0712 345 678."
        ) from None


def span_of(written: str) -> timedelta:
    """The duration of a text matching ``SPAN``."""
    return timedelta(seconds=int(written[:-1]) * UNITS[written[-1]][1])


def clip(text: str, most: int = CLIP) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
