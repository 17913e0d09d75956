"""Documents open, have the expected pages and pixels, and are byte-identical when made twice."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest

from services.documents import DocumentsMissing
from services.documents.balance_chart import balance_chart, short
from services.documents.csv_statement import statement_csv
from services.documents.lettering import BOLD, DRAWN, REGULAR, drawable
from services.documents.pdf_statement import statement_pdf
from services.documents.words import Words
from services.domain.ledger import AccountKind
from services.domain.money import CurrencyMismatch, Money
from services.domain.statement import Statement, StatementLine
from tests.kit.document_words import ENGLISH, KISWAHILI
from tests.kit.pdf_text import pdf_pages

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
        account=AccountKind.WALLET,
        start=date(2026, 10, 1),
        end=date(2026, 10, 31),
        opening=opening,
        closing=Money(0),
        lines=moved,
        made_at=datetime(2026, 11, 1, 6, tzinfo=UTC),
    )


def test_a_pdf_without_movements_has_one_page_and_its_balances() -> None:
    pdf = statement_pdf(statement(0), ENGLISH)
    assert pdf.startswith(b"%PDF")
    (page,) = pdf_pages(pdf)
    for text in ("Opening balance", "Closing balance", "Nothing moved in this period.", "KES 0.00"):
        assert text in page


def test_every_page_has_the_letterhead_and_says_which_it_is() -> None:
    drawn = pdf_pages(statement_pdf(statement(100), ENGLISH))
    assert len(drawn) > 3
    for number, page in enumerate(drawn, start=1):
        said = ("Hazina", "Wallet statement", "Jamii", "Wallet (KES)", "1 Oct 2026 – 31 Oct 2026")
        for text in (*said, "Balance", f"Page {number} of {len(drawn)}"):
            assert page.count(text) == 1


def test_opening_and_closing_balance_are_said_once() -> None:
    made = statement(100)
    paid = replace(made.lines[0], fees=Money(2_550), receipt="UF4OR6RP9Q", float_reference="FT-1")
    drawn = pdf_pages(statement_pdf(replace(made, lines=[paid, *made.lines[1:]]), ENGLISH))
    texts = [text for page in drawn for text in page]
    for text in ("Opening balance", "Closing balance"):
        assert texts.count(text) == 1
    for text in (
        "UF4OR6RP9Q",
        "FT-1",
        "25.50",
        "KES 25.50",
    ):  # in columns of their own; and the sum
        assert texts.count(text) == 1


def test_a_pdf_speaks_its_readers_language() -> None:
    made = replace(statement(30), account=AccountKind.FLOAT)
    pdf = statement_pdf(made, KISWAHILI)
    page = pdf_pages(pdf)[0]
    for text in ("Taarifa ya float", "1 Okt 2026 – 31 Okt 2026", "Ukurasa 1 kati ya 2", "Salio"):
        assert text in page
    assert "1 Okt 2026, 08:00" in page
    assert b"/Lang (sw)" in pdf


def test_five_thousand_lines_are_all_there() -> None:
    drawn = pdf_pages(statement_pdf(statement(5000), ENGLISH))
    texts = [text for page in drawn for text in page]
    assert texts.count("Payment") == 5000
    assert len({text for text in texts if text.startswith("DB-")}) == 5000


def test_the_same_statement_gives_the_same_bytes() -> None:
    made = statement(60, detail="M-PESA")
    assert statement_pdf(made, ENGLISH) == statement_pdf(made, ENGLISH)
    assert statement_csv(made, ENGLISH) == statement_csv(made, ENGLISH)


def test_a_pdf_is_dated_by_its_statement() -> None:
    assert b"(D:20261101060000Z" in statement_pdf(statement(0), ENGLISH)


@pytest.mark.parametrize(
    "text",
    ["Wanjirũ – “nov”…", "李 🏦 ١", "\ud800", "\x00\r\n\x01", "{nb}", "W" * 10_000, "ﷺ㎯" * 500],
)
def test_a_pdf_is_made_whatever_the_text(text: str) -> None:
    made = statement(3, detail=text, partner=text)
    strange = [replace(line, reference=text, description=text) for line in made.lines]
    pdf = statement_pdf(replace(made, lines=strange), ENGLISH)
    assert len(pdf_pages(pdf)) < 4


def test_a_name_keeps_its_letters() -> None:
    made = statement(1, partner="Gĩthĩnji", detail="Wanjirũ wa Gĩthĩnji")
    (page,) = pdf_pages(statement_pdf(made, ENGLISH))
    assert "Gĩthĩnji" in page
    assert "Wanjirũ wa Gĩthĩnji" in page


def test_a_text_that_is_too_long_is_broken_and_then_cut() -> None:
    (page,) = pdf_pages(statement_pdf(statement(1, detail="mistaken " * 60), ENGLISH))
    broken = [text for text in page if text.startswith("mistaken")]
    assert 3 < len(broken) <= 12
    assert [text.endswith("…") for text in broken] == [False] * (len(broken) - 1) + [True]


def test_a_reason_of_two_admins_is_there_in_full() -> None:
    reason = (
        "Credited twice by mistake on 3 October, as the bank's statement of that day shows. " * 3
    )
    (page,) = pdf_pages(statement_pdf(statement(1, detail=reason), ENGLISH))
    assert " ".join(reason.split()) in " ".join(page)


def test_the_fonts_have_every_letter_that_is_drawn_and_stay_small() -> None:
    from fontTools.ttLib import TTFont

    for file in (REGULAR, BOLD):
        assert set(map(ord, DRAWN)) <= TTFont(file).getBestCmap().keys()
        assert file.stat().st_size < 75_000
    assert "Bitstream" in (REGULAR.parent / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Gĩthĩnji Wanjirũ", "Gĩthĩnji Wanjirũ"),
        ("Gi\u0303thi\u0303nji", "Gĩthĩnji"),
        ("Café Ñandú © Ọlá", "Café Ñandú © Ọlá"),
        ("“Nov” – it’s…", "“Nov” – it’s…"),
        ("ﬁ ㎯", "fi rads2"),
        ("李", "?"),
        ("a\nb\x00c", "a b c"),
        ("\u202eabc", "abc"),
    ],
)
def test_letters_the_font_lacks_are_replaced(text: str, plain: str) -> None:
    assert drawable(text) == plain


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
    assert size_of(balance_chart(drawn, title="Wallet", words=ENGLISH)) == (1000, 560)
    small = balance_chart(
        drawn, title="Wallet", width=320, height=240, threshold=Money(30_000), words=ENGLISH
    )
    assert size_of(small) == (320, 240)


def test_the_same_points_give_the_same_picture() -> None:
    drawn = points(500, 1500, 200)
    assert balance_chart(drawn, title="Wallet", words=ENGLISH) == balance_chart(
        drawn, title="Wallet", words=ENGLISH
    )


def test_a_balance_stands_until_the_next_movement() -> None:
    from PIL import Image

    png = balance_chart(points(1000, 500), title="Wallet", words=ENGLISH)
    with Image.open(BytesIO(png)) as image:
        line = image.getpixel((80, 64))
        assert image.getpixel((900, 64)) == line
        assert image.getpixel((900, 288)) != line


def test_a_peak_within_one_pixel_is_not_lost() -> None:
    from PIL import Image

    calm = [500] * 50_000
    png = balance_chart(
        points(*calm, 1000, *calm, every=timedelta(minutes=1)),
        title="Wallet",
        height=560,
        words=ENGLISH,
    )
    with Image.open(BytesIO(png)) as image:
        peak = [image.getpixel((x, 100)) for x in range(515, 535)]
        assert image.getpixel((100, 288)) in peak


@pytest.mark.parametrize(("days", "ticks"), [(31, 5), (120, 18), (365, 53)])
def test_a_chart_has_a_tick_for_every_week(days: int, ticks: int) -> None:
    from PIL import Image

    drawn = [(START + timedelta(days=n), Money(50_000)) for n in range(days)]
    png = balance_chart(drawn, title="Wallet", words=ENGLISH)
    with Image.open(BytesIO(png)) as image:
        rows = image.convert("RGB")
        below_axis = [rows.getpixel((x, 560 - 48 + 3)) for x in range(70, 1000)]
    marked = [x for x, colour in enumerate(below_axis) if colour != (255, 255, 255)]
    starts = [x for x in marked if x - 1 not in marked]
    assert ticks - 1 <= len(starts) <= ticks


def test_a_chart_says_what_the_mark_is_and_months_in_the_readers_language() -> None:
    asked = []

    def sentence(key: str, facts: Mapping[str, object]) -> str:
        asked.append((key, dict(facts)))
        return KISWAHILI(key, **facts)

    drawn = points(*range(100, 131))
    words = Words("sw", sentence)
    png = balance_chart(drawn, title="Salio", words=words, threshold=Money(5_000))
    assert asked == [("chart.mark", {"amount": Money(5_000)})]
    assert png != balance_chart(
        drawn, title="Salio", words=Words("en", sentence), threshold=Money(5_000)
    )


@pytest.mark.parametrize("title", ["", "Wanjirũ 李\n\x00", "\ud800", "W" * 10_000])
def test_a_chart_is_made_whatever_its_title(title: str) -> None:
    assert size_of(balance_chart([], title=title, words=ENGLISH)) == (1000, 560)


def test_points_that_go_back_in_time_are_a_programmers_fault() -> None:
    with pytest.raises(AssertionError, match="back in time"):
        balance_chart(points(1, 2)[::-1], title="Wallet", words=ENGLISH)


@pytest.mark.parametrize(("width", "height"), [(319, 560), (1000, 4001)])
def test_a_size_nobody_can_read_is_a_programmers_fault(width: int, height: int) -> None:
    with pytest.raises(AssertionError, match="pixels"):
        balance_chart([], title="Wallet", width=width, height=height, words=ENGLISH)


def test_two_currencies_never_meet_in_one_chart() -> None:
    with pytest.raises(CurrencyMismatch):
        balance_chart(points(1), title="Wallet", threshold=Money(1, "TZS"), words=ENGLISH)


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
        statement_pdf(statement(0), ENGLISH)
    with pytest.raises(DocumentsMissing, match=r"install hazina\[documents\]"):
        balance_chart([], title="Wallet", words=ENGLISH)


def test_a_csv_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("fpdf", "PIL"):
        monkeypatch.setitem(sys.modules, library, None)
    assert b"Opening balance" in statement_csv(statement(0), ENGLISH)
