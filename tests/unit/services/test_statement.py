"""A statement adds up to the cent, its period is read as typed, and its CSV is harmless."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.documents.csv_statement import statement_csv
from services.domain.business_days import business_day
from services.domain.ledger import AccountKind
from services.domain.money import CurrencyMismatch, Money
from services.domain.refusal import Refusal
from services.domain.statement import (
    Statement,
    StatementLine,
    bounds,
    read_period,
)
from services.statements import balance_points
from tests.kit.document_words import ENGLISH, KISWAHILI

TODAY = date(2026, 11, 20)
MORNING = datetime(2026, 11, 3, 5, 30, 7, tzinfo=UTC)  # 08:30:07 in Nairobi


def line(
    paid_in: int | None, paid_out: int | None, balance: int, *, detail: str = "", at: int = 0
) -> StatementLine:
    """A line with amounts in shillings; ``at`` is in minutes after ``MORNING``."""
    return StatementLine(
        at=MORNING + timedelta(minutes=at),
        reference=f"TU-{at}",
        description="Top-up" if paid_in else "Payment",
        detail=detail,
        paid_in=None if paid_in is None else Money(paid_in * 100),
        paid_out=None if paid_out is None else Money(paid_out * 100),
        balance=Money(balance * 100),
    )


def statement(*lines: StatementLine, opening: int = 0, closing: int = 0) -> Statement:
    return Statement(
        partner="Jamii",
        account=AccountKind.WALLET,
        start=date(2026, 11, 1),
        end=date(2026, 11, 15),
        opening=Money(opening * 100),
        closing=Money(closing * 100),
        lines=lines,
        made_at=datetime(2026, 11, 16, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("november", "2026-11-01", "2026-11-20"),
        ("Nov 2026", "2026-11-01", "2026-11-20"),
        ("2026-11", "2026-11-01", "2026-11-20"),
        ("this month", "2026-11-01", "2026-11-20"),
        ("mwezi huu", "2026-11-01", "2026-11-20"),
        ("  Last   MONTH ", "2026-10-01", "2026-10-31"),
        ("mwezi uliopita", "2026-10-01", "2026-10-31"),
        ("oktoba 2026", "2026-10-01", "2026-10-31"),
        ("10/2026", "2026-10-01", "2026-10-31"),
        ("december", "2025-12-01", "2025-12-31"),
        ("feb 2024", "2024-02-01", "2024-02-29"),
        ("1 nov - 15 nov", "2026-11-01", "2026-11-15"),
        ("1st nov to 15th nov, 2026", "2026-11-01", "2026-11-15"),
        ("1nov-15nov", "2026-11-01", "2026-11-15"),
        ("1-15 nov", "2026-11-01", "2026-11-15"),
        ("1–15 november 2026", "2026-11-01", "2026-11-15"),
        ("2026-11-01 to 2026-11-15", "2026-11-01", "2026-11-15"),
        ("2026-11-01 - 2026-11-15", "2026-11-01", "2026-11-15"),
        ("01/11/2026 - 15/11/2026", "2026-11-01", "2026-11-15"),
        ("01/11/2026-15/11/2026", "2026-11-01", "2026-11-15"),
        ("01-11-2026 hadi 15-11-2026", "2026-11-01", "2026-11-15"),
        ("1/11 - 15/11", "2026-11-01", "2026-11-15"),
        ("3 nov", "2026-11-03", "2026-11-03"),
        ("sept - oct", "2026-09-01", "2026-10-31"),
        ("20 dec - 10 jan", "2025-12-20", "2026-01-10"),
        ("20 dec - 10 jan 2026", "2025-12-20", "2026-01-10"),
        ("jan 2024 - dec 2024", "2024-01-01", "2024-12-31"),
        ("20 nov", "2026-11-20", "2026-11-20"),
        ("21 nov", "2025-11-21", "2025-11-21"),
        ("20 dec 2025 - 10 jan", "2025-12-20", "2026-01-10"),
    ],
)
def test_a_period_is_read_as_people_type_it(text: str, first: str, last: str) -> None:
    expected = (date.fromisoformat(first), date.fromisoformat(last))
    assert read_period(text, TODAY) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((text, "not_a_period") for text in ("", " ", "-", " to ", "soon", "ma", "nov to", "1")),
        ("31 feb", "not_a_period"),
        ("29 feb 2023", "not_a_period"),
        ("0 nov", "not_a_period"),
        ("2026-13", "not_a_period"),
        ("2026-00-01", "not_a_period"),
        ("11/25/2026", "not_a_period"),
        ("nov 99999", "not_a_period"),
        ("0001-01", "not_a_period"),
        ("0000-01-01", "not_a_period"),
        ("1999-12", "not_a_period"),
        ("01/11/26", "not_a_period"),
        ("nov - 3", "not_a_period"),
        ("1 oct - 2 oct - 3 oct", "not_a_period"),
        ("١ nov", "not_a_period"),
        ("２０２６-11", "not_a_period"),
        ("nov " * 2500, "not_a_period"),
        ("1-" * 5000, "not_a_period"),
        (" " * 10_000, "not_a_period"),
        ("1" * 10_000, "not_a_period"),
        ("nov\x00", "not_a_period"),
        ("dec 2026", "period_in_future"),
        ("30 nov 2026", "period_in_future"),
        ("1 nov - 30 nov", "period_in_future"),
        ("9999-12", "period_in_future"),
        ("15 nov - 1 nov", "period_reversed"),
        ("2026-11-15 to 2026-11-01", "period_reversed"),
        ("15 nov - 1 nov 2026", "period_reversed"),
        ("20 dec 2025 - 10 dec", "period_reversed"),
        ("dec - jan 2027", "period_in_future"),
        ("1 jan 2025 - 2 jan 2026", "period_too_long"),
    ],
)
def test_what_is_no_period_is_refused_with_the_reason(text: str, code: str) -> None:
    refused = read_period(text, TODAY)
    assert isinstance(refused, Refusal)
    assert refused.code == code


def test_a_refused_period_says_what_would_do() -> None:
    too_long = read_period("1 jan 2025 - 2 jan 2026", TODAY)
    assert too_long == Refusal.of("period_too_long", days_max=366)
    assert read_period("dec 2026", TODAY) == Refusal.of("period_in_future", today=TODAY)
    reversed_period = Refusal.of("period_reversed", start=date(2026, 11, 9), end=date(2026, 11, 2))
    assert read_period("9/11/2026 to 2/11/2026", TODAY) == reversed_period


@given(text=st.text(alphabet="0123456789 -–/.,novdecjantothis\u0661", max_size=70))
def test_whatever_is_typed_is_a_sound_period_or_refused(text: str) -> None:
    period = read_period(text, TODAY)
    if not isinstance(period, Refusal):
        start, end = period
        assert start <= end <= TODAY
        assert (end - start).days < 366
        bounds(start, end)


@given(
    start=st.dates(date(2000, 1, 1), TODAY), days=st.integers(0, 365), form=st.sampled_from("-/.")
)
def test_days_written_out_are_read_back(start: date, days: int, form: str) -> None:
    end = min(start + timedelta(days=days), TODAY)
    typed = f"{start:%d{form}%m{form}}{start.year} to {end.isoformat()}"
    assert read_period(typed, TODAY) == (start, end)


def test_a_business_day_begins_at_nine_in_the_evening_of_utc() -> None:
    assert bounds(date(2026, 11, 1), date(2026, 11, 15)) == (
        datetime(2026, 10, 31, 21, tzinfo=UTC),
        datetime(2026, 11, 15, 21, tzinfo=UTC),
    )
    assert business_day(datetime(2026, 11, 15, 20, 59, tzinfo=UTC)) == date(2026, 11, 15)
    assert business_day(datetime(2026, 11, 15, 21, tzinfo=UTC)) == date(2026, 11, 16)


def test_fees_are_added_up_apart() -> None:
    bought = replace(line(None, 52, 148), fees=Money(200))
    again = replace(line(None, 10, 138, at=1), fees=Money(150))
    made = statement(bought, again, opening=200, closing=138)
    assert (made.total_out, made.total_fees) == (Money(6_200), Money(350))


def test_reversed_bounds_are_a_programmers_fault() -> None:
    with pytest.raises(AssertionError, match="is after"):
        bounds(date(2026, 11, 2), date(2026, 11, 1))


def test_totals_are_what_went_in_and_out() -> None:
    made = statement(
        line(500, None, 700),
        line(None, 200, 500, at=1),
        line(25, None, 525, at=2),
        opening=200,
        closing=525,
    )
    assert (made.total_in, made.total_out) == (Money(52_500), Money(20_000))
    assert made.currency == "KES"


@given(st.lists(st.integers(-(10**9), 10**9).filter(bool), max_size=30), st.integers(0, 10**9))
def test_running_balances_lead_from_opening_to_closing(moves: list[int], opening: int) -> None:
    lines, balance = [], opening
    for at, move in enumerate(moves):
        balance += move
        into, out = (move, None) if move > 0 else (None, -move)
        lines.append(line(into, out, balance, at=at))
    made = statement(*lines, opening=opening, closing=balance)
    assert made.opening + made.total_in - made.total_out == made.closing
    for number, wrong in enumerate(lines):
        changed = replace(wrong, balance=wrong.balance + Money(1))
        with pytest.raises(AssertionError, match=f"TU-{number} should leave"):
            replace(made, lines=[*lines[:number], changed, *lines[number + 1 :]])


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([line(5, None, 5)], "lead to KES 5, not to KES 0"),
        ([line(5, 5, 0)], "is not one movement"),
        ([line(None, None, 0)], "is not one movement"),
        ([line(0, None, 0)], "moves nothing"),
        ([line(None, -5, 5)], "moves nothing"),
        ([line(5, None, 5, at=60 * 24 * 30)], "outside the period"),
        ([replace(line(5, None, 5), fees=Money(1))], "has fees that it did not pay"),
        ([replace(line(None, 5, -5), fees=Money(501))], "has fees that it did not pay"),
    ],
)
def test_a_statement_that_cannot_be_true_is_not_made(
    lines: list[StatementLine], fault: str
) -> None:
    with pytest.raises(AssertionError, match=fault):
        statement(*lines)


def test_two_currencies_never_meet_in_one_statement() -> None:
    with pytest.raises(CurrencyMismatch):
        statement(replace(line(5, None, 5), paid_in=Money(500, "TZS")), closing=5)


def read_csv(made: Statement) -> list[list[str]]:
    return list(csv.reader(StringIO(statement_csv(made, ENGLISH).decode("utf-8-sig"), newline="")))


def test_a_csv_has_a_row_a_movement_between_opening_and_closing() -> None:
    made = statement(
        replace(line(1500, None, 1700, detail='M-PESA, "Wanjirũ"'), receipt="UF4OR6RP9Q"),
        replace(line(None, 50, 1650, at=600), fees=Money(250), float_reference="NCBA-1"),
        opening=200,
        closing=1650,
    )
    assert read_csv(made) == [
        [
            *("Date", "Time (Nairobi)", "Reference", "Description", "Details"),
            *("M-PESA receipt", "Float reference", "Paid in (KES)", "Paid out (KES)"),
            *("Of which fees (KES)", "Balance (KES)"),
        ],
        ["2026-11-01", "", "", "Opening balance", *[""] * 6, "200.00"],
        [
            *("2026-11-03", "08:30:07", "TU-0", "Top-up", 'M-PESA, "Wanjirũ"'),
            *("UF4OR6RP9Q", "", "1500.00", "", "", "1700.00"),
        ],
        [
            *("2026-11-03", "18:30:07", "TU-600", "Payment", "", "", "NCBA-1"),
            *("", "50.00", "2.50", "1650.00"),
        ],
        ["2026-11-15", "", "", "Closing balance", *[""] * 6, "1650.00"],
    ]


def test_a_csv_speaks_its_readers_language() -> None:
    rows = list(csv.reader(StringIO(statement_csv(statement(), KISWAHILI).decode("utf-8-sig"))))
    assert rows[0] == [
        *("Tarehe", "Saa (Nairobi)", "Nambari", "Muamala", "Maelezo", "Risiti ya M-PESA"),
        *("Nambari ya float", "Zilizoingia (KES)", "Zilizotoka (KES)", "Ambazo ni ada (KES)"),
        "Salio (KES)",
    ]
    assert [row[3] for row in rows[1:]] == ["Salio la kuanzia", "Salio la mwisho"]


def test_a_csv_says_to_excel_that_it_is_utf_8() -> None:
    assert statement_csv(statement(), ENGLISH).startswith(b"\xef\xbb\xbf")


def test_a_csv_without_movements_has_its_balances() -> None:
    rows = read_csv(statement(opening=5, closing=5))
    assert [row[3] for row in rows] == ["Description", "Opening balance", "Closing balance"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+254712345678", "'+254712345678"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("|calc", "'|calc"),
        ("＝1+1", "'＝1+1"),
        ("  =1", "'  =1"),
        ("\t=1", "' =1"),
        ("\r\n=1", "'  =1"),
        ("\x00=1", "' =1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("a\n=1", "a =1"),
        ('","=1', '","=1'),
        ("a;=1", "a;=1"),
        ("5 = 5", "5 = 5"),
        ("\ud800", "?"),
    ],
)
def test_a_text_from_strangers_never_starts_a_formula(text: str, cell: str) -> None:
    made = statement(line(5, None, 5, detail=text), closing=5)
    assert read_csv(made)[2][4] == cell


@given(st.text())
def test_any_text_stays_in_its_cell(text: str) -> None:
    made = statement(
        replace(
            line(5, None, 5, detail=text),
            **dict.fromkeys(("reference", "description", "receipt", "float_reference"), text),
        ),
        closing=5,
    )
    rows = read_csv(made)
    assert [len(row) for row in rows] == [11] * 4
    assert rows[2][7:] == ["5.00", "", "", "5.00"]
    assert not any(cell.lstrip().startswith(tuple("=+-@")) for cell in rows[2])


def test_lines_stand_as_they_were_booked_though_the_clock_was_set_back_between_them() -> None:
    lines = [line(5, None, 5, at=2), line(None, 5, 0, at=1)]
    assert list(statement(*lines).lines) == lines


def test_a_chart_never_goes_back_in_time_though_the_clock_did() -> None:
    lines = [line(5, None, 5, at=2), line(None, 5, 0, at=1)]
    points = balance_points(statement(*lines))
    assert [moment for moment, _ in points] == sorted(moment for moment, _ in points)
    assert [balance.cents for _, balance in points] == [0, 500, 0, 0]
