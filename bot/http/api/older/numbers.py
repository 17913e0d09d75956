"""Amounts and moments as the older answers give them: JSON numbers, and texts of ISO 8601."""

from __future__ import annotations

from datetime import datetime

from services.domain.instant import to_rfc3339
from services.domain.money import Money


def number(amount: Money) -> int | float:
    """Whole shillings as an integer, others with their cents.

    Exact although it is a float: read from the decimal text, it is the nearest float, and JSON is
    written with the fewest digits that name this float. Up to 15 digits these are the text's own.
    """
    return int(amount.whole_units) if amount.is_whole else float(amount.decimal)


def number_or_null(amount: Money | None) -> int | float | None:
    return None if amount is None else number(amount)


def moment_or_null(moment: datetime | None) -> str | None:
    return None if moment is None else to_rfc3339(moment)
