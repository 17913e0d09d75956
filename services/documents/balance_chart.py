"""A chart of a balance over time: a step line, since a balance stands until the next movement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from itertools import groupby, pairwise
from math import ceil
from typing import TYPE_CHECKING

from services.documents import DocumentsMissing
from services.documents.lettering import REGULAR, drawable
from services.documents.words import Words
from services.domain.business_days import NAIROBI
from services.domain.money import EXPONENTS, CurrencyMismatch, Money

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

WIDTHS_PX = range(320, 4001)
HEIGHTS_PX = range(240, 4001)
TITLE_MAX = 80  # characters
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 28, 64, 48  # px around the plot
_TICK_EVERY_PX = (110, 64)  # space a date and an amount need
_WHITE, _INK, _GREY, _RULE = (255, 255, 255), (33, 37, 41), (108, 117, 125), (211, 222, 218)
_LINE, _AREA, _THRESHOLD = (15, 81, 66), (226, 240, 235), (192, 57, 43)
_SHADE = 8  # shades between ink and background: about 200 colours, within a palette of 256
_WEEK = 168
_HOURS = (1, 2, 3, 6, 12, 24, 48, *(weeks * _WEEK for weeks in (1, 2, 4, 8, 13, 26, 52)))
_WEEK_LEAST_PX = 4  # weeks that are closer together have no ticks
_SPAN_LEAST = timedelta(hours=6)  # so that a single moment still has an axis
_SHORT = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Moments and minor units to pixels; ticks are at every ``step`` from ``lowest``."""

    since: datetime
    until: datetime
    lowest: int
    highest: int
    step: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.width - _RIGHT

    @property
    def bottom(self) -> int:
        return self.height - _BOTTOM

    def x(self, at: datetime) -> int:
        return _LEFT + round((at - self.since) / (self.until - self.since) * (self.right - _LEFT))

    def y(self, cents: int) -> int:
        part = (cents - self.lowest) / (self.highest - self.lowest)
        return self.bottom - round(part * (self.bottom - _TOP))


@dataclass(frozen=True, slots=True)
class _Column:
    """Pixels; ``top`` is above ``bottom`` and therefore the smaller number."""

    x: int
    bottom: int
    top: int
    last: int


def balance_chart(
    points: Sequence[tuple[datetime, Money]],
    *,
    title: str,
    words: Words,
    width: int = 1000,
    height: int = 560,
    threshold: Money | None = None,
) -> bytes:
    """A PNG of ``width`` by ``height`` pixels, the same bytes for the same arguments.

    ``points`` are moments (aware), oldest first, with the balance from then on; 100,000 are drawn
    as fast as the pixels allow. ``threshold`` is drawn as a dashed line, such as the low-balance
    alert. Raises ``AssertionError`` if the points go back in time or the size is outside
    ``WIDTHS_PX`` and ``HEIGHTS_PX``, ``CurrencyMismatch``, and ``DocumentsMissing`` without the
    extra.
    """
    if width not in WIDTHS_PX or height not in HEIGHTS_PX:
        raise AssertionError(f"a chart of {width} by {height} pixels")
    if any(later < at for (at, _), (later, _) in pairwise(points)):
        raise AssertionError("the points go back in time")
    try:
        from PIL import Image as images
        from PIL import ImageDraw
    except ImportError as missing:
        raise DocumentsMissing from missing

    image = images.new("RGB", (width, height), _WHITE)
    pen = _Pen(ImageDraw.Draw(image))
    latest = str(points[-1][1]) if points else ""
    pen.text((width - _RIGHT, 20), latest, size=22, anchor="rt", ink=_LINE)
    room = width - _LEFT - _RIGHT - pen.length(latest, 22) - 24
    pen.text((_LEFT, 20), pen.fitted(title, room, 22), size=22, anchor="lt", ink=_INK)
    if points:
        scale = _scale(points, threshold, width, height)
        columns = _columns(points, scale)
        _area(pen.draw, columns, scale)
        _amounts(pen, scale, points[0][1].currency)
        _dates(pen, scale, words)
        if threshold:
            _dashes(pen.draw, scale.y(threshold.cents), scale)
        _steps(pen.draw, columns, scale)
        if threshold:  # last, so that the line does not cross the words
            at = _LEFT + 6, scale.y(threshold.cents) - 4
            mark = words("chart.mark", amount=threshold)
            pen.text(at, mark, size=13, anchor="ls", ink=_THRESHOLD, edge=2)
    else:
        pen.text((width // 2, height // 2), words("chart.nothing"), size=18, anchor="mm")
    file = BytesIO()
    few = image.quantize(palette=_palette(), dither=images.Dither.NONE)
    few.save(file, "PNG")  # with a palette, a third of the bytes in a quarter of the time
    return file.getvalue()


@cache
def _palette() -> Image:
    """Every ink, and its shades on each background. Pillow merges colours that are closer together
    than four."""
    from PIL.Image import new

    shades = [_WHITE, _AREA]
    for ink in (_INK, _GREY, _RULE, _LINE, _THRESHOLD):
        for ground in (_WHITE, _AREA):
            steps = max(abs(g - i) for i, g in zip(ink, ground, strict=True)) // _SHADE + 1
            for part in range(1, steps + 1):
                pairs = zip(ink, ground, strict=True)
                r, g, b = (g + round((i - g) * part / steps) for i, g in pairs)
                shades.append((r, g, b))
    image = new("P", (1, 1))
    image.putpalette([value for shade in shades for value in shade])
    return image


class _Pen:
    """Writes with the font of all documents."""

    def __init__(self, draw: ImageDraw) -> None:
        self.draw = draw
        self._fonts: dict[int, FreeTypeFont] = {}

    def text(
        self,
        at: tuple[int, int],
        text: str,
        *,
        size: int,
        anchor: str,
        ink: tuple[int, int, int] = _GREY,
        edge: int = 0,
    ) -> None:
        """``edge`` is a white outline in pixels around the letters, for where they meet the
        line."""
        font = self._font(size)
        self.draw.text(at, text, ink, font, anchor, stroke_width=edge, stroke_fill=_WHITE)

    def length(self, text: str, size: int) -> float:
        return self._font(size).getlength(text)

    def fitted(self, text: str, room: float, size: int) -> str:
        """One line of ``text``, cut if longer than ``room`` pixels."""
        line = " ".join(drawable(text[: TITLE_MAX + 1]).split())
        if len(line) <= TITLE_MAX and self.length(line, size) <= room:
            return line
        line = line[:TITLE_MAX]
        while line and self.length(f"{line}…", size) > room:
            line = line[:-1]
        return f"{line.rstrip()}…"

    def _font(self, size: int) -> FreeTypeFont:
        from PIL.ImageFont import Layout, truetype

        if size not in self._fonts:
            self._fonts[size] = truetype(REGULAR, size, layout_engine=Layout.BASIC)
        return self._fonts[size]


def _scale(
    points: Sequence[tuple[datetime, Money]], threshold: Money | None, width: int, height: int
) -> _Scale:
    """Zero is always in view: a chart that starts at a million would look like a crash."""
    currency = points[0][1].currency
    shown = [money for _, money in points] + ([threshold] if threshold else [])
    if any(money.currency != currency for money in shown):
        raise CurrencyMismatch(f"{currency} and others in one chart")
    lowest = min(0, min(money.cents for money in shown))
    highest = max(0, max(money.cents for money in shown))
    ticks = max(2, (height - _TOP - _BOTTOM) // _TICK_EVERY_PX[1])
    step = _round_step((highest - lowest) / ticks, least=10 ** EXPONENTS[currency])
    since, until = points[0][0], points[-1][0]
    pad = max(timedelta(), _SPAN_LEAST - (until - since)) / 2
    return _Scale(
        since=since - pad,
        until=until + pad,
        lowest=lowest // step * step,
        highest=max(-(-highest // step), 1) * step,
        step=step,
        width=width,
        height=height,
    )


def _round_step(wanted: float, *, least: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 … times ``least``."""
    step = least
    while step < wanted:
        step *= 10
    for part in (5, 2):
        if step > least and step // part >= wanted:
            return step // part
    return step


def _columns(points: Sequence[tuple[datetime, Money]], scale: _Scale) -> list[_Column]:
    """One column per pixel, with the lowest, highest and last balance within it."""
    columns: list[_Column] = []
    for x, group in groupby(points, key=lambda point: scale.x(point[0])):
        cents = [money.cents for _, money in group]
        columns.append(_Column(x, scale.y(min(cents)), scale.y(max(cents)), scale.y(cents[-1])))
    return columns


def _area(draw: ImageDraw, columns: Sequence[_Column], scale: _Scale) -> None:
    for column, following in pairwise(columns):
        top, bottom = sorted((column.last, scale.y(0)))
        draw.rectangle((column.x, top, following.x, bottom), _AREA)


def _steps(draw: ImageDraw, columns: Sequence[_Column], scale: _Scale) -> None:
    before = None
    for column in columns:
        top, bottom = column.top, column.bottom
        if before:
            draw.line((before.x, before.last, column.x, before.last), _LINE, 2)
            top, bottom = min(top, before.last), max(bottom, before.last)
        draw.line((column.x, top, column.x, bottom), _LINE, 2)
        before = column
    x, y = columns[-1].x, columns[-1].last
    draw.ellipse((x - 4, y - 4, x + 4, y + 4), _LINE)


def _amounts(pen: _Pen, scale: _Scale, currency: str) -> None:
    pen.text((_LEFT - 10, _TOP - 14), currency, size=13, anchor="rs")
    for cents in range(scale.lowest, scale.highest + 1, scale.step):
        y = scale.y(cents)
        pen.draw.line((_LEFT, y, scale.right, y), _GREY if cents == 0 else _RULE)
        pen.text((_LEFT - 10, y), short(Money(cents, currency)), size=13, anchor="rm")


def _dates(pen: _Pen, scale: _Scale, words: Words) -> None:
    """Days below the axis, as many as there is room for, and a tick for every week between."""
    step = _step(scale)
    for at in _ticks(scale, min(step, _WEEK)) if _shows_weeks(scale) else ():
        x = scale.x(at)
        pen.draw.line((x, scale.bottom, x, scale.bottom + 4), _GREY)
    before, free_from = None, 0
    for at in _ticks(scale, step):
        x = scale.x(at)
        pen.draw.line((x, scale.bottom, x, scale.bottom + 7), _GREY)
        label = _moment(at, before, words)
        half = ceil(pen.length(label, 13) / 2)
        inside = min(x, scale.width - 4 - half)
        if inside - half >= free_from:
            pen.text((inside, scale.bottom + 12), label, size=13, anchor="mt")
            before, free_from = at, inside + half + 8


def _dashes(draw: ImageDraw, y: int, scale: _Scale) -> None:
    for x in range(_LEFT, scale.right, 14):
        draw.line((x, y, min(x + 8, scale.right), y), _THRESHOLD)


def _step(scale: _Scale) -> int:
    """Hours between two days that are named."""
    most = max(1, (scale.right - _LEFT) // _TICK_EVERY_PX[0])
    hours = (scale.until - scale.since) / timedelta(hours=1)
    weeks = ceil(hours / most / _WEEK)
    return next((step for step in _HOURS if hours / step <= most), weeks * _WEEK)


def _shows_weeks(scale: _Scale) -> bool:
    weeks = (scale.until - scale.since) / timedelta(hours=_WEEK)
    return (scale.right - _LEFT) / max(weeks, 1) >= _WEEK_LEAST_PX


def _ticks(scale: _Scale, step: int) -> Iterator[datetime]:
    """Round moments in Nairobi time, which has no daylight saving, ``step`` hours apart."""
    at = scale.since.astimezone(NAIROBI).replace(hour=0, minute=0, second=0, microsecond=0)
    while at < scale.since:
        at += timedelta(hours=min(step, 24))
    while at <= scale.until:
        yield at
        at += timedelta(hours=step)


def _moment(at: datetime, before: datetime | None, words: Words) -> str:
    """What changed since the previous label: the hour, the day, the year."""
    if before and before.date() == at.date():
        return f"{at:%H:%M}"
    day = words.day_of_year(at.date())
    if not before or before.year != at.year:
        day = words.day(at.date())
    return f"{day}, {at:%H:%M}" if at.hour else day


def short(money: Money) -> str:
    """An amount without currency, short enough for an axis: 1.5k, 2M. At most three digits."""
    amount = abs(Decimal(money.decimal))
    sign = "-" if money.cents < 0 else ""
    for size, letter in _SHORT:
        if amount >= size:
            return f"{sign}{_plain(amount / size)}{letter}"
    return f"{sign}{_plain(amount)}"


def _plain(amount: Decimal) -> str:
    text = f"{amount:.3f}"
    return text.rstrip("0").rstrip(".")
