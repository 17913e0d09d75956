"""A page of a menu as a phone shows it, with what a gateway counts of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from bot.simulation.console.screen import Ink, Line, quiet
from bot.simulation.ussd.phones import ShownPage
from services.domain.ussd import PAGE_SEPTETS

WIDTH = 32  # columns of the phone's screen

_WORDS = {True: "CON, waits for an answer", False: "END, the session is over"}


def framed(page: ShownPage, took_s: float | None) -> list[Line]:
    """``took_s``: real seconds until the page was there; ``None`` if it is shown once more.

    The counter has what the gateway sends, ``CON`` or ``END`` included.
    """
    edge = "─" * (WIDTH + 2)
    below = [_WORDS[page.goes_on], f"{page.septets} of {PAGE_SEPTETS}"]
    if took_s is not None:
        below.append(f"{took_s * 1000:.0f} ms")
    return [
        Line(f"  ┌{edge}┐"),
        *(Line(f"  │ {row:{WIDTH}} │") for row in _rows(page.text)),
        Line(f"  └{edge}┘"),
        Line(f"  {' · '.join(below)}", Ink.QUIET),
    ]


def no_page(why: str) -> list[Line]:
    """What a phone says when nothing it can show came back."""
    return [Line("  Connection problem or invalid MMI code."), quiet(f"The gateway: {why}.")]


def _rows(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from textwrap.wrap(line, WIDTH, break_on_hyphens=False) or [""]
