"""A statement for spreadsheets: one movement per row, plain amounts."""

from __future__ import annotations

import csv
import unicodedata
from datetime import date
from io import StringIO

from services.documents.words import Words
from services.domain.business_days import NAIROBI
from services.domain.money import Money
from services.domain.statement import Statement

# Characters that start a formula in a spreadsheet (OWASP, CSV injection), including full-width
# forms: names and bank texts come from strangers, and one may be =HYPERLINK(...).
_FORMULA = frozenset("=+-@|%＝＋－＠")
_TEXTS = ("date", "time", "reference", "description", "details", "receipt", "float_reference")
_AMOUNTS = ("paid_in", "paid_out", "fees", "balance")


def statement_csv(statement: Statement, words: Words) -> bytes:
    """UTF-8 with a byte-order mark (without it Excel reads Latin-1), rows ended by CRLF.

    The first row names the columns; the second and the last hold the opening and closing balance.
    Dates and times are ISO 8601 in Nairobi. A text that looks like a formula gets an apostrophe in
    front, and control characters become blanks.
    """
    file = StringIO(newline="")
    # All quoted: where the list separator is a semicolon, a text containing one must not split.
    rows = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    rows.writerow(
        [words(f"column.{name}") for name in _TEXTS]
        + [f"{words(f'column.{name}')} ({statement.currency})" for name in _AMOUNTS]
    )
    rows.writerow(_balance(statement.start, words("opening"), statement.opening))
    for line in statement.lines:
        at = line.at.astimezone(NAIROBI)
        texts = (line.reference, line.description, line.detail, line.receipt, line.float_reference)
        rows.writerow(
            [at.date().isoformat(), at.time().isoformat("seconds")]
            + [spreadsheet_text(text) for text in texts]
            + [_amount(money) for money in (line.paid_in, line.paid_out, line.fees)]
            + [line.balance.decimal]
        )
    rows.writerow(_balance(statement.end, words("closing"), statement.closing))
    return file.getvalue().encode("utf-8-sig", errors="replace")


def _balance(day: date, name: str, balance: Money) -> list[str]:
    between = [""] * (len(_TEXTS) + len(_AMOUNTS) - 5)
    return [day.isoformat(), "", "", name, *between, balance.decimal]


def _amount(money: Money | None) -> str:
    return money.decimal if money else ""


def spreadsheet_text(text: str) -> str:
    """The text on one line, in a form that no spreadsheet takes for a formula."""
    plain = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    # Blanks and zero-width marks (C and Z) hide the first character from people, but not from a
    # formula.
    first = next((char for char in plain if unicodedata.category(char)[0] not in "CZ"), "")
    return f"'{plain}" if first in _FORMULA else plain
