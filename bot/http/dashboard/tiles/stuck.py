"""Money whose end nobody knows, that is nobody's, or that came late: what needs a person now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from bot.http.dashboard.wording import COUNTED_MAX
from services.domain.business_days import business_day, start_of_day
from services.domain.money import Money
from services.domain.overview import StuckItem
from services.ports import Tx

LISTED = 12  # the oldest
SUMMED = 30  # the oldest, which reasons and values are taken from
LATE_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Group:
    """Those stuck for one reason; ``total`` is ``None`` where none has an amount."""

    why: str
    number: int
    total: Money | None
    oldest: StuckItem


def _read(tx: Tx, desk: Desk) -> Facts:
    found = tx.overview.stuck(SUMMED)
    days = tx.overview.open_days(business_day(tx.now), LISTED)
    return {
        "now": tx.now,
        "number": tx.evidence.count_open_reviews(COUNTED_MAX),
        "summed": SUMMED,
        "groups": list(_groups(found)),
        "items": found[:LISTED],
        "late": tx.overview.paid_late(tx.now - LATE_FOR, LISTED),
        "late_days": LATE_FOR.days,
        "days": [(day, start_of_day(day + timedelta(days=1))) for day in days],
    }


def _groups(found: Sequence[StuckItem]) -> Iterator[Group]:
    """By reason and currency, the most first."""
    groups = [list(items) for _, items in groupby(sorted(found, key=_reason), key=_reason)]
    for items in sorted(groups, key=len, reverse=True):  # in each, the oldest stays first
        amounts = [item.amount for item in items if item.amount is not None]
        total = sum(amounts[1:], amounts[0]) if amounts else None
        yield Group(items[0].why, len(items), total, items[0])


def _reason(item: StuckItem) -> tuple[str, str]:
    return item.why, "" if item.amount is None else item.amount.currency


STUCK = Tile("stuck", "Stuck money", _read)
