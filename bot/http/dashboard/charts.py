"""Bars, drawn as SVG by the server; words beside them say the same as their colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT = 100, 10  # of the drawing, which is stretched to the width that there is


class Part(NamedTuple):
    """``colour`` is one of the classes of base.css."""

    name: str
    number: int
    colour: str


def stacked_bar(parts: Sequence[Part], name: str) -> Markup:
    """Nothing where there is nothing to show."""
    whole = sum(part.number for part in parts)
    if not whole:
        return Markup("")
    words = ", ".join(f"{part.number:,} {part.name}" for part in parts if part.number)
    pieces, at = Markup(""), 0.0
    for part in parts:
        width = WIDTH * part.number / whole
        pieces += Markup('<rect x="{:.2f}" width="{:.2f}" height="{}" class="fill-{}"/>').format(
            at, width, HEIGHT, part.colour
        )
        at += width
    return Markup(
        '<svg class="bar-chart" role="img" aria-label="{}" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="none">{}</svg>'
    ).format(f"{name}: {words}", WIDTH, HEIGHT, pieces)


def share_bar(part: int, whole: int) -> Markup:
    """Beside the number that it draws, so it has no words of its own."""
    return Markup(
        '<svg class="bar-chart" aria-hidden="true" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<rect width="{}" height="{}" class="fill-quiet"/>'
        '<rect width="{:.2f}" height="{}" class="fill-accent"/></svg>'
    ).format(WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH * part / whole if whole else 0.0, HEIGHT)
