"""A statement as a CSV file: every line is read, or the one that cannot be is named."""

from __future__ import annotations

from datetime import date

import pytest

from services.domain.money import Money
from services.gateways.statement_file import (
    BYTES_MAX,
    FIELD_MAX,
    LINES_MAX,
    StatementFault,
    read_statement_file,
)

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
        (["ValueDate,Narrative", "x,y"], "CreditDebitFlag"),
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
    with pytest.raises(StatementFault, match=said):
        read(*lines)


def test_there_are_limits() -> None:
    with pytest.raises(StatementFault, match="MB"):
        read_statement_file(b"x" * (BYTES_MAX + 1))
    with pytest.raises(StatementFault, match="UTF-8"):
        read_statement_file(b"\xff\xfe")
    with pytest.raises(StatementFault, match="more than"):
        read(HEADER, *[LINE] * (LINES_MAX + 1))
