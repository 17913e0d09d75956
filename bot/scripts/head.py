"""The head of a script: its title and how it should be played."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.scripts.source_line import SourceLine

_LINE = re.compile(r"(title|channels|seed|lang|restart):\s*(.*)")
# Channels of the script language; the command decides which of them the build has.
CHANNELS = ("telegram", "terminal", "ussd", "web")
LANGUAGES = ("en", "sw")


@dataclass(frozen=True, slots=True)
class ScriptHead:
    """Without ``channels`` a script runs on every channel the build has.

    ``restart`` is False if a restart after every line would legitimately change the outcome.
    """

    title: str = ""
    channels: tuple[str, ...] = ()
    seed: int = 1
    lang: str = "en"
    restart: bool = True


def head_line(text: str) -> tuple[str, str] | None:
    """(key, value) if ``text`` is a line of the head."""
    found = _LINE.fullmatch(text)
    return (found[1], found[2]) if found else None


def with_line(head: ScriptHead, at: SourceLine, key: str, value: str) -> ScriptHead:
    """``head`` with one more line read. Raises ``ScriptError``."""
    match key:
        case "title":
            return replace(head, title=value)
        case "channels":
            channels = tuple(dict.fromkeys(value.replace(",", " ").split()))
            for channel in channels:
                if channel not in CHANNELS:
                    raise at.error(f"there is no channel {channel!r}")
            if not channels:
                raise at.error("channels: names no channel")
            return replace(head, channels=channels)
        case "seed":
            if not re.fullmatch(r"[0-9]+", value):
                raise at.error(f"the seed is a whole number, not {value!r}")
            return replace(head, seed=int(value))
        case "lang":
            if value not in LANGUAGES:
                raise at.error(f"lang is en or sw, not {value!r}")
            return replace(head, lang=value)
        case _:
            # A reason follows: "no (a bank call is in flight)".
            if not re.match(r"no\b", value):
                raise at.error(f"restart can only be no, with the reason, not {value!r}")
            return replace(head, restart=False)
