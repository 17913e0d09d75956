"""How templates write moments, durations and amounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from services.domain.business_days import NAIROBI
from services.domain.money import Money


def moment(at: datetime) -> str:
    """In Nairobi: ``Mon 2 Mar, 09:00:05``."""
    local = at.astimezone(NAIROBI)
    return f"{local:%a} {local.day} {local:%b, %H:%M:%S}"


def time_of_day(at: datetime) -> str:
    return f"{at.astimezone(NAIROBI):%H:%M:%S}"


def left(span: timedelta) -> str:
    """``now``, ``12 s``, ``3 min 05 s``, ``2 h 10 min`` or ``3 d 4 h``."""
    seconds = int(span.total_seconds())
    if seconds < 1:
        return "now"
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    if seconds < 86_400:
        return f"{seconds // 3_600} h {seconds % 3_600 // 60:02} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3_600} h"


def amount(money: Money) -> str:
    return f"{money.cents / 100:,.2f}"


def result(answer: str) -> str:
    """Our answer to a notification, of NCBA's two result codes."""
    return {"0": "accepted (0)", "1": "refused (1)"}.get(answer, "not answered yet")


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "time_of_day": time_of_day,
    "left": left,
    "amount": amount,
    "result": result,
}
