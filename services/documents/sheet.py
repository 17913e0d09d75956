"""Pages of A4 across that text and boxes are placed on, in millimetres from the top left."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.documents import DocumentsMissing
from services.documents.lettering import BOLD, REGULAR, drawable
from services.domain.message import DESK

if TYPE_CHECKING:
    from fpdf import FPDF

Colour = tuple[int, int, int]

INK, GREY, WHITE = (33, 37, 41), (108, 117, 125), (255, 255, 255)
PALE, BRAND, _RULE = (244, 246, 245), (15, 81, 66), (222, 226, 230)
TEXT_MAX = 600  # characters that are looked at: what no cell could hold is not measured
_FONT = "DejaVu"
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Cell:
    """``to_left``: written up to its right edge."""

    lines: Sequence[str]
    width: float
    to_left: bool = False


class Sheet:
    """Drawn as plain text: fpdf2's own tables take 16 s for 5,000 lines, this a few."""

    def __init__(self, *, title: str, language: str, made_at: datetime, margin_mm: float) -> None:
        """Raises ``DocumentsMissing`` without the extra."""
        try:
            from fpdf import FPDF
        except ImportError as missing:
            raise DocumentsMissing from missing
        self._pdf = pdf = FPDF(orientation="landscape", format="A4")
        pdf.add_font(_FONT, fname=REGULAR)
        pdf.add_font(_FONT, "B", fname=BOLD)
        pdf.set_creation_date(made_at)
        pdf.set_title(drawable(title))
        pdf.set_creator(DESK)
        pdf.set_lang(language)
        pdf.set_margins(margin_mm, margin_mm)
        pdf.set_auto_page_break(auto=False)
        pdf.set_draw_color(*_RULE)
        self._left = margin_mm

    @property
    def width_mm(self) -> float:
        return float(self._pdf.w)

    @property
    def height_mm(self) -> float:
        return float(self._pdf.h)

    def add_page(self) -> None:
        self._pdf.add_page()

    def content(self) -> bytes:
        return bytes(self._pdf.output())

    def length(self, text: str, size: float, *, bold: bool = False) -> float:
        """Of a text in millimetres."""
        self._set_font(size, bold)
        return self._measured(text)

    def _measured(self, text: str) -> float:
        """In the font that is set. Its letters stand as they are, and fpdf2's own measuring looks
        for marks and directions in them, which takes three times as long."""
        font = self._pdf.current_font
        assert font is not None
        return font.get_text_width(text, self._pdf.font_size_pt, None)[1] / self._pdf.k

    def broken(
        self, text: str, width: float, size: float, most: int, *, bold: bool = False
    ) -> list[str]:
        """``text`` in at most ``most`` lines of ``width``, the last one cut if it goes on."""
        whole = text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}{_CUT}"
        rest = drawable(whole).strip()
        lines: list[str] = []
        while self.length(rest, size, bold=bold) > width:
            if len(lines) == most - 1:
                return [*lines, self._cut(rest, width)]
            end = self._fitting(rest, width)
            blank = rest.rfind(" ", 1, end + 1)
            end = blank if blank > 0 else end  # a word that is too long is broken anywhere
            lines.append(rest[:end].rstrip())
            rest = rest[end:].lstrip()
        return [*lines, rest]

    def _fitting(self, text: str, width: float) -> int:
        """How many characters fit, in the font that is set; at least one."""
        return max(
            1, bisect_left(range(1, len(text)), True, key=lambda end: self._over(text[:end], width))
        )

    def _over(self, text: str, width: float) -> bool:
        return self._measured(text) > width

    def _cut(self, text: str, width: float) -> str:
        end = self._fitting(text, width - self._measured(_CUT))
        return f"{text[:end].rstrip()}{_CUT}"

    def write(
        self,
        x: float,
        baseline: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        ink: Colour = INK,
        grey: bool = False,
        to_left: bool = False,
    ) -> None:
        """One line from ``x`` on; ``to_left``: up to ``x``."""
        line = drawable(text)
        start = x - self.length(line, size, bold=bold) if to_left else x
        self._set_font(size, bold)
        self._pdf.set_text_color(*(GREY if grey else ink))
        if line:
            self._pdf.text(start, baseline, line)

    def box(self, left: float, top: float, width: float, height: float) -> None:
        self._pdf.set_fill_color(*PALE)
        self._pdf.rect(left, top, width, height, style="F")

    def rule(self, left: float, y: float, right: float, *, ink: Colour) -> None:
        self._pdf.set_draw_color(*ink)
        self._pdf.line(left, y, right, y)
        self._pdf.set_draw_color(*_RULE)

    def row(
        self,
        cells: Sequence[Cell],
        top: float,
        line_mm: float,
        pad_mm: float,
        *,
        size: float,
        bold: bool = False,
        fill: Colour | None = None,
    ) -> None:
        """Cells beside each other; on a ``fill`` the letters are white."""
        height = max(len(cell.lines) for cell in cells) * line_mm + 2 * pad_mm
        if fill:
            self._pdf.set_fill_color(*fill)
            across = sum(cell.width for cell in cells)
            self._pdf.rect(self._left, top, across, height, style="F")
        left = self._left
        ink = WHITE if fill else INK
        for cell in cells:
            baseline = top + pad_mm + 0.75 * line_mm
            x = left + (cell.width - pad_mm if cell.to_left else pad_mm)
            for line in cell.lines:
                self.write(x, baseline, line, size=size, bold=bold, ink=ink, to_left=cell.to_left)
                baseline += line_mm
            left += cell.width
        self.rule(self._left, top + height, left, ink=_RULE)

    def _set_font(self, size: float, bold: bool) -> None:
        pdf: FPDF = self._pdf
        pdf.set_font(_FONT, "B" if bold else "", size)
