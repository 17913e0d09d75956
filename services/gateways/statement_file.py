"""A statement as a CSV file, as NCBA's internet banking or a person may give one.

The columns have the names of NCBA's own statement (facts: NCBA 3), in any order and in capitals or
not; others are left aside. All lines are read or none.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from services.domain.reconciliation import BankLine
from services.gateways.openbanking_wire import bank_line, read_line

BYTES_MAX = 16 * 1024 * 1024
LINES_MAX = 100_000
FIELD_MAX = 1_000  # characters of one value

NEEDED = ("ValueDate", "CreditDebitFlag", "CreditAmount", "DebitAmount")
KNOWN = (
    *NEEDED,
    "InstrumentReferenceNumber",
    "RunningBalance",
    "Narrative",
    "TransactionCode",
    "PaymentDetails",
    "CreditReference",
    "AdditionalReference",
    "TransactionCurrency",
)
_NAMES = {name.lower(): name for name in KNOWN}
_DATES = (
    (re.compile(r"([0-9]{2})[/.-]([0-9]{2})[/.-]([0-9]{4})"), r"\1\2\3"),
    (re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"), r"\3\2\1"),
)
# 1,234,567.80; a comma elsewhere, as in 1500,00 or 1,5, is no amount.
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?")
_DOTTED = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+")  # 1.500 may be either
_AMOUNTS = ("CreditAmount", "DebitAmount", "RunningBalance")


class StatementFault(Exception):
    """The file is no statement that can be read; says which line, and what is wrong with it."""


def read_statement_file(content: bytes) -> Sequence[BankLine]:
    """Every line of the file, of whatever days. Raises ``StatementFault``."""
    if len(content) > BYTES_MAX:
        raise StatementFault(f"the file is larger than {BYTES_MAX // 1024 // 1024} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StatementFault("the file is not UTF-8 text") from None
    lines: list[BankLine] = []
    for number, fields in _rows(text):
        if len(lines) == LINES_MAX:
            raise StatementFault(f"more than {LINES_MAX:,} lines")
        try:
            if any(_DOTTED.fullmatch(fields.get(name, "")) for name in _AMOUNTS):
                raise ValueError("an amount that can be read in two ways")
            line = read_line(fields)
        except ValueError:  # its words repeat the line
            raise StatementFault(f"line {number}: a date, amount or direction is not one") from None
        if line.credit.cents or line.debit.cents:
            lines.append(bank_line(line))
    return lines


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        names = [_NAMES.get(name.strip().lower()) for name in header]
        known = [name for name in names if name is not None]
        if len(set(known)) != len(known):
            raise StatementFault("a column comes twice")
        if missing := [name for name in NEEDED if name not in known]:
            raise StatementFault(f"line 1: the columns {', '.join(missing)} are missing")
        for row in reader:
            if not any(value.strip() for value in row):
                continue
            if len(row) != len(header):
                raise StatementFault(
                    f"line {reader.line_num}: {len(row)} values, not {len(header)}"
                )
            if max(map(len, row)) > FIELD_MAX:
                raise StatementFault(f"line {reader.line_num}: a value is too long")
            fields = {name: value for name, value in zip(names, row, strict=True) if name}
            yield reader.line_num, _tidied(fields)
    except csv.Error as error:
        raise StatementFault(f"line {reader.line_num}: {error}") from None


def _tidied(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Dates and amounts in the form of NCBA's API; a currency where none is said."""
    tidied = {name: value.strip() for name, value in fields.items()}
    for name in _AMOUNTS:
        if _THOUSANDS.fullmatch(tidied.get(name, "")):
            tidied[name] = tidied[name].replace(",", "")
    for form, written in _DATES:
        tidied["ValueDate"] = form.sub(written, tidied["ValueDate"])
    return {"TransactionCurrency": "KES", **{name: v for name, v in tidied.items() if v}}
