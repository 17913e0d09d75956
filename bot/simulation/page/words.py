"""How the page writes moments, durations and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from bot.http.web.wording import amount, moment


def with_day(at: datetime) -> Markup:
    """``Mon 2 Mar, 09:00:05``: a world's clock is of its own day."""
    return moment(at, "EEE d MMM, HH:mm:ss")


def time_of_day(at: datetime) -> Markup:
    return moment(at, "HH:mm:ss")


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


def result(answer: str) -> str:
    """Our answer to a notification, of NCBA's two result codes."""
    return {"0": "accepted (0)", "1": "refused (1)"}.get(answer, "not answered yet")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "with_day": with_day,
    "time_of_day": time_of_day,
    "left": left,
    "amount": amount,
    "result": result,
}
