"""Lines, findings and review items of closed days are read back as they were written."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.domain.bank_line import BankLine
from services.domain.money import Money
from services.domain.reconciliation import Finding, FindingKind
from tests.kit.plain_store import PlainStore

DAY = date(2026, 3, 1)
AMOUNT = Money(150_000)
FINDING = "RC-ABC234"


@pytest.fixture
def books(store: PlainStore) -> PlainStore:
    store.undo()
    return store


def add_line(books: PlainStore, day: date, text: str) -> BankLine:
    line = BankLine.of(day, AMOUNT, (text,), is_credit=True)
    books.do(lambda tx: tx.reconciliations.add_line(line.identity, line, "file"))
    return line


def test_lines_that_name_something_are_those_of_the_days(books: PlainStore) -> None:
    found = [add_line(books, DAY, "UMOJA first"), add_line(books, DAY + timedelta(1), "UMOJA last")]
    for outside in (DAY - timedelta(1), DAY + timedelta(2)):
        add_line(books, outside, "UMOJA elsewhere")
    add_line(books, DAY, "another")
    last = DAY + timedelta(1)
    named = books.do(lambda tx: tx.reconciliations.lines_naming(DAY, last, {"UMOJA"}))
    assert named == found


@pytest.mark.parametrize("read", ["of the day", "by its reference"])
def test_a_finding_is_open_as_long_as_its_review_item(books: PlainStore, read: str) -> None:
    finding = Finding(FINDING, DAY, next(iter(FindingKind)), "", AMOUNT, "UMOJA")
    books.do(lambda tx: tx.reconciliations.add_finding(finding, "key"))

    def is_open() -> bool:
        if read == "of the day":
            return books.do(lambda tx: tx.reconciliations.findings(DAY)["key"].is_open)
        found = books.do(lambda tx: tx.reconciliations.finding(FINDING))
        assert found is not None
        return found.is_open

    assert not is_open()
    books.do(lambda tx: tx.evidence.open_review(FINDING, "finding"))
    assert is_open()
    books.do(lambda tx: tx.evidence.close_reviews(FINDING))
    assert not is_open()


def test_only_the_named_reason_is_reopened(books: PlainStore) -> None:
    for why in ("unknown", "paid_again"):
        books.do(lambda tx, why=why: tx.evidence.open_review("TU-ABC234", why))
    books.do(lambda tx: tx.evidence.close_reviews("TU-ABC234"))
    books.do(lambda tx: tx.evidence.reopen_review("TU-ABC234", "paid_again"))
    assert books.do(lambda tx: tx.evidence.open_review_reasons("TU-ABC234")) == ["paid_again"]
