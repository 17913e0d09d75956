"""Reads the statement of the short code, a CSV file from the organisation's portal.

Columns are known by their names there, in any order; others are ignored, and so are rows above the
table. All payments are read or none.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping

from services.domain.money import Money
from services.domain.short_code_line import ShortCodeLine, ShortCodeStatement
from services.gateways.bank_answer import safe_line
from services.gateways.statement_days import DAY_FORMATS, InvalidDay, read_day
from services.gateways.statement_file import (
    BYTES_MAX,
    FIELD_MAX,
    HEAD_MAX,
    LINES_MAX,
    StatementFileError,
    text_of,
)

PARTY_MAX = 120  # characters stored
RECEIPT, TIME, WITHDRAWN = "receiptno", "completiontime", "withdrawn"
PARTY, STATUS, DETAILS = "otherpartyinfo", "transactionstatus", "details"
REQUIRED = (RECEIPT, TIME, WITHDRAWN)
_NAMES = "Receipt No., Completion Time, Withdrawn"
_SEPARATORS = ",;\t|"
_COMPLETED = "completed"
_RECEIPT = re.compile(r"[A-Z0-9]{8,20}")
_CHARGE = re.compile(r"\bcharges?\b|\bfees?\b", re.IGNORECASE)


def read_short_code_statement(content: bytes) -> ShortCodeStatement:
    """Every completed payment out of the account, of any day. Money that came in is left out, and
    charges are only added up.

    Raises ``StatementFileError``, which names the line and what is wrong with it.
    """
    if len(content) > BYTES_MAX:
        raise StatementFileError(f"the file is larger than {BYTES_MAX // 1024 // 1024} MB")
    lines: dict[str, ShortCodeLine] = {}
    charges = Money(0)
    for number, row in _rows(text_of(content)):
        if row.get(STATUS, _COMPLETED).casefold() != _COMPLETED:
            continue
        amount = _withdrawn(number, row[WITHDRAWN])
        if amount is None:
            continue
        if _CHARGE.search(row.get(DETAILS, "")):
            charges += amount
            continue
        line = _line(number, row, amount)
        if lines.setdefault(line.receipt, line) != line:
            raise StatementFileError(f"line {number}: {line.receipt} comes twice, and differs")
    return ShortCodeStatement(list(lines.values()), charges)


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The table's rows by column, each with its line's number."""
    for separator in _SEPARATORS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            for _ in range(HEAD_MAX):
                names = [_plain(name) for name in next(reader)]
                if set(REQUIRED) <= set(names):
                    yield from _table(reader, names)
                    return
        except (StopIteration, csv.Error):
            continue
    raise StatementFileError(f"no line has the columns {_NAMES}")


def _table(reader: csv._reader, names: list[str]) -> Iterator[tuple[int, Mapping[str, str]]]:  # type: ignore[name-defined]
    for count, row in enumerate(reader):
        if count >= LINES_MAX:
            raise StatementFileError(f"more than {LINES_MAX:,} lines")
        if not any(value.strip() for value in row):
            continue
        if max(map(len, row)) > FIELD_MAX:
            raise StatementFileError(f"line {reader.line_num}: a value is too long")
        fields = dict(zip(names, (value.strip() for value in row), strict=False))
        if fields.get(RECEIPT):  # a total has none
            yield reader.line_num, fields


def _line(number: int, row: Mapping[str, str], amount: Money) -> ShortCodeLine:
    receipt = row[RECEIPT].upper()
    if not _RECEIPT.fullmatch(receipt):
        raise StatementFileError(f"line {number}: “{safe_line(receipt)[:40]}” is no receipt")
    try:
        day = read_day(row[TIME].replace(".", "/", 2)).day
    except InvalidDay:
        raise StatementFileError(
            f"line {number}: “{safe_line(row[TIME])[:40]}” is no time; days are {DAY_FORMATS}"
        ) from None
    printable = (one if one.isprintable() else " " for one in row.get(PARTY, ""))
    party = " ".join("".join(printable).split())[:PARTY_MAX]
    return ShortCodeLine(receipt, day, amount, party)


def _withdrawn(number: int, text: str) -> Money | None:
    """``None`` where nothing went out. The portal writes what went out below zero, or not."""
    digits = text.replace(",", "").removeprefix("-")
    if not digits.strip("0. "):
        return None
    try:
        return Money.of(digits)
    except ValueError:
        raise StatementFileError(f"line {number}: “{safe_line(text)[:40]}” is no amount") from None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.casefold())
