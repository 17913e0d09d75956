"""What moved on an account in a period: lines that add up to the cent, and periods as people type
them."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from services.domain.business_days import NAIROBI
from services.domain.ledger import AccountKind, TransferCode
from services.domain.money import Money
from services.domain.refusal import Refusal

PERIOD_DAYS_MAX = 366  # a leap year
TYPED_MAX = 60  # characters; "1 September 2026 to 30 September 2026" has 37
_YEAR_MIN = 2000  # earlier than mobile money in Kenya

_MONTHS = (  # English and Swahili; three letters suffice
    *(("january", "januari"), ("february", "februari"), ("march", "machi"), ("april", "aprili")),
    *(("may", "mei"), ("june", "juni"), ("july", "julai"), ("august", "agosti")),
    *(("september", "septemba"), ("october", "oktoba"), ("november", "novemba")),
    ("december", "desemba"),
)
_THIS_MONTH = {"this month", "mwezi huu"}
_LAST_MONTH = {"last month", "mwezi uliopita"}
_FORMS = (
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})(-(?P<day>[0-9]{1,2}))?"),
    re.compile(r"((?P<day>[0-9]{1,2})[/.-])?(?P<month>[0-9]{1,2})[/.-](?P<year>[0-9]{4})"),
    re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})"),
    re.compile(
        r"((?P<day>[0-9]{1,2})(st|nd|rd|th)?[ -]?)?(?P<name>[a-z]{3,9})([ -]?(?P<year>[0-9]{4}))?"
    ),
    re.compile(r"(?P<day>[0-9]{1,2})(st|nd|rd|th)?"),
)
_NUMBERS = ("year", "month", "day")
_BETWEEN = re.compile(r"[–—]| -|- | (?:to|hadi) ")


@dataclass(frozen=True, slots=True)
class Movement:
    """Everything one operation moved on an account at one moment, or the rows of a batch until
    then. ``fees`` are the part of ``paid_out`` that paid for it."""

    operation: str
    at: datetime
    paid_in: Money
    paid_out: Money
    fees: Money


class CodeTotal(NamedTuple):
    """What moved an account for one reason, and how many operations it was."""

    code: TransferCode
    operations: int
    paid_in: Money
    paid_out: Money


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement at ``at`` (UTC): paid in or paid out, never both, and the balance after it.

    ``fees`` are part of ``paid_out``. ``receipt`` is M-PESA's code, ``float_reference`` the bank's
    for a purchase of float; empty where there is none.
    """

    at: datetime
    reference: str
    description: str
    detail: str
    paid_in: Money | None
    paid_out: Money | None
    balance: Money
    fees: Money | None = None
    receipt: str = ""
    float_reference: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """``start`` and ``end`` are business days, both included; lines are oldest first.

    Raises ``AssertionError`` if the lines do not lead from ``opening`` to ``closing``, and
    ``CurrencyMismatch`` if they mix two currencies: a programmer's error must not become a
    document.
    """

    partner: str
    account: AccountKind
    start: date
    end: date
    opening: Money
    closing: Money
    lines: Sequence[StatementLine]
    made_at: datetime

    def __post_init__(self) -> None:
        self.check()

    @property
    def currency(self) -> str:
        return self.opening.currency

    @property
    def total_in(self) -> Money:
        return self._sum(line.paid_in for line in self.lines)

    @property
    def total_out(self) -> Money:
        return self._sum(line.paid_out for line in self.lines)

    @property
    def total_fees(self) -> Money:
        return self._sum(line.fees for line in self.lines)

    def check(self) -> None:
        """Raise ``AssertionError`` at the first line that does not follow from the previous one.

        Lines are in booking order. Their times may go back, since the clock may have been set back.
        """
        since, until = bounds(self.start, self.end)
        balance = self.opening
        for line in self.lines:
            _hold((line.paid_in is None) != (line.paid_out is None), line, "is not one movement")
            _hold(since <= line.at < until, line, "is outside the period")
            moved = line.paid_in or line.paid_out
            _hold(moved is not None and moved.cents > 0, line, "moves nothing")
            charged = line.fees.cents if line.fees else 0
            spent = line.paid_out.cents if line.paid_out else 0
            _hold(0 <= charged <= spent, line, "has fees that it did not pay")
            if line.paid_in:
                balance += line.paid_in
            if line.paid_out:
                balance -= line.paid_out
            _hold(balance == line.balance, line, f"should leave {balance}")
        if balance != self.closing:
            raise AssertionError(f"the lines lead to {balance}, not to {self.closing}")

    def _sum(self, amounts: Iterable[Money | None]) -> Money:
        return sum((amount for amount in amounts if amount), Money(0, self.currency))


def _hold(true: bool, line: StatementLine, fault: str) -> None:
    if not true:  # not an assert statement: money is checked under python -O too
        raise AssertionError(f"{line.reference} {fault}")


def bounds(start: date, end: date) -> tuple[datetime, datetime]:
    """The UTC moments [from, to) of the Nairobi days ``start`` to ``end``, both included.

    Raises ``AssertionError`` when they are reversed.
    """
    if end < start:
        raise AssertionError(f"{start} is after {end}")
    return _midnight(start), _midnight(end + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NAIROBI).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Typed:
    """One end of a period; parts not typed are ``None``."""

    year: int | None
    month: int | None
    day: int | None = None


def read_period(text: str, today: date) -> tuple[date, date] | Refusal:
    """First and last day of what a person typed; ``today`` is the business day in Nairobi.

    A month, a day or two of either ("nov 2026", "this month", "1-15 nov", "01/11/2026 to
    15/11/2026"), the day before the month. A month that is not over ends today. If the year is left
    out, it is the latest in which the period has begun. Refusals: ``not_a_period``,
    ``period_reversed`` (start, end), ``period_in_future`` (today), ``period_too_long`` (days_max).
    """
    ends = _typed_ends(text, today)
    if ends is None:
        return Refusal("not_a_period")
    try:
        start, end = _days(*ends, today)
    except ValueError:  # 31 February
        return Refusal("not_a_period")
    if start.year < _YEAR_MIN:
        return Refusal("not_a_period")
    if end < start:
        return Refusal.of("period_reversed", start=start, end=end)
    if today < end:
        return Refusal.of("period_in_future", today=today)
    if (end - start).days >= PERIOD_DAYS_MAX:
        return Refusal.of("period_too_long", days_max=PERIOD_DAYS_MAX)
    return start, end


def _typed_ends(text: str, today: date) -> tuple[_Typed, _Typed] | None:
    if len(text) > TYPED_MAX:
        return None
    typed = " ".join(text.casefold().replace(",", " ").split())
    alone = _typed(typed, today)
    if alone is not None and alone.month is not None:
        return alone, alone
    parts = _BETWEEN.split(typed)
    if len(parts) == 1:
        parts = typed.split("-")  # only now: "2026-11" alone is a month
    if len(parts) != 2:
        return None
    first, last = (_typed(part.strip(), today) for part in parts)
    if first is None or last is None or last.month is None:
        return None
    if first.month is None:  # "1-15 nov"
        first = replace(last, day=first.day)
    return first, last


def _typed(text: str, today: date) -> _Typed | None:
    if text in _THIS_MONTH:
        return _Typed(today.year, today.month)
    if text in _LAST_MONTH:
        before = today.replace(day=1) - timedelta(days=1)
        return _Typed(before.year, before.month)
    match = next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)
    if match is None:
        return None
    found = match.groupdict()
    numbers = {name: int(found[name]) if found.get(name) else None for name in _NUMBERS}
    if found.get("name"):
        numbers["month"] = _month_named(found["name"])
        if numbers["month"] is None:
            return None
    if 0 in numbers.values():  # 0 is falsy, and would pass for a part left out
        return None
    return _Typed(**numbers)


def _month_named(name: str) -> int | None:
    for number, names in enumerate(_MONTHS, start=1):
        if any(full.startswith(name) for full in names):
            return number
    return None


def _days(first: _Typed, last: _Typed, today: date) -> tuple[date, date]:
    """Raises ``ValueError`` if there is no such day."""
    start_month, end_month = first.month or 0, last.month or 0
    start_in_year = (start_month, first.day or 1)
    today_in_year = (today.month, today.day)
    over_new_year = start_month > end_month  # "20 dec - 10 jan"; "15 nov - 1 nov" is a typing error
    start_year, end_year = first.year, last.year
    if start_year is None and end_year is not None:
        start_year = end_year - over_new_year
    elif start_year is None:
        start_year = today.year - (start_in_year > today_in_year)
    if end_year is None:
        has_begun = (start_year + 1, end_month, last.day or 1) <= (today.year, *today_in_year)
        end_year = start_year + (over_new_year and has_begun)
    start = date(start_year, *start_in_year)
    if last.day:
        return start, date(end_year, end_month, last.day)
    if (end_year, end_month) == (today.year, today.month):
        return start, today
    return start, date(end_year, end_month, monthrange(end_year, end_month)[1])
