"""Reads a file of payouts: its table, and what each row says (facts: Daraja 11).

Everything in it is from outside: rows and values have limits, and each bad row is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flows.engine.event import FILE_BYTES_MAX
from flows.engine.normalise import normalise_input
from flows.parsers.values import read_mobile
from services.domain.money import Money
from services.domain.payout_answers import are_remarks
from services.domain.payout_batch import ROWS_MAX, BatchRow, RowFault
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.table import TableFileError, read_table

PHONE, AMOUNT, REFERENCE, NAME, REMARKS = COLUMNS = (
    *("phone", "amount", "reference"),
    *("name", "remarks"),
)
REQUIRED = (PHONE, AMOUNT, REFERENCE)
REFERENCE_MAX = 64  # characters
NAME_MAX = 60
CELL_MAX = 200  # of what is read at all
# Whole shillings, at most what a request of the API may name.
_WHOLE = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.0{1,2})?", re.ASCII)
_CENTS = re.compile(r"(?:0|[1-9][0-9]{0,8})\.[0-9]{1,2}", re.ASCII)


class FileRow(NamedTuple):
    """A row as it stands in a file. ``number`` counts rows of data from 1, ``line`` the lines of
    the file."""

    number: int
    line: int
    cells: Mapping[str, str]
    is_longer: bool = False  # it has more values than there are columns


class RowsRead(NamedTuple):
    """``priced`` has the bad rows too whose phone and amount can be read, for the limits."""

    rows: Sequence[BatchRow]
    faults: Sequence[RowFault]
    priced: Sequence[BatchRow]


def read_payout_file(content: bytes) -> Sequence[FileRow] | Refusal:
    """The rows of a CSV file with the columns phone, amount and reference, and name and remarks if
    there are such.

    Refusals: ``file_too_large``, ``file_unreadable``, ``file_empty``, ``file_too_many`` (most).
    """
    if len(content) > FILE_BYTES_MAX:
        return Refusal("file_too_large")
    rows: list[FileRow] = []
    try:
        for row in read_table(content, COLUMNS, REQUIRED, only_titles=True):
            if len(rows) == ROWS_MAX:
                return Refusal.of("file_too_many", most=ROWS_MAX)
            rows.append(FileRow(len(rows) + 1, row.number, row.fields, row.is_longer))
    except TableFileError:
        return Refusal("file_unreadable")
    return rows or Refusal("file_empty")


def read_rows(rows: Sequence[FileRow]) -> RowsRead:
    """What the rows say, and every fault of every row. Codes: ``bad_phone``, ``bad_amount``,
    ``part_shillings``, ``missing``, ``too_long``, ``unprintable``, ``repeated`` (first),
    ``bad_remarks`` and, alone, ``too_many_values``: such a row may say anything."""
    read: list[BatchRow] = []
    priced: list[BatchRow] = []
    faults: list[RowFault] = []
    first: dict[str, int] = {}
    for row in rows:
        if row.is_longer:
            faults.append(RowFault(row.number, row.line, AMOUNT, "too_many_values"))
            continue
        wrong: list[RowFault] = []
        phone = _phone(row, wrong)
        amount = _amount(row, wrong)
        reference = _text(row, REFERENCE, REFERENCE_MAX, wrong)
        name = _text(row, NAME, NAME_MAX, wrong)
        remarks = _remarks(row, wrong)
        if reference is None and not any(fault.column == REFERENCE for fault in wrong):
            wrong.append(RowFault(row.number, row.line, REFERENCE, "missing"))
        elif reference is not None and reference in first:
            facts = {"first": first[reference]}
            wrong.append(RowFault(row.number, row.line, REFERENCE, "repeated", facts))
        if reference is not None:
            first.setdefault(reference, row.line)
        faults += wrong
        if phone is None or amount is None:
            continue
        found = BatchRow(row.number, phone, amount, reference or "", name, remarks, row.line)
        priced.append(found)
        if not wrong:
            read.append(found)
    return RowsRead(read, faults, priced)


def _phone(row: FileRow, wrong: list[RowFault]) -> Phone | None:
    """Also without its first zero, which spreadsheets take away."""
    typed = normalise_input(row.cells.get(PHONE, "")[:CELL_MAX]).strip()
    phone = read_mobile(typed)
    if isinstance(phone, Refusal):
        wrong.append(RowFault(row.number, row.line, PHONE, "bad_phone" if typed else "missing"))
        return None
    return phone


def _amount(row: FileRow, wrong: list[RowFault]) -> Money | None:
    typed = row.cells.get(AMOUNT, "")[:CELL_MAX].strip()
    if _WHOLE.fullmatch(typed) and (amount := Money.of(typed)).cents > 0:
        return amount
    code = "missing" if not typed else "bad_amount"
    code = "part_shillings" if code == "bad_amount" and _CENTS.fullmatch(typed) else code
    wrong.append(RowFault(row.number, row.line, AMOUNT, code))
    return None


def _text(row: FileRow, column: str, most: int, wrong: list[RowFault]) -> str | None:
    text = " ".join(row.cells.get(column, "").split())
    if len(text) > most:
        wrong.append(RowFault(row.number, row.line, column, "too_long", {"most": most}))
        return None
    if not text.isprintable():
        wrong.append(RowFault(row.number, row.line, column, "unprintable"))
        return None
    return text or None


def _remarks(row: FileRow, wrong: list[RowFault]) -> str | None:
    text = row.cells.get(REMARKS, "").strip()
    if text and not are_remarks(text):
        wrong.append(RowFault(row.number, row.line, REMARKS, "bad_remarks"))
        return None
    return text or None
