"""A phone has only one form, and is never shown in full where it is logged."""

import pytest

from services.domain.phone import Phone, mask_phones


@pytest.mark.parametrize("msisdn", ["254712345678", "254112345678"])
def test_both_kenyan_mobile_ranges_are_taken(msisdn: str) -> None:
    assert Phone(msisdn).msisdn == msisdn


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0712345678",
        "+254712345678",
        "254 712 345 678",
        "25471234567",
        "2547123456789",
        "254812345678",
        "254212345678",
        "255712345678",
        "254712345678\n",
        "2547１2345678",
        "25471234567a",
    ],
)
def test_any_other_form_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="not a Kenyan mobile number"):
        Phone(typed)


def test_a_refused_number_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError, match="Kenyan") as error:
        Phone("0712345678")
    assert "0712345678" not in str(error.value)


def test_people_read_the_number_as_they_would_dial_it() -> None:
    assert str(Phone("254712345678")) == "0712 345 678"


def test_the_masked_form_hides_the_middle() -> None:
    assert Phone("254712345678").masked == "2547*****678"


def test_a_printed_value_is_masked() -> None:
    assert "712345" not in repr(Phone("254712345678"))
    assert "2547*****678" in repr([Phone("254712345678")])


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("paid by 0712345678 at noon", "paid by 2547*****678 at noon"),
        ("+254 712 345 678, 254110000001", "2547*****678, 2541*****001"),
        ("0712-345-678.", "2547*****678."),
        ("line 14, KES 1500000, ref 99071234567812", "line 14, KES 1500000, ref 99071234567812"),
    ],
)
def test_numbers_in_somebodys_words_are_masked(words: str, masked: str) -> None:
    assert mask_phones(words) == masked
