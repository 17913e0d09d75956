"""A fee on one line: read in any order, written back as typed, or refused with the reason."""

from __future__ import annotations

from typing import cast

import pytest

from flows.engine.host import Host
from flows.parsers.terms import FeeTerms, OperationReference
from services.domain.fees import Fee, FeeKind, percent_to_ppm, ppm_to_percent
from services.domain.money import Money
from services.domain.refusal import Refusal

NOBODY = cast("Host", None)


def read(text: str) -> Fee | Refusal:
    return FeeTerms(FeeKind.TRANSFER)(text, NOBODY)


@pytest.mark.parametrize(
    ("text", "fee"),
    [
        ("fixed 50", Fee(FeeKind.TRANSFER, 0, Money(5_000))),
        ("Fixed 0", Fee(FeeKind.TRANSFER)),
        ("percent 1.5%", Fee(FeeKind.TRANSFER, ppm=15_000)),
        ("percent 100", Fee(FeeKind.TRANSFER, ppm=1_000_000)),
        (
            "max 1,200  min 20 percent 0.0005 fixed 12.5",
            Fee(FeeKind.TRANSFER, 0, Money(1_250), 5, Money(2_000), Money(120_000)),
        ),
    ],
)
def test_terms_that_can_be_read(text: str, fee: Fee) -> None:
    assert read(text) == fee
    assert read(str(fee)) == fee


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("50", "fixed 50"),
        ("KES 50", "fixed 50"),
        ("ksh50", "fixed 50"),
        ("Ksh. 1,200.50", "fixed 1200.50"),
        ("50 shillings", "fixed 50"),
        ("50/-", "fixed 50"),
        ("flat 50 bob", "fixed 50"),
        ("fifty", "fixed 50"),
        ("mia tano", "fixed 500"),
        ("1%", "fixed 0 percent 1"),
        ("1 %", "fixed 0 percent 1"),
        ("1 percent", "fixed 0 percent 1"),
        ("percent 1 %", "fixed 0 percent 1"),
        ("asilimia 0.5", "fixed 0 percent 0.5"),
        ("0.5% min 20 max 200", "fixed 0 percent 0.5 min 20 max 200"),
        ("0.5%, at least KES 20, at most KES 200.", "fixed 0 percent 0.5 min 20 max 200"),
        ("0.5% up to 200", "fixed 0 percent 0.5 max 200"),
        ("50 + 0.5%", "fixed 50 percent 0.5"),
        ("0.5% plus 50", "fixed 50 percent 0.5"),
        ("50 na asilimia 1 hadi 500", "fixed 50 percent 1 max 500"),
        ("fixed 50 0.5 percent", "fixed 50 percent 0.5"),
        ("0", "fixed 0"),
        ("0%", "fixed 0"),
        ("none", "fixed 0"),
        ("No fee", "fixed 0"),
        ("hakuna", "fixed 0"),
    ],
)
def test_terms_as_people_write_them(text: str, terms: str) -> None:
    fee = read(text)
    assert isinstance(fee, Fee)
    assert fee == read(terms)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "fee_not_terms"),
        ("min 5", "fee_not_terms"),
        ("fixed 5 " * 20, "fee_not_terms"),
        ("50 60", "fee_not_terms"),
        ("50 percent 0.5", "fee_not_terms"),
        ("1% 2%", "fee_not_terms"),
        ("1% percent 2", "fee_twice"),
        ("1 500", "fee_not_terms"),
        ("0.5% min 20%", "fee_amount"),
        ("-50", "fee_amount"),
        ("101%", "fee_percent"),
        ("1% mins 20", "fee_word"),
        ("1% min", "fee_value"),
        ("fix 50", "fee_word"),
        ("fixed 50 dollars", "fee_word"),
        ("fixed", "fee_value"),
        ("fixed min 5", "fee_value"),
        ("fixed 5 fixed 5", "fee_twice"),
        ("fixed -5", "fee_amount"),
        ("fixed 1.005", "fee_amount"),
        ("fixed 12,00", "fee_amount"),
        ("fixed ٥", "fee_amount"),
        ("fixed 99999999999", "fee_amount"),
        ("percent 100.1", "fee_percent"),
        ("percent -1", "fee_percent"),
        ("percent 0.00001", "fee_percent"),
        ("fixed 5 min 20 max 10", "fee_bounds"),
    ],
)
def test_terms_that_cannot_be_read_are_refused_with_the_reason(text: str, why: str) -> None:
    refused = read(text)
    assert isinstance(refused, Refusal)
    assert refused.code == why


def test_little_of_what_was_typed_is_said_back() -> None:
    refused = read("x" * 100)
    assert isinstance(refused, Refusal)
    assert refused.facts == {"word": "x" * 20}


@pytest.mark.parametrize("percent", ["0", "0.1", "1.5", "10", "99.9999", "100"])
def test_a_percentage_is_said_as_it_was_typed(percent: str) -> None:
    assert ppm_to_percent(percent_to_ppm(percent)) == percent


@pytest.mark.parametrize("text", ["TU-7K3QF9", "tu-7k3qf9", " TU7K3QF9 "])
def test_a_reference_in_its_usual_forms(text: str) -> None:
    assert OperationReference()(text, NOBODY) == "TU-7K3QF9"


@pytest.mark.parametrize("text", ["7K3QF9", "TU-7K3QF", "TU-7K3QF0", "TU 7K3QF9", "TU-7K3QF9X"])
def test_what_is_no_reference(text: str) -> None:
    assert OperationReference()(text, NOBODY) == Refusal("not_a_reference")
