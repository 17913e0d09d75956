"""Documents open, have the expected pages and pixels, and are byte-identical when made twice."""

from __future__ import annotations

import re
import sys
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest

from services.documents import DocumentsMissing, latin
from services.documents.balance_chart import balance_chart, short
from services.documents.csv_statement import statement_csv
from services.documents.pdf_statement import statement_pdf
from services.domain.money import CurrencyMismatch, Money
from services.domain.statement import Statement, StatementLine

START = datetime(2026, 10, 1, 5, tzinfo=UTC)
Points = list[tuple[datetime, Money]]


def statement(lines: int, *, detail: str = "", partner: str = "Jamii") -> Statement:
    """A statement of ``lines`` payments of KES 1,000, a minute apart."""
    opening = Money(100_000 * lines)
    moved = [
        StatementLine(
            at=START + timedelta(minutes=number),
            reference=f"DB-{number:06}",
            description="Payment",
            detail=detail,
            paid_in=None,
            paid_out=Money(100_000),
            balance=opening - Money(100_000 * (number + 1)),
        )
        for number in range(lines)
    ]
    return Statement(
        partner=partner,
        account="Wallet",
        start=date(2026, 10, 1),
        end=date(2026, 10, 31),
        opening=opening,
        closing=Money(0),
        lines=moved,
        made_at=datetime(2026, 11, 1, 6, tzinfo=UTC),
    )


def pages(pdf: bytes) -> list[str]:
    """The contents of each page, as PDF operators."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    drawn = [zlib.decompress(stream).decode("latin-1") for stream in streams]
    assert len(re.findall(rb"/Type /Page\n", pdf)) == len(drawn)
    return drawn


def test_a_pdf_without_movements_has_one_page_and_its_balances() -> None:
    pdf = statement_pdf(statement(0))
    assert pdf.startswith(b"%PDF")
    (page,) = pages(pdf)
    for text in ("Opening balance", "Closing balance", "Nothing moved", "KES 0.00"):
        assert text in page


def test_every_page_repeats_the_heading_and_says_which_it_is() -> None:
    drawn = pages(statement_pdf(statement(100)))
    assert len(drawn) == 3
    for number, page in enumerate(drawn, start=1):
        assert page.count("(Balance)") == 1
        assert f"page {number} of " in page
        assert "(3)" in page
    assert "(100,000.00)" in drawn[-1]
    assert "Totals" in drawn[-1]


def test_five_thousand_lines_are_all_there() -> None:
    drawn = "".join(pages(statement_pdf(statement(5000))))
    assert drawn.count("(Payment)") == 5000


def test_the_same_statement_gives_the_same_bytes() -> None:
    made = statement(60, detail="M-PESA")
    assert statement_pdf(made) == statement_pdf(made)
    assert statement_csv(made) == statement_csv(made)


def test_a_pdf_is_dated_by_its_statement() -> None:
    assert b"(D:20261101060000Z" in statement_pdf(statement(0))


@pytest.mark.parametrize(
    "text",
    ["Wanjirũ – “nov”…", "李 🏦 ١", "\ud800", "\x00\r\n\x01", "{nb}", "W" * 10_000, "ﷺ㎯" * 500],
)
def test_a_pdf_is_made_whatever_the_text(text: str) -> None:
    made = statement(3, detail=text, partner=text)
    strange = [replace(line, reference=text, description=text) for line in made.lines]
    pdf = statement_pdf(replace(made, account=text, lines=strange))
    assert len(pages(pdf)) < 4


def test_a_partner_called_like_the_page_count_keeps_its_name() -> None:
    assert "{nb}" in pages(statement_pdf(statement(0, partner="{nb}")))[0]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Gĩthĩnji Wanjirũ", "Githinji Wanjiru"),
        ("Café Ñandú ©", "Café Ñandú ©"),
        ("“Nov” – it’s…", '"Nov" - it\'s...'),
        ("e\u0301te\u0301", "ete"),
        ("李", "?"),
        ("a\nb\x00c", "a b c"),
        ("\u202eabc", "abc"),
    ],
)
def test_letters_the_font_lacks_are_replaced(text: str, plain: str) -> None:
    assert latin(text) == plain


def points(*shillings: int, every: timedelta = timedelta(days=1)) -> Points:
    return [(START + every * n, Money(amount * 100)) for n, amount in enumerate(shillings)]


def size_of(png: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        image.load()
        assert image.format == "PNG"
        return image.size


@pytest.mark.parametrize(
    "drawn",
    [
        [],
        points(500),
        points(0, 0, 0),
        points(500, 1500, 200),
        points(-500, -300),
        points(5, 7, 6, every=timedelta()),
        points(5, 7, 6, every=timedelta(microseconds=1)),
        points(5, 7, 6, every=timedelta(days=9000)),
        points(10**12, 1),
        points(*(n % 977 for n in range(100_000)), every=timedelta(minutes=5)),
    ],
    ids=lambda drawn: f"{len(drawn)} points",
)
def test_a_chart_has_its_size_whatever_the_points(drawn: Points) -> None:
    assert size_of(balance_chart(drawn, title="Wallet")) == (1000, 560)
    small = balance_chart(drawn, title="Wallet", width=320, height=240, threshold=Money(30_000))
    assert size_of(small) == (320, 240)


def test_the_same_points_give_the_same_picture() -> None:
    drawn = points(500, 1500, 200)
    assert balance_chart(drawn, title="Wallet") == balance_chart(drawn, title="Wallet")


def test_a_balance_stands_until_the_next_movement() -> None:
    from PIL import Image

    png = balance_chart(points(1000, 500), title="Wallet")
    with Image.open(BytesIO(png)) as image:
        line = image.getpixel((80, 64))
        assert image.getpixel((900, 64)) == line
        assert image.getpixel((900, 288)) != line


def test_a_peak_within_one_pixel_is_not_lost() -> None:
    from PIL import Image

    calm = [500] * 50_000
    png = balance_chart(
        points(*calm, 1000, *calm, every=timedelta(minutes=1)), title="Wallet", height=560
    )
    with Image.open(BytesIO(png)) as image:
        peak = [image.getpixel((x, 100)) for x in range(515, 535)]
        assert image.getpixel((100, 288)) in peak


@pytest.mark.parametrize("title", ["", "Wanjirũ 李\n\x00", "\ud800", "W" * 10_000])
def test_a_chart_is_made_whatever_its_title(title: str) -> None:
    assert size_of(balance_chart([], title=title)) == (1000, 560)


def test_points_that_go_back_in_time_are_a_programmers_fault() -> None:
    with pytest.raises(AssertionError, match="back in time"):
        balance_chart(points(1, 2)[::-1], title="Wallet")


@pytest.mark.parametrize(("width", "height"), [(319, 560), (1000, 4001)])
def test_a_size_nobody_can_read_is_a_programmers_fault(width: int, height: int) -> None:
    with pytest.raises(AssertionError, match="pixels"):
        balance_chart([], title="Wallet", width=width, height=height)


def test_two_currencies_never_meet_in_one_chart() -> None:
    with pytest.raises(CurrencyMismatch):
        balance_chart(points(1), title="Wallet", threshold=Money(1, "TZS"))


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(0), "0"),
        (Money(50), "0.5"),
        (Money(99_900), "999"),
        (Money(150_000), "1.5k"),
        (Money(-150_000), "-1.5k"),
        (Money(200_000_000), "2M"),
        (Money(125_000_000_000), "1.25B"),
        (Money(2_000_000, "UGX"), "2M"),
        (Money(10_000), "100"),
    ],
)
def test_an_axis_says_amounts_in_short(money: Money, text: str) -> None:
    assert short(money) == text


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("fpdf", "PIL"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(DocumentsMissing, match=r"install hazina\[documents\]"):
        statement_pdf(statement(0))
    with pytest.raises(DocumentsMissing, match=r"install hazina\[documents\]"):
        balance_chart([], title="Wallet")


def test_a_csv_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("fpdf", "PIL"):
        monkeypatch.setitem(sys.modules, library, None)
    assert b"Opening balance" in statement_csv(statement(0))
