"""A statement as a file, from NCBA's internet banking or typed by a person.

The columns have the names of NCBA's own statement (facts: NCBA 3), in any order and case; others
are ignored, and so are rows above and below the table. All lines are read or none, and an
unreadable one is reported: its number, its column, its text, and what is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from services.domain.bank_line import BankLine
from services.domain.table import SHOWN_MAX, Row, TableFileError, read_table
from services.gateways.openbanking.statement_wire import bank_line, format_day, read_line
from services.gateways.statement_days import (
    DAY_FORMATS,
    InvalidDay,
    ParsedDay,
    month_comes_first,
    read_day,
)

REQUIRED_COLUMNS = ("ValueDate", "CreditAmount", "DebitAmount")
KNOWN_COLUMNS = (
    *REQUIRED_COLUMNS,
    "CreditDebitFlag",
    "InstrumentReferenceNumber",
    "Narrative",
    "TransactionCode",
    "TransactionCodeDescription",
    "PaymentDetails",
    "CreditReference",
    "AdditionalReference",
    "TransactionCurrency",
)
_FLAGS = {
    **dict.fromkeys(("c", "cr", "credit"), "C"),
    **dict.fromkeys(("d", "dr", "debit"), "D"),
}
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
# 1,234,567.80; a comma elsewhere, as in 1500,00 or 1,5, is not accepted, and 1.500 is ambiguous.
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?")
_REFERENCES = ("InstrumentReferenceNumber", "CreditReference", "AdditionalReference")
_SUM = re.compile(
    r"\b(?:sub)?totals?\b|\bsums?\b|\bbalances?\b|\b[bc]/[fd]\b"
    r"|\b(?:carried|brought) (?:forward|down)\b",
    re.IGNORECASE,
)
_NOTHING = frozenset({"", "-", "–", "—"})
_AMOUNTS = "amounts are written 1500.00 or 1,500.00, and none is below zero"


class AmbiguousDates(TableFileError):
    """Whether its dates have the day or the month first cannot be told: somebody must say."""


def read_statement_file(
    content: bytes, *, month_first: bool | None = None, today: date | None = None
) -> Sequence[BankLine]:
    """Every line of the file, of any date.

    ``month_first`` is the answer about its dates, if given; dates after ``today`` are doubted.
    Raises ``TableFileError``, and ``AmbiguousDates`` if the answer is needed and missing.
    """
    rows = _without_foot(list(read_table(content, KNOWN_COLUMNS, REQUIRED_COLUMNS)))
    days = [(row, _day_of(row)) for row in rows]
    if month_first is None:
        month_first = month_comes_first((written for _, written in days), today)
    if month_first is None:
        raise _unclear(days, today)
    lines = []
    for row, written in days:
        day = written.swapped if month_first and written.swapped else written.day
        if (line := _line(row, day)) is not None:
            lines.append(line)
    return lines


def _without_foot(rows: list[Row]) -> list[Row]:
    """Without rows below the table: totals and signatures have neither date nor direction."""
    table = [number for number, row in enumerate(rows, start=1) if not _is_foot(row)]
    return rows[: table[-1]] if table else rows


def _is_foot(row: Row) -> bool:
    if row.fields.get("CreditDebitFlag", "").lower() in _FLAGS:
        return False
    if any(map(str.isdigit, row.fields.get("ValueDate", ""))):
        return False
    return bool(row.fields.get("ValueDate")) or not _may_be_movement(row)


def _may_be_movement(row: Row) -> bool:
    """A row without a date: a bank may leave it blank if it equals that of the line above. It is
    not guessed, and the line is not dropped. A total has no reference, and at most a single
    word."""
    moved = [n for n in ("CreditAmount", "DebitAmount") if row.fields.get(n, "").strip("0.,-–— ")]
    if len(moved) != 1:
        return False
    if any(map(str.isdigit, "".join(row.fields.get(name, "") for name in _REFERENCES))):
        return True
    words = " ".join(row.fields.get(n, "") for n in (*_REFERENCES, "Narrative", "PaymentDetails"))
    return bool(words.strip()) and _SUM.search(words) is None


# A row -------------------------------------------------------------------------------------------


def _day_of(row: Row) -> ParsedDay:
    if row.values != row.width:
        first = next((value for value in row.fields.values() if value), "")[:SHOWN_MAX]
        raise TableFileError(
            f"line {row.number}, “{first}”: {row.values} values, where the columns are {row.width};"
            " a line of the table has one for each, and other lines stand above it or below it"
        )
    try:
        return read_day(row.fields["ValueDate"])
    except InvalidDay:
        raise row.fault("ValueDate", f"each line has its day, written {DAY_FORMATS}") from None


def _unclear(days: Sequence[tuple[Row, ParsedDay]], today: date | None) -> AmbiguousDates:
    row = next(row for row, one in days if month_comes_first([one], today) is None)
    shown = row.fields["ValueDate"][:SHOWN_MAX]
    return AmbiguousDates(
        f"line {row.number}, column ValueDate: “{shown}” seems to have the month first;"
        " say whether the days of this file are day-first or month-first"
    )


def _line(row: Row, day: date) -> BankLine | None:
    """``None`` if no money moved."""
    amounts = {name: _amount(row, name) for name in ("CreditAmount", "DebitAmount")}
    moved = {name: amount for name, amount in amounts.items() if amount.strip("0.")}
    if not moved:
        return None
    if len(moved) == 2:
        raise row.fault("DebitAmount", "a movement is either a credit or a debit")
    flag = "C" if "CreditAmount" in moved else "D"
    written = row.fields.get("CreditDebitFlag", "")
    if written and _FLAGS.get(written.lower()) != flag:
        raise row.fault("CreditDebitFlag", "C or D is understood, for the side its amount is on")
    fields = dict(row.fields) | amounts | {"ValueDate": format_day(day), "CreditDebitFlag": flag}
    texts = {name: value for name, value in fields.items() if value}
    try:
        return bank_line(read_line({"TransactionCurrency": "KES", **texts}))
    except ValueError:  # its message repeats the line
        column = "ValueDate" if not 2000 <= day.year < 2100 else next(iter(moved))
        raise row.fault(column, "nothing of ours is of that day, amount or currency") from None


def _amount(row: Row, name: str) -> str:
    written = row.fields.get(name, "")
    if written in _NOTHING:
        return "0"
    if _THOUSANDS.fullmatch(written):
        return written.replace(",", "")
    whole, _, part = written.partition(".")
    if not _AMOUNT.fullmatch(written) or (len(whole) <= 3 and len(part) == 3):
        raise row.fault(name, _AMOUNTS)
    return written
