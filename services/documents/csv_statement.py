"""A statement for spreadsheets: one movement per row, plain amounts."""

from __future__ import annotations

import csv
import unicodedata
from io import StringIO

from services.domain.business_days import NAIROBI
from services.domain.money import Money
from services.domain.statement import Statement

OPENING = "Opening balance"
CLOSING = "Closing balance"

# Characters that start a formula in a spreadsheet (OWASP, CSV injection), including full-width
# forms: names and bank texts come from strangers, and one may be =HYPERLINK(...).
_FORMULA = frozenset("=+-@|%＝＋－＠")


def statement_csv(statement: Statement) -> bytes:
    """UTF-8 with a byte-order mark (without it Excel reads Latin-1), rows ended by CRLF.

    The first row names the columns; the second and the last hold the opening and closing balance.
    Dates and times are ISO 8601 in Nairobi. A text that looks like a formula gets an apostrophe in
    front, and control characters become blanks.
    """
    currency = statement.currency
    file = StringIO(newline="")
    # All quoted: where the list separator is a semicolon, a text containing one must not split.
    rows = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    rows.writerow(
        ["Date", "Time (Nairobi)", "Reference", "Description", "Details"]
        + [f"{amount} ({currency})" for amount in ("Paid in", "Paid out", "Balance")]
    )
    opening, closing = statement.opening.decimal, statement.closing.decimal
    rows.writerow([statement.start.isoformat(), "", "", OPENING, "", "", "", opening])
    for line in statement.lines:
        at = line.at.astimezone(NAIROBI)
        rows.writerow(
            [at.date().isoformat(), at.time().isoformat("seconds")]
            + [spreadsheet_text(text) for text in (line.reference, line.description, line.detail)]
            + [_amount(line.paid_in), _amount(line.paid_out), line.balance.decimal]
        )
    rows.writerow([statement.end.isoformat(), "", "", CLOSING, "", "", "", closing])
    return file.getvalue().encode("utf-8-sig", errors="replace")


def _amount(money: Money | None) -> str:
    return money.decimal if money else ""


def spreadsheet_text(text: str) -> str:
    """The text on one line, in a form that no spreadsheet takes for a formula."""
    plain = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    # Blanks and zero-width marks (C and Z) hide the first character from people, but not from a
    # formula.
    first = next((char for char in plain if unicodedata.category(char)[0] not in "CZ"), "")
    return f"'{plain}" if first in _FORMULA else plain
