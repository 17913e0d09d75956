"""What a purchase costs: whole cents, rounded half up, within the contract's bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.fees import PPM, Fee, FeeKind, percent_to_ppm, quote
from services.domain.money import CurrencyMismatch, Money

TRANSFER, PROCESSING = FeeKind.TRANSFER, FeeKind.PROCESSING


# One fee ------------------------------------------------------------------------------------


def test_where_nothing_was_agreed_nothing_is_taken() -> None:
    assert Fee(TRANSFER).of(Money(25_000_000)) == Money(0)


@pytest.mark.parametrize(
    ("cents", "ppm", "fee"),
    [
        (100, 4_999, 0),  # 0.4999 cents
        (100, 5_000, 1),  # half a cent is rounded up
        (100, 14_999, 1),
        (100, 15_000, 2),
        (150_000, 5_000, 750),
        (333, 10_000, 3),
        (350, 10_000, 4),
        (25_000_000, 1, 25),
        (1, PPM, 1),
        (100, 0, 0),
    ],
)
def test_a_share_is_rounded_half_up_to_whole_cents(cents: int, ppm: int, fee: int) -> None:
    assert Fee(TRANSFER, ppm=ppm).of(Money(cents)) == Money(fee)


def test_the_fixed_part_and_the_share_are_added() -> None:
    fee = Fee(TRANSFER, fixed=Money(2_500), ppm=10_000)
    assert fee.of(Money(100_000)) == Money(3_500)


@pytest.mark.parametrize(("cents", "fee"), [(100, 1_000), (100_000, 1_000), (100_100, 1_001)])
def test_less_than_the_minimum_is_the_minimum(cents: int, fee: int) -> None:
    assert Fee(TRANSFER, ppm=10_000, minimum=Money(1_000)).of(Money(cents)) == Money(fee)


@pytest.mark.parametrize(("cents", "fee"), [(100, 1), (199_900, 1_999), (10_000_000, 2_000)])
def test_more_than_the_maximum_is_the_maximum(cents: int, fee: int) -> None:
    assert Fee(TRANSFER, ppm=10_000, maximum=Money(2_000)).of(Money(cents)) == Money(fee)


def test_the_bounds_hold_for_the_sum_not_for_the_share_alone() -> None:
    fee = Fee(TRANSFER, fixed=Money(900), ppm=10_000, minimum=Money(1_000), maximum=Money(1_500))
    assert [fee.of(Money(cents)).cents for cents in (100, 20_000, 100_000)] == [1_000, 1_100, 1_500]


def test_a_minimum_equal_to_the_maximum_is_the_fee() -> None:
    fee = Fee(TRANSFER, ppm=10_000, minimum=Money(700), maximum=Money(700))
    assert {fee.of(Money(cents)).cents for cents in (1, 70_000, 9_000_000)} == {700}


def test_a_maximum_of_nothing_waives_the_fee() -> None:
    assert Fee(TRANSFER, fixed=Money(500), maximum=Money(0)).of(Money(100)) == Money(0)


@pytest.mark.parametrize(
    ("fixed", "ppm", "minimum", "maximum"),
    [
        (-1, 0, None, None),
        (0, -1, None, None),
        (0, PPM + 1, None, None),
        (0, 0, 200, 100),
        (0, 0, 1, 0),
        (0, 0, -1, None),
        (0, 0, None, -1),
    ],
)
def test_a_fee_that_would_pay_the_partner_or_contradicts_itself_is_none(
    fixed: int, ppm: int, minimum: int | None, maximum: int | None
) -> None:
    with pytest.raises(ValueError, match="fee"):
        Fee(
            TRANSFER,
            fixed=Money(fixed),
            ppm=ppm,
            minimum=None if minimum is None else Money(minimum),
            maximum=None if maximum is None else Money(maximum),
        )


def test_currencies_are_never_mixed() -> None:
    with pytest.raises(CurrencyMismatch):
        Fee(TRANSFER, fixed=Money(100, "USD")).of(Money(100))


# The quote ----------------------------------------------------------------------------------


def test_a_quote_names_the_versions_of_the_fees_it_was_made_by() -> None:
    made = quote(Money(100), Fee(TRANSFER, version=3), Fee(PROCESSING, version=8))
    assert (made.transfer_version, made.processing_version) == (3, 8)


def test_each_fee_stands_in_its_own_place() -> None:
    made = quote(Money(100), Fee(TRANSFER, fixed=Money(5)), Fee(PROCESSING, fixed=Money(7)))
    assert (made.transfer_fee, made.processing_fee) == (Money(5), Money(7))


amounts = st.integers(1, 100_000_000_00).map(Money)
bounds = st.one_of(st.none(), st.integers(0, 1_000_000).map(Money))


@st.composite
def fees(draw: st.DrawFn, kind: FeeKind = TRANSFER) -> Fee:
    minimum, maximum = draw(bounds), draw(bounds)
    if minimum is not None and maximum is not None and maximum < minimum:
        minimum, maximum = maximum, minimum
    fixed = Money(draw(st.integers(0, 1_000_000)))
    return Fee(kind, 1, fixed, draw(st.integers(0, PPM)), minimum, maximum)


@given(amounts, fees(), fees(PROCESSING))
def test_the_total_is_the_amount_and_its_fees(amount: Money, one: Fee, other: Fee) -> None:
    made = quote(amount, one, other)
    assert made.total == amount + made.transfer_fee + made.processing_fee
    assert made.fees == made.total - amount


@given(amounts, fees())
def test_a_fee_is_never_beyond_its_bounds(amount: Money, fee: Fee) -> None:
    taken = fee.of(amount)
    assert Money(0) <= taken
    assert fee.minimum is None or fee.minimum <= taken
    assert fee.maximum is None or taken <= fee.maximum


@given(amounts, amounts, fees())
def test_more_float_never_costs_less(one: Money, other: Money, fee: Fee) -> None:
    small, large = sorted((one, other), key=lambda amount: amount.cents)
    assert fee.of(small) <= fee.of(large)


@given(amounts, st.integers(0, PPM))
def test_rounding_takes_at_most_half_a_cent(amount: Money, ppm: int) -> None:
    off = Fee(TRANSFER, ppm=ppm).of(amount).cents * PPM - amount.cents * ppm
    assert -PPM < 2 * off <= PPM


# Percentages as people write them -----------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "ppm"),
    [
        ("0", 0),
        ("0.0001", 1),
        ("0.5", 5_000),
        ("1.5", 15_000),
        ("1.50", 15_000),
        ("01.5", 15_000),
        ("12", 120_000),
        ("99.9999", 999_999),
        ("100", PPM),
        ("100.0000", PPM),
    ],
)
def test_a_percentage_is_read(percent: str, ppm: int) -> None:
    assert percent_to_ppm(percent) == ppm


@pytest.mark.parametrize(
    "percent",
    [
        "",
        ".",
        ".5",
        "1.",
        "100.",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1,5",
        "1.5%",
        "1.5.5",
        "1..5",
        "1e2",
        "1_0",
        "0x1",
        "nan",
        "inf",
        "١",
        "1.²",
        "１.５",
        "1.-5",
        "1.00001",
        "0100",
        "100.0001",
        "101",
        "999",
        "1\n",
        "1.5\x00",
        "9" * 10_000,
        "1." + "0" * 10_000,
    ],
)
def test_what_is_no_percentage_is_refused(percent: str) -> None:
    with pytest.raises(ValueError, match="percentage"):
        percent_to_ppm(percent)


def test_what_was_refused_is_named_only_in_part() -> None:
    with pytest.raises(ValueError, match="percentage") as caught:
        percent_to_ppm("x" * 10_000)
    assert len(str(caught.value)) < 60


@given(st.integers(0, PPM))
def test_every_rate_can_be_written(ppm: int) -> None:
    assert percent_to_ppm(f"{ppm // 10_000}.{ppm % 10_000:04d}") == ppm


@given(st.text(max_size=12))
def test_any_text_is_a_rate_or_refused(text: str) -> None:
    try:
        ppm = percent_to_ppm(text)
    except ValueError:
        return
    assert 0 <= ppm <= PPM
