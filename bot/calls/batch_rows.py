"""Reads the rows of a batch, in JSON or in a file, by the one reader of files of payouts.

Every fault of every row is told, in words that never repeat what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.calls.answers import FieldError, Problem, ProblemCode, RowError, invalid
from bot.calls.batch_requests import BatchFile, BatchRequest, BatchRowRequest
from bot.calls.caller import CallContext
from bot.calls.fields import AMOUNT, PHONE_MAX
from flows.parsers import payout_file
from flows.parsers.payout_file import FileRow
from services import payout_batches
from services.domain.payout_batch import ROWS_MAX, BatchRow, RowFault
from services.domain.refusal import Refusal

_UNREADABLE = "?"  # neither a phone nor an amount
_UNPRINTABLE = "\x00"  # of what is no text at all
_MEMBERS = {
    payout_file.PHONE: "phone_number",
    payout_file.AMOUNT: "amount",
    payout_file.REFERENCE: "reference",
    payout_file.NAME: "name",
    payout_file.REMARKS: "remarks",
}
_FILES = {
    "file_unreadable": "This is no table that can be read. It is CSV, and its first line is:"
    " phone,amount,reference",
    "file_empty": "There is no row in it.",
    "file_too_many": f"A batch has at most {ROWS_MAX} rows.",
}
_WORDS = {"unprintable": "it is no text that can be printed"}


def read_rows(call: CallContext, request: BatchRequest | BatchFile) -> Sequence[BatchRow] | Problem:
    """The rows, if all of them can be paid."""
    if isinstance(request, BatchFile):
        rows = payout_file.read_payout_file(request.content)
        if isinstance(rows, Refusal):
            return _unreadable_file(rows)
        named: Mapping[str, str] = {}
    else:
        rows = [_file_row(number, row) for number, row in enumerate(request.rows, start=1)]
        named = _MEMBERS
    read = payout_file.read_rows(rows)
    limits = payout_batches.check_rows(call.tx, call.partner.code, read.priced)
    faults = sorted([*read.faults, *limits], key=lambda fault: fault.number)
    return _invalid(call, faults, named) if faults else read.rows


def _unreadable_file(refusal: Refusal) -> Problem:
    if refusal.code == "file_too_large":
        return Problem(ProblemCode.TOO_LARGE, "The file is too large.")
    return invalid(FieldError("", _FILES[refusal.code]))


def _file_row(number: int, row: BatchRowRequest) -> FileRow:
    """As it would stand in a file."""
    cells = {
        payout_file.PHONE: _phone(row.phone_number),
        payout_file.AMOUNT: _amount(row.amount),
        payout_file.REFERENCE: _text(row.reference),
        payout_file.NAME: _text(row.name),
        payout_file.REMARKS: _text(row.remarks),
    }
    return FileRow(number, number, cells)


def _phone(given: object) -> str:
    text = _text(given)
    return text if len(text) <= PHONE_MAX and text != _UNPRINTABLE else _UNREADABLE


def _amount(given: object) -> str:
    """As amounts of every request: a text has no blanks around it."""
    text = _text(given)
    return text if not text or re.fullmatch(AMOUNT, text, re.ASCII) else _UNREADABLE


def _text(given: object) -> str:
    """A number is what its digits say: clients in many languages send a phone as one."""
    if given is None:
        return ""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given if isinstance(given, str) else _UNPRINTABLE


def _invalid(call: CallContext, faults: Sequence[RowFault], named: Mapping[str, str]) -> Problem:
    errors = [
        RowError(fault.number, named.get(fault.column, fault.column), fault.code, _say(call, fault))
        for fault in faults
    ]
    return Problem(
        ProblemCode.INVALID_ROWS,
        "Rows of this batch cannot be paid. Nothing was taken.",
        row_errors=errors,
    )


def _say(call: CallContext, fault: RowFault) -> str:
    words = _WORDS.get(fault.code) or call.app.texts.say(
        "en", f"batch.fault.{fault.code}", fault.facts
    )
    return f"{words[0].upper()}{words[1:]}."
