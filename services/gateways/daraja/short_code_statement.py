"""Reads the statement of the short code, a CSV file from the organisation's portal.

All payments are read or none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.domain.money import Money
from services.domain.short_code_line import ShortCodeLine, ShortCodeStatement
from services.domain.table import SHOWN_MAX, Row, TableFileError, read_table
from services.gateways.bank_answer import safe_line
from services.gateways.statement_days import DAY_FORMATS, InvalidDay, read_day

PARTY_MAX = 120  # characters stored
RECEIPT, TIME, WITHDRAWN = "Receipt No.", "Completion Time", "Withdrawn"
STATUS, DETAILS, PARTY = "Transaction Status", "Details", "Other Party Info"
REQUIRED = (RECEIPT, TIME, STATUS, WITHDRAWN)
_COLUMNS = (*REQUIRED, DETAILS, PARTY)
_COMPLETED = "completed"
_RECEIPT = re.compile(r"[A-Z0-9]{8,20}")
_CHARGE = re.compile(r"\b(?:charges?|fees?)\b", re.IGNORECASE)
_CHARGE_AT_END = re.compile(r"\b(?:charges?|fees?)\W*$", re.IGNORECASE)


def read_short_code_statement(content: bytes) -> ShortCodeStatement:
    """Every completed payment out of the account, of any day. Money that came in is left out, and
    charges are only added up.

    Raises ``TableFileError``, which names the line and what is wrong with it.
    """
    by_receipt: dict[str, list[Row]] = defaultdict(list)
    for row in read_table(content, _COLUMNS, REQUIRED):
        if not row.fields.get(RECEIPT):  # a total has none
            continue
        if row.values != row.width:
            raise TableFileError(
                f"line {row.number}: {row.values} values, where the columns are {row.width}"
            )
        if row.fields[STATUS].casefold() == _COMPLETED and _withdrawn(row) is not None:
            by_receipt[row.fields[RECEIPT].upper()].append(row)
    lines, charges = [], Money(0)
    for rows in by_receipt.values():
        taken = _charges(rows)
        charges += sum((_withdrawn(row) or Money(0) for row in taken), Money(0))
        paid = [(row.number, _line(row)) for row in rows if row not in taken]
        for number, line in paid[1:]:
            if line != paid[0][1]:
                raise TableFileError(f"line {number}: {line.receipt} comes twice, and differs")
        lines += [line for _, line in paid[:1]]
    return ShortCodeStatement(lines, charges)


def _charges(rows: Sequence[Row]) -> Sequence[Row]:
    """Those of one receipt that are M-PESA's charge. A payment may say "fees", too: beside its
    charge it has a party, and alone a charge says it last."""
    named = [row for row in rows if _CHARGE.search(row.fields.get(DETAILS, ""))]
    if len(named) < len(rows):
        return named
    return [
        row
        for row in named
        if not row.fields.get(PARTY)
        and (len(rows) > 1 or _CHARGE_AT_END.search(row.fields[DETAILS]))
    ]


def _line(row: Row) -> ShortCodeLine:
    receipt = row.fields[RECEIPT].upper()
    if not _RECEIPT.fullmatch(receipt):
        raise _fault(row, RECEIPT, "is no receipt", receipt)
    try:
        day = read_day(row.fields[TIME].replace(".", "/", 2)).day
    except InvalidDay:
        raise _fault(row, TIME, f"is no time; days are {DAY_FORMATS}") from None
    amount = _withdrawn(row)
    assert amount is not None, "only what went out is a payment"
    return ShortCodeLine(receipt, day, amount, _one_line(row.fields.get(PARTY, ""))[:PARTY_MAX])


def _withdrawn(row: Row) -> Money | None:
    """``None`` where nothing went out. The portal writes what went out below zero, or not."""
    digits = row.fields[WITHDRAWN].replace(",", "").removeprefix("-")
    if not digits.strip("0. "):
        return None
    try:
        return Money.of(digits)
    except ValueError:
        raise _fault(row, WITHDRAWN, "is no amount") from None


def _one_line(characters: Iterable[str]) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in characters).split())


def _fault(row: Row, column: str, why: str, shown: str = "") -> TableFileError:
    text = safe_line(shown or row.fields[column])[:SHOWN_MAX]
    return TableFileError(f"line {row.number}: “{text}” {why}")
