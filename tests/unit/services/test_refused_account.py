"""Which refusals of a prompt concern the account number that we send and not the payer."""

from __future__ import annotations

import pytest

from services.domain.topup import refuses_account


@pytest.mark.parametrize(
    "said",
    [
        "wrong format",
        "AccountNo is in the wrong format",
        "Invalid account",
        "Invalid PayBillNo or AccountNo",
        "Account number not found",
        "The account reference is too long",
    ],
)
def test_what_the_account_number_is_refused_with(said: str) -> None:
    assert refuses_account(said)


@pytest.mark.parametrize(
    "said",
    [
        "Invalid TelephoneNo: use 254XXXXXXXXX",
        "Phone number in wrong format",
        "Invalid Amount",
        "The balance is insufficient for the transaction",
        "Insufficient funds in account",
        "The initiator information is invalid - wrong PIN",
        "System internal error.",
        "",
    ],
)
def test_what_is_refused_for_something_else(said: str) -> None:
    assert not refuses_account(said)
