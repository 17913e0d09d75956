"""How pages write amounts and moments."""

from __future__ import annotations

from datetime import UTC, datetime

from babel.dates import format_datetime
from markupsafe import Markup

from services.domain.business_days import NAIROBI
from services.domain.money import EXPONENTS, Money


def amount(money: Money) -> str:
    """With all its decimals, so that a column lines up; the currency stands in its heading."""
    places = EXPONENTS[money.currency]
    return f"{money.cents / 10**places:,.{places}f}"


def moment(at: datetime, pattern: str = "d MMM y, HH:mm:ss") -> Markup:
    """In Nairobi, and in UTC for whoever points at it."""
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        format_datetime(at.astimezone(NAIROBI), pattern, locale="en"),
    )
