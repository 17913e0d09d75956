"""A line repeated in other words or from another source is booked once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.domain.bank_line import BankLine
from services.domain.reconciliation import FindingKind
from tests.kit.statement_books import CENTS, DAY, NEXT, OTHER, RECEIPT, StatementBooks, line

# The same line in other words ---------------------------------------------------------------------

TOLD = ("Paybill from Amina", "Paybill payment")
OTHERWISE = [
    ("Paybill from Amina",),
    ("PAYBILL FROM AMINA", "PAYBILL PAYMENT"),
    ("Paybill from Amina Otieno", "Paybill payment", "MPESA Transfer Credit"),
    (),
]


@pytest.mark.parametrize("words", OTHERWISE)
@pytest.mark.parametrize("reference", [RECEIPT, "FT26061AAAAA"])
def test_a_line_that_is_told_again_in_other_words_is_one(
    served: StatementBooks, words: tuple[str, ...], reference: str
) -> None:
    first = served.compare(line(*TOLD, references=(reference, "", "DEMO")))
    again = served.compare(line(*words, references=(reference, "", "DEMO")))
    assert (first.lines, again.lines) == (1, 1)
    assert served.wallet == CENTS
    assert again.findings == first.findings


def test_lines_kept_before_fields_were_told_apart_are_the_same_lines(
    served: StatementBooks,
) -> None:
    """At that time, keys were made from all the words."""
    said = f'["{RECEIPT}", "DEMO", "Paybill from Amina"]'
    served.store.do(
        lambda tx: tx.conn.execute(  # type: ignore[attr-defined]
            "INSERT INTO statement_lines VALUES (?, ?, 'credit', ?, 'KES', ?, 'ncba', NULL, 1)",
            ("f" * 64, DAY.isoformat(), CENTS, said),
        )
    )
    done = served.compare(line("PAYBILL FROM AMINA", references=(RECEIPT, "", "DEMO")))
    assert (done.lines, done.matched, served.wallet) == (1, 1, CENTS)


@pytest.mark.parametrize("first", [1, 2])
def test_as_many_copies_as_the_longest_statement_has_are_kept(
    served: StatementBooks, first: int
) -> None:
    one = line(references=(RECEIPT, "", "DEMO"))
    served.compare(*[one] * first)
    done = served.compare(one, one)
    assert (done.lines, served.wallet) == (2, CENTS)
    assert [found.kind for found in done.findings] == [FindingKind.DOUBLED_LINE]


# The same line from two sources -------------------------------------------------------------------

BANKS = "FT26061ABCDE"
CASH = "CASH DEPOSIT AMINA"


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            line(CASH, references=("", "", "DEMO")),
            line("Deposit, Amina", references=("", "", "DEMO")),
        ),
        (line(CASH, references=("", "", "DEMO")), line("Deposit", references=("", "", "demo"))),
        *(
            (line(CASH, references=(BANKS, "", "DEMO")), other)
            for other in (
                line(CASH, references=(f"{BANKS}\\HQ", "", "DEMO")),
                line(CASH, references=(f"{BANKS}/002", "", "DEMO")),
                line(CASH, references=("", "", "DEMO")),
                line(CASH.lower(), references=("", "DEMO")),
                line(CASH, references=(f'="{BANKS}"', "", "DEMO")),
                line("Deposit", references=("", BANKS, "DEMO")),
                line(f"{CASH} {BANKS}", references=("", "", "DEMO")),
                line(f"{CASH} REF-{BANKS}", references=("", "", "DEMO")),
            )
        ),
        (
            line(f"PAYBILL {RECEIPT}", references=(BANKS, "", "DEMO")),
            line("PAYBILL", references=(RECEIPT, "", "DEMO")),
        ),
        (
            line("PAYBILL", references=(BANKS, "DEMO", RECEIPT)),
            line(f"PAYBILL {RECEIPT}", references=(BANKS, "", "DEMO")),
        ),
        (
            line("PAYBILL", references=(RECEIPT, "", "DEMO")),
            line("PAYBILL", references=(f"MPS-{RECEIPT}", "", "DEMO")),
        ),
    ],
)
def test_a_payment_told_in_two_ways_counts_once(
    served: StatementBooks, one: BankLine, other: BankLine, order: int
) -> None:
    for told in (one, other)[::order]:
        done = served.compare(told)
        assert (done.lines, done.findings, served.wallet) == (1, [], CENTS)
    for told in (one, other):
        assert served.compare(told).lines == 1
    assert served.wallet == CENTS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (line("INTEREST PAID"), line("INTEREST PAID MARCH")),
        (line("LEDGER FEE", credit=False), line("Fee", credit=False)),
        (
            line(f"REVERSAL OF {RECEIPT}", references=("FT2606100002",), credit=False),
            line("REVERSAL", references=(RECEIPT,), credit=False),
        ),
    ],
)
def test_what_is_no_payment_and_told_in_two_ways_is_one_line_too(
    served: StatementBooks, one: BankLine, other: BankLine
) -> None:
    assert [served.compare(told).lines for told in (one, other, one)] == [1, 1, 1]


def test_a_longer_statement_in_the_same_words_brings_what_is_new(served: StatementBooks) -> None:
    names = ("AMINA", "BRIAN", "CAROL")
    lines = [line(f"CASH DEPOSIT {name}", references=("", "", "DEMO")) for name in names]
    for count in (1, 3, 2, 3):
        served.compare(*lines[:count])
    assert served.wallet == 3 * CENTS


def test_what_a_longer_statement_has_more_in_other_words_is_for_a_person(
    served: StatementBooks,
) -> None:
    served.compare(line("CASH DEPOSIT AMINA", references=("", "", "DEMO")))
    names = ("Amina Otieno", "Brian")
    lines = [line(f"Cash deposit by {name}", references=("", "", "DEMO")) for name in names]
    for _ in range(3):
        assert served.findings(*lines) == [(FindingKind.UNKNOWN_CREDIT, "")]
        assert served.compare(*lines).lines == 2
    assert served.wallet == CENTS


def test_a_number_beside_a_line_that_counted_without_one_is_for_a_person(
    served: StatementBooks,
) -> None:
    first = line(CASH, references=("", "", "DEMO"))
    served.compare(first)
    numbered = line("Deposit", references=(RECEIPT, "", "DEMO"))
    assert served.findings(numbered) == [(FindingKind.UNKNOWN_CREDIT, "")]
    assert served.wallet == CENTS
    assert served.findings(first, numbered) == []  # they are two, because one statement has both
    assert served.wallet == 2 * CENTS


def test_lines_of_two_partners_are_two_though_they_have_no_number(served: StatementBooks) -> None:
    served.store.person("SOKO")
    for code in ("DEMO", "SOKO", "DEMO"):
        done = served.compare(line("CASH DEPOSIT", references=("", "", code)))
        assert done.findings == []
    assert done.lines == 2


@pytest.mark.parametrize("references", [("", "", "{}"), ("FT26061ABCDE", "", "{}"), ("{}",)])
def test_lines_of_two_topups_are_two(served: StatementBooks, references: Sequence[str]) -> None:
    for reference in ("TUABCDEF", "TUABCDEG"):
        done = served.compare(line("PAYBILL", references=[r.format(reference) for r in references]))
    assert done.lines == 2


@pytest.mark.parametrize("days", [1, -1, 3])
def test_the_banks_number_again_on_another_day_is_for_a_person(
    served: StatementBooks, days: int
) -> None:
    other = DAY + timedelta(days=days)
    served.compare(line(CASH, references=(BANKS, "", "DEMO")))
    again = line("Deposit", references=("", BANKS, "DEMO"), day=other)
    assert served.findings(again, day=other) == [(FindingKind.UNKNOWN_CREDIT, "")]
    assert served.wallet == CENTS


@pytest.mark.parametrize("cents", [CENTS, CENTS + 50_000])
def test_a_new_receipt_takes_no_known_ones_place_where_that_has_its_line(
    served: StatementBooks, cents: int
) -> None:
    served.is_told()
    lines = (
        line(references=(OTHER, RECEIPT, "DEMO"), cents=cents),
        line(references=(RECEIPT, "", "DEMO")),
    )
    assert served.findings(*lines) == []
    assert served.wallet == CENTS + cents


@pytest.mark.parametrize("word", ["DEMO#SHOP123456", "DEMO#BRANCH0021"])
def test_what_a_payer_typed_is_no_receipt(served: StatementBooks, word: str) -> None:
    for number, day in enumerate((DAY, NEXT)):
        paid = line("PAYBILL", references=(f"FT2606{number}ABCDE", "", word), day=day)
        assert served.findings(paid, day=day) == []
    beside = line("PAYBILL", references=(RECEIPT, "", word), day=NEXT + timedelta(days=1))
    assert served.findings(beside, day=beside.day) == []
    assert served.wallet == 3 * CENTS
    assert served.store.tx.payments.get(RECEIPT) is not None
