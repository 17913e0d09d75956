"""A statement as a PDF, for printing and for accountants."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from services.documents import DocumentsMissing, latin
from services.domain.business_days import NAIROBI
from services.domain.money import Money
from services.domain.statement import Statement

if TYPE_CHECKING:
    from fpdf import FPDF

TEXT_MAX = 160  # characters per cell; a row must fit on a page
_FONT = "Helvetica"  # built into every PDF reader; Latin-1 only
_MARGIN_MM = 14.0
_COLUMNS = ("Date", "Reference", "Description", "Paid in", "Paid out", "Balance")
_WIDTHS_MM = (27, 24, 62, 23, 23, 23)  # 182 = A4 minus two margins
_AMOUNTS_FROM = 3  # amounts are right-aligned, so that decimal points line up
_SIZE, _LINE_MM, _PAD_MM = 8, 3.9, 1.2
_INK, _GREY, _PALE, _BRAND = (33, 37, 41), (108, 117, 125), (244, 246, 245), (15, 81, 66)
# Placeholder for a digit of the page count, with the same width. No text can contain it, because
# control characters are removed: a partner called "{nb}" keeps its name.
_PAGES_DIGIT = "\x01\x01"


def statement_pdf(statement: Statement) -> bytes:
    """A4 pages; the same statement always gives the same bytes, dated ``made_at``.

    Letters outside Latin-1 lose their accent (Gĩthĩnji: Githinji), others become "?". Texts over
    ``TEXT_MAX`` are cut. Raises ``DocumentsMissing`` without the extra.
    """
    pdf = _paper(statement)
    pdf.add_page()
    _heading(pdf, statement)
    _summary(pdf, statement)
    _table(pdf, statement)
    return bytes(pdf.output())


def _paper(statement: Statement) -> FPDF:
    try:
        from fpdf import FPDF
    except ImportError as missing:
        raise DocumentsMissing from missing

    made_at = statement.made_at.astimezone(NAIROBI)
    pages_max = len(statement.lines) // 2 + 2  # the tallest rows fit three to a page
    pages = _PAGES_DIGIT * len(str(pages_max))
    foot = _latin(
        f"Hazina · {statement.partner[:40]} · made {made_at:%d %b %Y, %H:%M} Nairobi time"
    )

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-_MARGIN_MM)
            self.set_font(_FONT, size=8)
            self.set_text_color(*_GREY)
            self.cell(self.epw - 28, 5, foot)
            self.cell(28, 5, f"page {self.page_no()} of {pages}", align="R")

    pdf = Paper(format="A4")
    pdf.alias_nb_pages(pages)
    pdf.set_creation_date(statement.made_at)
    pdf.set_title(_latin(f"Statement {statement.partner} {statement.start} to {statement.end}"))
    pdf.set_creator("Hazina")
    pdf.set_lang("en")
    pdf.set_margins(_MARGIN_MM, _MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM + 6)
    pdf.set_draw_color(222, 226, 230)
    return pdf


def _heading(pdf: FPDF, statement: Statement) -> None:
    pdf.set_font(_FONT, "B", 17)
    pdf.set_text_color(*_BRAND)
    pdf.cell(0, 9, "Statement of account", new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(*_INK)
    period = f"{statement.start:%d %b %Y} to {statement.end:%d %b %Y}"
    for name, text in (
        ("Partner", statement.partner),
        ("Account", f"{statement.account} ({statement.currency})"),
        ("Period", f"{period}, days and times of Nairobi"),
    ):
        pdf.set_font(_FONT, size=9.5)
        pdf.set_text_color(*_GREY)
        pdf.cell(18, 5.5, name)
        pdf.set_text_color(*_INK)
        pdf.multi_cell(0, 5.5, _latin(text), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)


def _summary(pdf: FPDF, statement: Statement) -> None:
    boxes = (
        ("Opening balance", statement.opening),
        ("Paid in", statement.total_in),
        ("Paid out", statement.total_out),
        ("Closing balance", statement.closing),
    )
    gap = 3.0
    width = (pdf.epw - gap * (len(boxes) - 1)) / len(boxes)
    top = pdf.get_y()
    pdf.set_fill_color(*_PALE)
    for number, (name, amount) in enumerate(boxes):
        left = pdf.l_margin + number * (width + gap)
        pdf.rect(left, top, width, 15, style="F")
        pdf.set_xy(left + 1, top + 2)
        pdf.set_font(_FONT, size=8)
        pdf.set_text_color(*_GREY)
        pdf.cell(width - 2, 4, name)
        pdf.set_xy(left + 1, top + 7)
        pdf.set_font(_FONT, "B", 10.5)
        pdf.set_text_color(*_INK)
        text = f"{statement.currency} {_grouped(amount)}"
        pdf.set_font_size(10.5 * min(1, (width - 5) / pdf.get_string_width(text)))
        pdf.cell(width - 2, 5, text)
    pdf.set_y(top + 20)


class _Rows:
    """The table, drawn as plain text: fpdf2's own takes 16 s for 5,000 lines, this 1 to 5."""

    def __init__(self, pdf: FPDF) -> None:
        self._pdf = pdf
        pdf.set_font(_FONT, size=_SIZE)  # once: after a page break fpdf2 restores it
        self._heading()

    def add(self, cells: Sequence[str], *, bold: bool = False) -> None:
        """``cells`` wrap when wider than their column."""
        pdf = self._pdf
        pdf.set_font(style="B" if bold else "")
        wrapped = [self._wrap(*column) for column in zip(cells, _WIDTHS_MM, strict=True)]
        height = max(map(len, wrapped)) * _LINE_MM + 2 * _PAD_MM
        if pdf.will_page_break(height):
            pdf.add_page()
            self._heading()
            pdf.set_font(style="B" if bold else "")
        self._draw(wrapped, height, fill=_PALE if bold else None)

    def _heading(self) -> None:
        pdf = self._pdf
        pdf.set_font(style="B")
        pdf.set_text_color(255, 255, 255)
        self._draw([[name] for name in _COLUMNS], _LINE_MM + 2 * _PAD_MM, fill=_BRAND)
        pdf.set_font(style="")
        pdf.set_text_color(*_INK)

    def _wrap(self, text: str, width: float) -> list[str]:
        lines: list[str] = []
        for line in text.split("\n"):
            if self._pdf.get_string_width(line) <= width - 2 * _PAD_MM:
                lines.append(line)
            else:
                room = width - 2 * _PAD_MM + 2 * self._pdf.c_margin
                broken = self._pdf.multi_cell(room, text=line, dry_run=True, output="LINES")
                lines += cast(list[str], broken)
        return lines

    def _draw(
        self, cells: Sequence[list[str]], height: float, fill: tuple[int, int, int] | None
    ) -> None:
        pdf, left, top = self._pdf, self._pdf.l_margin, self._pdf.get_y()
        if fill:
            pdf.set_fill_color(*fill)
            pdf.rect(left, top, pdf.epw, height, style="F")
        for number, (lines, width) in enumerate(zip(cells, _WIDTHS_MM, strict=True)):
            base = top + _PAD_MM + 0.75 * _LINE_MM
            for line in filter(None, lines):
                over = width - 2 * _PAD_MM - pdf.get_string_width(line)
                pdf.text(left + _PAD_MM + (over if number >= _AMOUNTS_FROM else 0), base, line)
                base += _LINE_MM
            left += width
        pdf.line(pdf.l_margin, top + height, left, top + height)
        pdf.set_y(top + height)


def _table(pdf: FPDF, statement: Statement) -> None:
    rows = _Rows(pdf)
    rows.add(["", "", "Opening balance", "", "", _grouped(statement.opening)], bold=True)
    for line in statement.lines:
        at = f"{line.at.astimezone(NAIROBI):%d %b %Y %H:%M}"
        what = "\n".join(_latin(text) for text in (line.description, line.detail) if text)
        amounts = [_grouped(money) for money in (line.paid_in, line.paid_out, line.balance)]
        rows.add([at, _latin(line.reference), what, *amounts])
    if not statement.lines:
        rows.add(["", "", "Nothing moved in this period", "", "", ""])
    sums = [_grouped(m) for m in (statement.total_in, statement.total_out, statement.closing)]
    rows.add(["", "", "Totals, closing balance", *sums], bold=True)


def _grouped(money: Money | None) -> str:
    return f"{Decimal(money.decimal):,}" if money else ""


def _latin(text: str) -> str:
    """What the font can draw, on one line of at most ``TEXT_MAX`` characters."""
    line = latin(text[: TEXT_MAX + 1])
    return line if len(line) <= TEXT_MAX else f"{line[: TEXT_MAX - 3]}..."
