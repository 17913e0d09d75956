"""A statement as a PDF, for printing and for accountants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.documents.sheet import BRAND, Cell, Sheet
from services.documents.words import Words
from services.domain.message import DESK
from services.domain.money import Money
from services.domain.statement import Statement, StatementLine

_MARGIN_MM = 14.0
_COLUMNS = (  # each with its width; together A4 across, less two margins
    *(("date", 31.0), ("reference", 20.0), ("description", 50.0), ("receipt", 29.0)),
    *(("float_reference", 40.0), ("paid_in", 24.75), ("paid_out", 24.75)),
    *(("fees", 24.75), ("balance", 24.75)),
)
_AMOUNTS_FROM = 5  # amounts are right-aligned, so that decimal points line up
_SIZE, _LINE_MM, _PAD_MM = 7.5, 3.8, 1.2
_TABLE_FROM_MM = 46.0  # below the letterhead
_BOXES_MM = 20.0  # their height, with the space below them; on the first page only
_FOOT_MM = 15.0  # kept free below the table
_LINES_MAX = 12  # of a text, which holds a whole reason; more is cut, so that a row fits any page


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of a row, each broken into lines that fit its column."""

    cells: Sequence[Sequence[str]]

    @property
    def height(self) -> float:
        return max(map(len, self.cells)) * _LINE_MM + 2 * _PAD_MM


def statement_pdf(statement: Statement, words: Words) -> bytes:
    """A4 pages across, in the language of ``words``; the same statement always gives the same
    bytes, dated ``made_at``.

    Letters that are not Latin become "?", and texts too long for their cell are cut. Raises
    ``DocumentsMissing`` without the extra.
    """
    sheet = Sheet(
        title=f"{_title(statement, words)}, {statement.partner}, {_period(statement, words)}",
        language=words.language,
        made_at=statement.made_at,
        margin_mm=_MARGIN_MM,
    )
    pages = list(_pages(sheet, [_row(sheet, line, words) for line in statement.lines]))
    for number, rows in enumerate(pages, start=1):
        sheet.add_page()
        _letterhead(sheet, statement, words, number, len(pages))
        top = _TABLE_FROM_MM
        if number == 1:
            _summary(sheet, statement, words, top)
            top += _BOXES_MM
        _table(sheet, rows, words, top)
    return sheet.content()


def _row(sheet: Sheet, line: StatementLine, words: Words) -> _Row:
    texts = (
        [words.moment(line.at)],
        [line.reference],
        [line.description, line.detail],
        [line.receipt],
        [line.float_reference],
        *([_grouped(money)] for money in (line.paid_in, line.paid_out, line.fees, line.balance)),
    )
    cells = []
    for paragraphs, (_, width) in zip(texts, _COLUMNS, strict=True):
        lines: list[str] = []
        for paragraph in filter(None, paragraphs):
            lines += sheet.broken(paragraph, width - 2 * _PAD_MM, _SIZE, _LINES_MAX)
        cells.append(lines or [""])
    return _Row(cells)


def _pages(sheet: Sheet, rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """The rows of each page, so that every page knows how many there are."""
    heading = _LINE_MM + 2 * _PAD_MM
    whole = sheet.height_mm - _FOOT_MM - _TABLE_FROM_MM - heading
    room, page = whole - _BOXES_MM, list[_Row]()
    for row in rows:
        if row.height > room:
            yield page
            room, page = whole, []
        page.append(row)
        room -= row.height
    yield page


def _letterhead(sheet: Sheet, statement: Statement, words: Words, page: int, pages: int) -> None:
    """The desk, what this is and whose, and which page of how many."""
    left, right, top = _MARGIN_MM, sheet.width_mm - _MARGIN_MM, _MARGIN_MM
    sheet.write(left, top + 5, DESK, size=18, bold=True, ink=BRAND)
    sheet.write(right, top + 2, words("page", page=page, pages=pages), size=8, to_left=True)
    made = words("made", at=words.moment(statement.made_at))
    sheet.write(right, top + 6, made, size=8, to_left=True, grey=True)
    sheet.write(left, top + 12, _title(statement, words), size=11, bold=True)
    account = f"{words(f'account_{statement.account}')} ({statement.currency})"
    facts = (
        (0.0, words("partner"), statement.partner),
        (90.0, words("account"), account),
        (150.0, words("period"), _period(statement, words)),
    )
    room = (84.0, 54.0, right - left - 150.0)
    for (at, name, text), width in zip(facts, room, strict=True):
        sheet.write(left + at, top + 18.5, name, size=7.5, grey=True)
        (line, *_) = sheet.broken(text, width, 9.5, 1, bold=True)
        sheet.write(left + at, top + 23.5, line, size=9.5, bold=True)
    sheet.rule(left, top + 27, right, ink=BRAND)
    sheet.write(left, sheet.height_mm - _FOOT_MM / 2, words("times"), size=7, grey=True)


def _summary(sheet: Sheet, statement: Statement, words: Words, top: float) -> None:
    """Opening and closing balance, and what lies between: said here, and nowhere else."""
    boxes = (
        ("opening", statement.opening),
        ("column.paid_in", statement.total_in),
        ("column.paid_out", statement.total_out),
        ("column.fees", statement.total_fees),
        ("closing", statement.closing),
    )
    gap = 3.0
    width = (sheet.width_mm - 2 * _MARGIN_MM - gap * (len(boxes) - 1)) / len(boxes)
    for number, (name, amount) in enumerate(boxes):
        left = _MARGIN_MM + number * (width + gap)
        sheet.box(left, top, width, 15)
        sheet.write(left + 2.5, top + 5, words(name), size=7.5, grey=True)
        text = f"{statement.currency} {_grouped(amount)}"
        size = min(10.5, 10.5 * (width - 5) / sheet.length(text, 10.5, bold=True))
        sheet.write(left + 2.5, top + 11.5, text, size=size, bold=True)


def _table(sheet: Sheet, rows: Sequence[_Row], words: Words, top: float) -> None:
    names = [
        Cell(
            sheet.broken(words(f"column.{name}"), width - 2 * _PAD_MM, _SIZE, 1, bold=True),
            width,
            to_left=number >= _AMOUNTS_FROM,
        )
        for number, (name, width) in enumerate(_COLUMNS)
    ]
    sheet.row(names, top, _LINE_MM, _PAD_MM, size=_SIZE, bold=True, fill=BRAND)
    top += _LINE_MM + 2 * _PAD_MM
    for row in rows:
        cells = [
            Cell(lines, width, to_left=number >= _AMOUNTS_FROM)
            for number, (lines, (_, width)) in enumerate(zip(row.cells, _COLUMNS, strict=True))
        ]
        sheet.row(cells, top, _LINE_MM, _PAD_MM, size=_SIZE)
        top += row.height
    if not rows:
        sheet.write(_MARGIN_MM + _PAD_MM, top + 6, words("nothing"), size=_SIZE, grey=True)


def _title(statement: Statement, words: Words) -> str:
    return words(f"title_{statement.account}")


def _period(statement: Statement, words: Words) -> str:
    if statement.start == statement.end:
        return words.day(statement.start)
    return f"{words.day(statement.start)} – {words.day(statement.end)}"


def _grouped(money: Money | None) -> str:
    return f"{Decimal(money.decimal):,}" if money else ""
