"""Money counts minor units and never mixes currencies."""

import pytest

from services.domain.money import EXPONENTS, CurrencyMismatch, Money


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1700.00", 170_000), ("1700", 170_000), ("0.5", 50), ("-3.25", -325), ("0", 0)],
)
def test_a_plain_decimal_is_read_to_the_cent(text: str, cents: int) -> None:
    assert Money.of(text) == Money(cents, "KES")


def test_a_currency_without_minor_units_counts_its_units() -> None:
    assert Money.of("1700", "UGX") == Money(1700, "UGX")


@pytest.mark.parametrize(
    "text",
    [
        *("", "abc", "1.005", "1,500", "NaN", "sNaN", "Infinity", "1 5", "1e3", "1_000"),
        *("١٥", " 15 ", "+5", "1.", ".5", "--1", "1\n", "1e9999999999999999"),
    ],
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount of KES"):
        Money.of(text)


def test_no_cent_of_a_long_amount_is_rounded_away() -> None:
    assert Money.of("123456789012345.67").cents == 12_345_678_901_234_567
    with pytest.raises(ValueError, match="not an amount"):
        Money.of("12345678901234567890123456789.01")


def test_more_places_than_the_currency_has_are_refused() -> None:
    with pytest.raises(ValueError, match="not an amount of UGX"):
        Money.of("0.5", "UGX")


def test_an_amount_in_an_unknown_currency_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="XXX"):
        Money.of("1", "XXX")


def test_an_amount_of_an_unknown_currency_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="unknown currency 'XXX'"):
        Money(1, "XXX")


def test_sums_and_differences_keep_the_currency() -> None:
    assert Money(150, "USD") + Money(25, "USD") == Money(175, "USD")
    assert Money(150, "USD") - Money(175, "USD") == Money(-25, "USD")


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__"])
def test_currencies_never_meet_in_one_operation(operation: str) -> None:
    with pytest.raises(CurrencyMismatch):
        getattr(Money(1, "KES"), operation)(Money(1, "TZS"))


def test_equal_counts_of_two_currencies_differ() -> None:
    assert Money(100, "KES") != Money(100, "TZS")


def test_order_is_by_amount() -> None:
    assert Money(1) < Money(2)
    assert not Money(2) < Money(2)
    assert Money(2) <= Money(2)
    assert not Money(3) <= Money(2)


def test_whole_shillings_are_given_to_the_bank_without_cents() -> None:
    assert Money(150_000).whole_units == 1500


def test_part_shillings_are_never_given_to_the_bank() -> None:
    assert not Money(150_050).is_whole
    with pytest.raises(ValueError, match=r"KES 1,500\.50 has part units"):
        _ = Money(150_050).whole_units


def test_every_amount_of_a_currency_without_minor_units_is_whole() -> None:
    assert Money(1, "RWF").whole_units == 1


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(150_000), "KES 1,500"),
        (Money(150_005), "KES 1,500.05"),
        (Money(-325), "KES -3.25"),
        (Money(-50), "KES -0.50"),
        (Money(0), "KES 0"),
        (Money(1_234_567, "UGX"), "UGX 1,234,567"),
    ],
)
def test_people_read_thousands_and_only_the_cents_there_are(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize(
    ("money", "text"),
    [(Money(170_000), "1700.00"), (Money(5), "0.05"), (Money(-5), "-0.05"), (Money(7, "UGX"), "7")],
)
def test_the_decimal_has_all_its_places(money: Money, text: str) -> None:
    assert money.decimal == text


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_the_decimal_is_read_back_as_the_same_amount(currency: str) -> None:
    money = Money(123_456_789, currency)
    assert Money.of(money.decimal, currency) == money
