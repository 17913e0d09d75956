"""How the dashboard writes ages, shares and counts: in English, as the admins' log is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from math import isinf
from typing import Any

from babel.dates import format_date
from markupsafe import Markup

from bot.http.dashboard.charts import share_bar, stacked_bar
from bot.http.web.wording import amount, moment
from services.domain.money import Money
from services.domain.runway import PAID_FOR, Runway

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
LASTS_MAX_DAYS, FEW_DAYS = 365, 10
COUNTED_MAX = 1_000  # rows of one kind; a count stops there


def with_currency(money: Money) -> str:
    return f"{money.currency} {amount(money)}"


def moment_coarse(at: datetime) -> Markup:
    """To the minute, for what comes round all the time."""
    return moment(at.replace(second=0, microsecond=0), "d MMM y, HH:mm")


def day(of: date) -> str:
    return format_date(of, "EEE d MMM yyyy", locale="en")


def duration(seconds: float) -> str:
    """In its two largest units; no seconds beyond a minute, which would change all the time."""
    rest = max(0, int(seconds))
    if rest < 60:
        return f"{rest} s"
    parts: list[str] = []
    for name, length in _UNITS[:-1]:
        number, rest = divmod(rest, length)
        if number or parts:
            parts.append(f"{number} {name}")
    return " ".join(parts[:2])


def duration_coarse(seconds: float) -> str:
    """To the minute."""
    return "under a minute" if seconds < 60 else duration(seconds)


def bound(seconds: float | None) -> str:
    """Of a histogram (``measured.within_s``)."""
    if seconds is None:
        return "–"
    if isinf(seconds):
        return "more"
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def age(since: datetime, now: datetime) -> str:
    """To the minute."""
    return duration_coarse((now - since).total_seconds())


def counted(number: int) -> str:
    """Counts stop at ``COUNTED_MAX``."""
    return f"{number:,}+" if number >= COUNTED_MAX else f"{number:,}"


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def lasting(runway: Runway) -> str:
    """In days, of which a tenth counts while there are few."""
    days = runway.days
    if days is None:
        return f"no payouts in {PAID_FOR.days} days"
    if days > LASTS_MAX_DAYS:
        return "over a year"
    return f"{days:.1f} days" if days < FEW_DAYS else f"{days:.0f} days"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "amount": amount,
    "with_currency": with_currency,
    "moment": moment,
    "moment_coarse": moment_coarse,
    "day": day,
    "duration": duration,
    "duration_coarse": duration_coarse,
    "bound": bound,
    "age": age,
    "counted": counted,
    "share": share,
    "lasting": lasting,
    "stacked_bar": stacked_bar,
    "share_bar": share_bar,
}
