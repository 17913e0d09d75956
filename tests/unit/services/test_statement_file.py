"""A statement as a CSV file: every line is read, or the unreadable one is named."""

from __future__ import annotations

from datetime import date

import pytest

from services.domain.money import Money
from services.domain.table import BYTES_MAX, FIELD_MAX, LINES_MAX, TableFileError
from services.gateways.statement_file import AmbiguousDates, read_statement_file

HEADER = "ValueDate,CreditDebitFlag,CreditAmount,DebitAmount,InstrumentReferenceNumber,Narrative"
LINE = "02032026,C,1500.00,0.00,UF4OR6RP9Q,Paybill"


def read(*lines: str) -> list[object]:
    return list(read_statement_file("\n".join(lines).encode()))


def test_a_line_is_read_with_all_its_words() -> None:
    (line,) = read_statement_file(f"{HEADER}\n{LINE}\n".encode())
    assert (line.day, line.is_credit, line.amount) == (date(2026, 3, 2), True, Money(150_000))
    assert line.words == ("UF4OR6RP9Q", "Paybill")


@pytest.mark.parametrize("written", ["02032026", "02/03/2026", "02-03-2026", "2026-03-02"])
def test_days_are_read_as_people_write_them(written: str) -> None:
    (line,) = read_statement_file(f"{HEADER}\n{written},D,,1500,X,Y".encode())
    assert (line.day, line.is_credit) == (date(2026, 3, 2), False)


def test_amounts_may_have_commas_and_names_any_case_or_order() -> None:
    header = "narrative,debitamount,CREDITAMOUNT,creditDebitFlag, valuedate ,Other"
    text = f'{header}\nx,,"1,500.00",CR,02032026,y'
    (line,) = read_statement_file(b"\xef\xbb\xbf" + text.encode())
    assert line.amount == Money(150_000)


def test_nothing_moved_is_no_line() -> None:
    assert read(HEADER, "02032026,C,0.00,0.00,X,Opening balance", "", ",,,,,") == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "columns"),
        (["ValueDate,Narrative", "x,y"], "line 1 has only 1 of them, parted by commas"),
        ([HEADER + ",Narrative"], "twice"),
        ([HEADER, "02032026,C,1500.00"], "line 2"),
        ([HEADER, LINE, "32032026,C,1500.00,0.00,X,Y"], "line 3"),
        ([HEADER, "02032026,D,1500.00,0.00,X,Y"], "line 2"),
        ([HEADER, "02032026,C,1500.00,20.00,X,Y"], "line 2"),
        ([HEADER, "02032026,C,-1500.00,0.00,X,Y"], "line 2"),
        ([HEADER, "02032026,C,many,0.00,X,Y"], "line 2"),
        *(
            ([HEADER, f'02032026,C,"{amount}",0.00,X,Y'], "line 2")
            for amount in ("1500,00", "1,5", "1,,500", "1.500", "1.500,00", "12,34,567.00")
        ),
        ([HEADER, "02032026,C,100000000000.01,0.00,X,Y"], "line 2"),
        *(
            ([HEADER, f"{day},C,1.00,0.00,X,Y"], "line 2")
            for day in ("01010001", "31129999", "20101202", "02032199")
        ),
        ([HEADER, f"02032026,C,1.00,0.00,X,{'y' * (FIELD_MAX + 1)}"], "too long"),
        ([HEADER, '02032026,C,1.00,0.00,X,"y'], "line"),
    ],
)
def test_what_cannot_be_read_is_named(lines: list[str], said: str) -> None:
    with pytest.raises(TableFileError, match=said):
        read(*lines)


def test_there_are_limits() -> None:
    with pytest.raises(TableFileError, match="MB"):
        read_statement_file(b"x" * (BYTES_MAX + 1))
    with pytest.raises(TableFileError, match="UTF-8"):
        read_statement_file(b"\xff\xfe\x00")
    with pytest.raises(TableFileError, match="more than"):
        read(HEADER, *[LINE] * (LINES_MAX + 1))
    assert len(read(HEADER, f"02032026,C,1.00,0.00,X,{'y' * FIELD_MAX}")) == 1
    with pytest.raises(TableFileError, match="too long"):
        read(HEADER, f"02032026,C,1.00,0.00,X,{'y' * (FIELD_MAX + 1)}")


# As banks export it -------------------------------------------------------------------------------

ROW = "02/03/2026,C,1500.00,0.00,UF4OR6RP9Q,PAYBILL AMINA"
FORMS = {
    "a head": f"Account name,HAZINA DESK\nPeriod,01/03/2026 - 31/03/2026\n\n{HEADER}\n{ROW}\n",
    "an empty first line": f"\n{HEADER}\n{ROW}\n",
    "Excel's line": f"sep=,\n{HEADER}\n{ROW}\n",
    "a foot": f"{HEADER}\n{ROW}\nTotal,,1500.00,0.00,,\n\nEnd of statement\n",
    "semicolons": f"{HEADER}\n{ROW}\n".replace(",", ";"),
    "tabs": f"{HEADER}\n{ROW}\n".replace(",", "\t"),
    "names with blanks": f"{HEADER}\n{ROW}\n".replace("ValueDate", "Value Date"),
    "single digits": f"{HEADER}\n{ROW}\n".replace("02/03/2026", "2/3/2026"),
    "a month's name": f"{HEADER}\n{ROW}\n".replace("02/03/2026", "02-Mar-2026"),
    "a time": f"{HEADER}\n{ROW}\n".replace("02/03/2026", "02/03/2026 14:05:11"),
    "a dash for nothing": f"{HEADER}\n{ROW}\n".replace(",0.00", ",-"),
    "a whole word": f"{HEADER}\n{ROW}\n".replace(",C,", ",Credit,"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_table_is_read_in_whatever_form_it_comes(form: str, encoding: str) -> None:
    (line,) = read_statement_file(FORMS[form].replace("AMINA", "ZOÉ").encode(encoding))
    assert (line.day, line.is_credit, line.amount) == (date(2026, 3, 2), True, Money(150_000))
    assert line.receipts == ["UF4OR6RP9Q"]
    assert "ZOÉ" in line.said


def test_without_a_column_of_directions_the_amounts_have_them() -> None:
    header = HEADER.replace("CreditDebitFlag,", "")
    rows = "02/03/2026,5.00,,X1,a\n02/03/2026,,7.00,X2,b"
    lines = read_statement_file(f"{header}\n{rows}".encode())
    assert [(line.is_credit, line.amount.cents) for line in lines] == [(True, 500), (False, 700)]


@pytest.mark.parametrize(
    ("row", "column", "was", "understood"),
    [
        ("2 Marchember 2026,C,1.00,0.00,X,Y", "ValueDate", "2 Marchember 2026", "02-Mar-2026"),
        ("31/02/2026,C,1.00,0.00,X,Y", "ValueDate", "31/02/2026", "2026-03-02"),
        ("02/03/26,C,1.00,0.00,X,Y", "ValueDate", "02/03/26", "02/03/2026"),
        ("02/03/2026,C,-1500.00,0.00,X,Y", "CreditAmount", "-1500.00", "below zero"),
        ("02/03/2026,D,0.00,(1500.00),X,Y", "DebitAmount", "(1500.00)", "1,500.00"),
        ('02/03/2026,C,"1.500,00",0.00,X,Y', "CreditAmount", "1.500,00", "1,500.00"),
        ("02/03/2026,X,1.00,0.00,X,Y", "CreditDebitFlag", "X", "C or D"),
        ("02/03/2026,D,1.00,0.00,X,Y", "CreditDebitFlag", "D", "C or D"),
    ],
)
def test_a_refusal_says_where_what_and_what_is_understood(
    row: str, column: str, was: str, understood: str
) -> None:
    with pytest.raises(TableFileError) as refused:
        read(HEADER, row)
    for part in ("line 2", column, f"“{was}”", understood):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "an Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (f"{HEADER.replace('CreditAmount,', '')}\n{ROW}".encode(), "CreditAmount"),
    ],
)
def test_what_is_no_such_table_is_named(content: bytes, said: str) -> None:
    with pytest.raises(TableFileError, match=said):
        read_statement_file(content)


@pytest.mark.parametrize("rows", [("Brought forward,,9.00,0.00,,", ROW), ("x,y",)])
def test_a_row_without_a_day_is_a_foot_only_below_the_table(rows: tuple[str, ...]) -> None:
    with pytest.raises(TableFileError, match="line 2"):
        read(HEADER, *rows)


def days(*written: str, month_first: bool | None = None, today: date | None = None) -> list[date]:
    rows = "\n".join(f"{one},C,1.00,0.00,UF4OR6RP9{n},Y" for n, one in enumerate(written))
    content = f"{HEADER}\n{rows}".encode()
    return [line.day for line in read_statement_file(content, month_first=month_first, today=today)]


def test_a_file_with_a_month_first_is_asked_about() -> None:
    with pytest.raises(AmbiguousDates, match="03/25/2026"):
        days("02/03/2026", "03/25/2026")
    swapped = [date(2026, 2, 3), date(2026, 3, 25)]
    assert days("02/03/2026", "03/25/2026", month_first=True) == swapped


def test_a_day_ahead_of_us_that_may_be_past_is_asked_about() -> None:
    today = date(2026, 11, 29)
    with pytest.raises(AmbiguousDates, match="11/12/2026"):
        days("11/12/2026", today=today)
    with pytest.raises(AmbiguousDates, match="11/12/2026"):
        days("11/12/2026", today=date(2026, 11, 12))
    assert days("11/12/2026", today=date(2026, 12, 11)) == [date(2026, 12, 11)]
    assert days("11/12/2026", today=today, month_first=True) == [date(2026, 11, 12)]
    assert days("11/12/2026", today=today, month_first=False) == [date(2026, 12, 11)]
    assert days("02/03/2026", "29/11/2026", today=today) == [date(2026, 3, 2), today]


def test_days_that_mean_one_thing_are_not_asked_about() -> None:
    written = ("2026-03-02", "02-Mar-2026", "02032026", "2 March 2026", "05/05/2026")
    assert days(*written, today=date(2026, 3, 3)) == [date(2026, 3, 2)] * 4 + [date(2026, 5, 5)]


# Below the table ----------------------------------------------------------------------------------

PLAIN = HEADER.replace("CreditDebitFlag,", "")
FIRST = "02/03/2026,1500.00,0.00,UF4OR6RP9Q,PAYBILL AMINA"


@pytest.mark.parametrize(
    "row",
    [
        ",2000.00,0.00,UF5ABCDE12,PAYBILL BRIAN",
        ",0.00,2000.00,,FLOAT",
        ",2000.00,,UF5ABCDE12,TOTAL ENERGIES",
        '"  ","2,000.00",-,,CASH DEPOSIT',
    ],
)
def test_a_last_line_that_leaves_its_day_blank_is_no_foot(row: str) -> None:
    with pytest.raises(TableFileError, match="line 3, column ValueDate: “”; each line has its day"):
        read(PLAIN, FIRST, row)


@pytest.mark.parametrize(
    "row",
    [
        ",1500.00,0.00,,TOTAL",
        ",1500.00,0.00,,",
        ",1500.00,1500.00,,Sums",
        "Total,1500.00,0.00,,",
        ",1500.00,,,Closing balance",
        ",,,,Printed for Hazina",
    ],
)
def test_sums_below_the_table_are_no_lines(row: str) -> None:
    assert len(read(PLAIN, FIRST, row)) == 1


def test_a_line_of_another_width_is_said_again() -> None:
    with pytest.raises(TableFileError, match=r"line 3, “Page 1 of 3”: 1 values, where .* are 6"):
        read(HEADER, ROW, "Page 1 of 3")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-02T21:30:00Z", date(2026, 3, 3)),
        ("2026-03-02T21:00Z", date(2026, 3, 3)),
        ("2026-03-02T20:59:59.999Z", date(2026, 3, 2)),
        ("2026-12-31 23:59:59 Z", date(2027, 1, 1)),
        ("02/03/2026 21:30", date(2026, 3, 2)),
        ("02/03/2026 22:30Z", date(2026, 3, 3)),
    ],
)
def test_a_day_is_nairobis(written: str, day: date) -> None:
    assert [line.day for line in read(HEADER, ROW.replace("02/03/2026", written))] == [day]


def test_an_hour_of_utc_by_the_twelve_hour_clock_is_refused() -> None:
    with pytest.raises(TableFileError, match="column ValueDate"):
        read(HEADER, ROW.replace("02/03/2026", "2026-03-02 09:30 PM Z"))
