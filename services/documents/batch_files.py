"""Files about a batch of payouts, for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import StringIO

from services.documents.csv_statement import spreadsheet_text
from services.domain.business_days import NAIROBI
from services.domain.payout_batch import BatchResult, RowFault

RESULT_COLUMNS = (
    *("row", "phone", "amount", "reference", "name", "remarks", "status", "reason"),
    *("payout", "receipt", "recipient_name", "time"),
)


def result_csv(
    results: Iterable[BatchResult],
    column: Callable[[str], str],
    say_status: Callable[[BatchResult], str],
    say_reason: Callable[[BatchResult], str],
) -> bytes:
    """Every row with what became of it. Phones are ``2547…``, amounts in shillings, times ISO 8601
    in Nairobi. Texts that a spreadsheet would run are made harmless."""
    lines = []
    for result in results:
        row, at = result.row, result.settled_at
        texts = (
            *(row.reference, row.name, row.remarks, say_status(result), say_reason(result)),
            *(result.payout, result.receipt, result.recipient_name),
        )
        lines.append(
            [
                str(row.number),
                row.phone.msisdn,
                row.amount.decimal,
                *(spreadsheet_text(text or "") for text in texts),
                "" if at is None else at.astimezone(NAIROBI).isoformat(timespec="seconds"),
            ]
        )
    return _written([column(name) for name in RESULT_COLUMNS], lines)


def faults_csv(faults: Sequence[RowFault], said: Sequence[str], words: Mapping[str, str]) -> bytes:
    """Every fault of a file that was not taken, with the words for it."""
    lines = [
        [str(fault.number), fault.column, spreadsheet_text(why)]
        for fault, why in zip(faults, said, strict=True)
    ]
    return _written([words["row"], words["column"], words["why"]], lines)


def _written(head: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """As ``statement_csv`` writes: UTF-8 with a byte-order mark, all quoted, CRLF."""
    file = StringIO(newline="")
    rows = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    rows.writerow(head)
    rows.writerows(lines)
    return file.getvalue().encode("utf-8-sig", errors="replace")
