"""The short code's statement as a file: what is read of it, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest

from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.short_code_line import ShortCodeLine
from services.domain.table import TableFileError
from services.gateways.daraja.short_code_statement import read_short_code_statement

HEAD = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,"
    "Paid In,Withdrawn,Balance,Other Party Info"
)
PAID = (
    "TCK1234567,2026-03-02 09:00:05,2026-03-02 09:00:02,Business Payment to Customer,"
    'Completed,,"-1,500.00",8500.00,254722000111 - GITHINJI SPECIMEN'
)
CHARGE = (
    "TCK1234567,2026-03-02 09:00:05,2026-03-02 09:00:02,Business Payment Charge,"
    "Completed,,-5.00,8495.00,"
)


def read(*rows: str, above: str = "") -> list[ShortCodeLine]:
    content = "\n".join((above + HEAD, *rows)).encode()
    return list(read_short_code_statement(content).lines)


def test_a_payment_is_read_with_its_day_amount_and_party() -> None:
    (line,) = read(PAID)
    assert line == ShortCodeLine(
        "TCK1234567", date(2026, 3, 2), Money(1_500_00), "254722000111 - GITHINJI SPECIMEN"
    )


def test_charges_are_added_up_and_are_no_payments() -> None:
    statement = read_short_code_statement("\n".join((HEAD, PAID, CHARGE)).encode())
    assert [line.receipt for line in statement.lines] == ["TCK1234567"]
    assert statement.charges == Money(5_00)


SCHOOL_FEES = PAID.replace("to Customer", "to Customer School fees")


@pytest.mark.parametrize("rows", [(SCHOOL_FEES,), (SCHOOL_FEES, CHARGE), (CHARGE, SCHOOL_FEES)])
def test_a_payment_for_fees_is_no_charge(rows: tuple[str, ...]) -> None:
    assert [line.amount for line in read(*rows)] == [Money(1_500_00)]


def test_a_charge_without_its_payment_is_no_payment() -> None:
    statement = read_short_code_statement("\n".join((HEAD, CHARGE)).encode())
    assert (list(statement.lines), statement.charges) == ([], Money(5_00))


def test_a_file_that_does_not_say_what_was_completed_is_refused() -> None:
    head = HEAD.replace(",Transaction Status", "")
    with pytest.raises(TableFileError, match="has only 3 of them"):
        read_short_code_statement(f"{head}\n{PAID.replace('Completed,', '')}".encode())


@pytest.mark.parametrize(
    "row",
    [
        PAID.replace("Completed", "Declined"),
        "TCK1234568,2026-03-02 10:00:00,,Funds moved,Completed,5000.00,,13500.00,",
        ",,,Total,,5000.00,-1500.00,,",
    ],
)
def test_what_is_no_completed_payment_out_is_left_out(row: str) -> None:
    assert read(row) == []


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-02 23:59:59", date(2026, 3, 2)),
        ("02-03-2026 23:59:59", date(2026, 3, 2)),
        ("02.03.2026 22:48:52", date(2026, 3, 2)),
        ("2/3/2026 01:00", date(2026, 3, 2)),
    ],
)
def test_its_time_is_nairobis_and_the_day_comes_first(written: str, day: date) -> None:
    (line,) = read(PAID.replace("2026-03-02 09:00:05", written, 1))
    assert line.day == day


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_a_mark_and_lines_above_are_taken(separator: str) -> None:
    rows = (HEAD, PAID.replace('"-1,500.00"', "1500.00"))
    content = "\n".join(row.replace(",", separator) for row in rows)
    read_back = read_short_code_statement(f"\ufeffShort Code: 400187\n\n{content}".encode())
    assert [line.amount for line in read_back.lines] == [Money(1_500_00)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "nonsense",
            "no line has the columns Receipt No., Completion Time, Transaction Status, Withdrawn",
        ),
        (f"{HEAD}\n{PAID.replace('2026-03-02 09:00:05', 'soon', 1)}", "line 2: “soon” is no time"),
        (f"{HEAD}\n{PAID.replace('-1,500.00', 'much')}", "line 2: “much” is no amount"),
        (f"{HEAD}\n{PAID.replace('TCK1234567', 'a b')}", "line 2: “A B” is no receipt"),
        (f"{HEAD}\n{PAID}\n{PAID.replace('1,500', '1,600')}", "line 3: TCK1234567 comes twice"),
        (f"{HEAD}\n{'x' * 2_000}", "line 2: a value is too long"),
        (f"{HEAD}\nTCK1234567,2026-03-02 09:00:05", "line 2: 2 values, where the columns are 9"),
        (f"{HEAD},Withdrawn\n{PAID},1", "line 1: a column comes twice"),
        ("PK\x03\x04", "an Excel workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(content: str, said: str) -> None:
    with pytest.raises(TableFileError, match=said):
        read_short_code_statement(content.encode())


def test_the_same_line_twice_is_one() -> None:
    assert len(read(PAID, PAID)) == 1


@pytest.mark.parametrize(
    ("party", "may"),
    [
        ("254722000111 - GITHINJI", True),
        ("0722 000 111", True),
        ("2547*****111 - GITHINJI", True),
        ("254722000112 - GITHINJI", False),
        ("GITHINJI SPECIMEN", True),
        ("", True),
    ],
)
def test_who_a_line_may_have_gone_to(party: str, may: bool) -> None:
    line = ShortCodeLine("TCK1234567", date(2026, 3, 2), Money(100), party)
    assert line.may_have_gone_to(Phone("254722000111")) is may
