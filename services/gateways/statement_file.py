"""A statement as a file, from NCBA's internet banking or typed by a person.

The columns have the names of NCBA's own statement (facts: NCBA 3), in any order and case; others
are ignored, and so are rows above and below the table. All lines are read or none, and an
unreadable one is reported: its number, its column, its text, and what is accepted.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.domain.bank_line import BankLine
from services.gateways.openbanking.statement_wire import bank_line, format_day, read_line
from services.gateways.statement_days import (
    DAY_FORMATS,
    InvalidDay,
    ParsedDay,
    month_comes_first,
    read_day,
)

BYTES_MAX = 16 * 1024 * 1024
LINES_MAX = 100_000
FIELD_MAX = 1_000  # characters of one value
HEAD_MAX = 60  # lines above the table
SHOWN_MAX = 40  # characters of a value repeated in an error

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
_NAMES = {name.lower(): name for name in KNOWN_COLUMNS}
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NO_TABLE = {b"PK\x03\x04": "an Excel workbook", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "Excel's"}
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


class StatementFileError(Exception):
    """The file is not a readable statement; says which line is wrong, and why."""


class AmbiguousDates(StatementFileError):
    """Whether its dates have the day or the month first cannot be told: somebody must say."""


def read_statement_file(
    content: bytes, *, month_first: bool | None = None, today: date | None = None
) -> Sequence[BankLine]:
    """Every line of the file, of any date.

    ``month_first`` is the answer about its dates, if given; dates after ``today`` are doubted.
    Raises ``StatementFileError``, and ``AmbiguousDates`` if the answer is needed and missing.
    """
    if len(content) > BYTES_MAX:
        raise StatementFileError(f"the file is larger than {BYTES_MAX // 1024 // 1024} MB")
    rows = _without_foot(list(_rows(text_of(content))))
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


@dataclass(frozen=True, slots=True)
class _Row:
    """``number`` is its line in the file; ``width`` the number of values it should have."""

    number: int
    fields: Mapping[str, str]
    values: int
    width: int

    def fault(self, column: str, understood: str) -> StatementFileError:
        shown = self.fields.get(column, "")[:SHOWN_MAX]
        return StatementFileError(f"line {self.number}, column {column}: “{shown}”; {understood}")


# The table ---------------------------------------------------------------------------------------


def text_of(content: bytes) -> str:
    """A table's text, in whatever encoding banks export it. Raises ``StatementFileError``."""
    for begins, what in _NO_TABLE.items():
        if content.startswith(begins):
            raise StatementFileError(f"the file is {what}: save the statement as CSV")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\x00" in content[:200]:
        encodings = ["utf-16-le", "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise StatementFileError("the file is neither UTF-8, UTF-16 nor Windows-1252 text")


def _rows(text: str) -> Iterator[_Row]:
    separator, header_at = _find_header(text)
    reader = _reader(text, separator)
    try:
        for _ in range(header_at):
            next(reader)
        header = next(reader)
        names = [_NAMES.get(_plain(name)) for name in header]
        known = [name for name in names if name is not None]
        if len(set(known)) != len(known):
            raise StatementFileError(f"line {reader.line_num}: a column comes twice")
        for count, row in enumerate(reader):
            if count >= LINES_MAX:
                raise StatementFileError(f"more than {LINES_MAX:,} lines")
            if not any(value.strip() for value in row):
                continue
            if max(map(len, row)) > FIELD_MAX:
                raise StatementFileError(f"line {reader.line_num}: a value is too long")
            pairs = zip(names, row, strict=False)
            fields = {name: value.strip() for name, value in pairs if name}
            yield _Row(reader.line_num, fields, len(row), len(header))
    except csv.Error as error:
        raise StatementFileError(f"line {reader.line_num}: {error}") from None


def _find_header(text: str) -> tuple[str, int]:
    """The delimiter, and the number of rows above the column names."""
    best: tuple[int, str, int] = (0, ",", 0)
    for separator in _SEPARATORS:
        reader = _reader(text, separator)
        for above in range(HEAD_MAX):
            try:
                row = next(reader)
            except (StopIteration, csv.Error):
                break
            found = {_NAMES.get(_plain(name)) for name in row}
            if found.issuperset(REQUIRED_COLUMNS):
                return separator, above
            count = len(found & set(REQUIRED_COLUMNS))
            best = max(best, (count, separator, reader.line_num))
    count, separator, number = best
    where = f"line {number} has only {count} of them, parted by {_SEPARATORS[separator]}"
    raise StatementFileError(
        f"no line has the columns {', '.join(REQUIRED_COLUMNS)}" + (f": {where}" if count else "")
    )


def _reader(text: str, separator: str) -> csv._reader:  # type: ignore[name-defined]
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _without_foot(rows: list[_Row]) -> list[_Row]:
    """Without rows below the table: totals and signatures have neither date nor direction."""
    table = [number for number, row in enumerate(rows, start=1) if not _is_foot(row)]
    return rows[: table[-1]] if table else rows


def _is_foot(row: _Row) -> bool:
    if row.fields.get("CreditDebitFlag", "").lower() in _FLAGS:
        return False
    if any(map(str.isdigit, row.fields.get("ValueDate", ""))):
        return False
    return bool(row.fields.get("ValueDate")) or not _may_be_movement(row)


def _may_be_movement(row: _Row) -> bool:
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


def _day_of(row: _Row) -> ParsedDay:
    if row.values != row.width:
        first = next((value for value in row.fields.values() if value), "")[:SHOWN_MAX]
        raise StatementFileError(
            f"line {row.number}, “{first}”: {row.values} values, where the columns are {row.width};"
            " a line of the table has one for each, and other lines stand above it or below it"
        )
    try:
        return read_day(row.fields["ValueDate"])
    except InvalidDay:
        raise row.fault("ValueDate", f"each line has its day, written {DAY_FORMATS}") from None


def _unclear(days: Sequence[tuple[_Row, ParsedDay]], today: date | None) -> AmbiguousDates:
    row = next(row for row, one in days if month_comes_first([one], today) is None)
    shown = row.fields["ValueDate"][:SHOWN_MAX]
    return AmbiguousDates(
        f"line {row.number}, column ValueDate: “{shown}” seems to have the month first;"
        " say whether the days of this file are day-first or month-first"
    )


def _line(row: _Row, day: date) -> BankLine | None:
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


def _amount(row: _Row, name: str) -> str:
    written = row.fields.get(name, "")
    if written in _NOTHING:
        return "0"
    if _THOUSANDS.fullmatch(written):
        return written.replace(",", "")
    whole, _, part = written.partition(".")
    if not _AMOUNT.fullmatch(written) or (len(whole) <= 3 and len(part) == 3):
        raise row.fault(name, _AMOUNTS)
    return written
