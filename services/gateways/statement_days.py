"""Dates as statements write them, and which of two numbers is the month.

Kenya writes the day first. If a file suggests otherwise, or its dates would then lie in the future,
it is never guessed: whoever supplied it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

DAY_FORMATS = "02/03/2026, 2026-03-02 or 02-Mar-2026"
_TIME = re.compile(r"[ T]+([0-9]{1,2}):[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?( ?Z)?$")
_COMPACT = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})")
_NUMBERS = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_NAMED = re.compile(r"([0-9]{1,2})[ /.-]?([A-Za-z]{3,9})[ /.,-]{0,2}([0-9]{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LAST_MONTH = 12
_NEXT_DAY_AT = 21  # hour (UTC) at which Nairobi's next day begins
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ParsedDay:
    """A date as read; ``swapped`` is the date with its month first, if possible."""

    day: date
    swapped: date | None = None


class InvalidDay(ValueError):
    """There is no such date."""


def read_day(text: str) -> ParsedDay:
    """A date in any unambiguous form, ignoring its time of day; with a UTC time (``Z``), the date
    in Nairobi at that time.

    Raises ``InvalidDay``. If the second number cannot be a month, the date is read month first.
    """
    time = _TIME.search(text.strip())
    if time is None:
        return _read(text.strip())
    written = _read(text.strip()[: time.start()])
    if time[5] is None or (time[4] is None and int(time[1]) < _NEXT_DAY_AT):
        return written
    if time[4] is not None:
        raise InvalidDay(text)  # nobody writes both, and the date depends on it
    swapped = None if written.swapped is None else written.swapped + _DAY
    return ParsedDay(written.day + _DAY, swapped)


def _read(plain: str) -> ParsedDay:
    if match := _COMPACT.fullmatch(plain):
        day, month, year = map(int, match.groups())
        return ParsedDay(_date(year, month, day))
    if match := _ISO.fullmatch(plain):
        year, month, day = map(int, match.groups())
        return ParsedDay(_date(year, month, day))
    if match := _NAMED.fullmatch(plain):
        name = match[2][:3].lower()
        if name not in _MONTHS:
            raise InvalidDay(plain)
        return ParsedDay(_date(int(match[3]), _MONTHS.index(name) + 1, int(match[1])))
    if match := _NUMBERS.fullmatch(plain):
        first, second, year = map(int, match.groups())
        if second > _LAST_MONTH:
            other = _date(year, first, second)
            return ParsedDay(other, other)
        swapped = _date(year, first, second) if first <= _LAST_MONTH and second <= 31 else None
        return ParsedDay(_date(year, second, first), swapped)
    raise InvalidDay(plain)


def month_comes_first(days: Iterable[ParsedDay], today: date | None) -> bool | None:
    """Whether all dates of a file have the month first; ``None`` if that must be asked.

    It must be asked if one can only be read that way, or if a date read day first lies after
    ``today`` and read month first does not.
    """
    for written in days:
        if written.swapped is None or written.swapped == written.day:
            if written.swapped is not None and written.day.day > _LAST_MONTH:
                return None
            continue
        if today is not None and written.swapped <= today < written.day:
            return None
    return False


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise InvalidDay(f"{year}-{month}-{day}") from None
