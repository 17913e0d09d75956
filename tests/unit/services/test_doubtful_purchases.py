"""A doubtful answer about a float purchase means neither succeeded nor refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.domain.bank import StillOpen, Succeeded, Unknown
from services.gateways.openbanking.purchase_wire import read_purchase, read_status
from tests.kit.bank_replies import CREDENTIALS, reply
from tests.kit.mpesa_texts import CLAIMED, DOUBTFUL


@pytest.mark.parametrize("text", DOUBTFUL)
@pytest.mark.parametrize("status", [200, 400, 403, 412])
def test_a_purchase_answered_with_doubt_is_unknown(text: str, status: int) -> None:
    for code in ("000", "051", "11"):
        said = reply(status, resErrorCode=code, resErrorDesc=text)
        assert isinstance(read_purchase(said, CREDENTIALS), Unknown)


def test_a_duplicate_is_seen_in_whatever_field_it_is_named() -> None:
    said = {"Response Code": 11, "Reference": "DUPLICATE | FTC2611290001", "Description": "ERROR"}
    for status in (200, 400, 409):
        assert isinstance(read_purchase(reply(status, **said), CREDENTIALS), Unknown)


@pytest.mark.parametrize("text", CLAIMED)
def test_a_refusal_code_in_words_of_success_is_unknown(text: str) -> None:
    said = reply(200, resultCode="051", statusDescription=text)
    assert isinstance(read_purchase(said, CREDENTIALS), Unknown)
    assert isinstance(read_purchase(reply(400, message=text), CREDENTIALS), Unknown)
    failed = reply(200, Code="404", Description=text)
    assert isinstance(read_status(failed, CREDENTIALS), StillOpen)


@pytest.mark.parametrize(
    "more",
    [
        {"data": {"responseCode": "000"}},
        {"status": "PROCESSING"},
        {"status": "ACCEPTED"},
        {"status": "Success - posted"},
        {"data": {"cbsStatus": "SUCCESS"}},
        {"Transaction": {"Status": "Posted"}},
        {"success": "true"},
        {"accepted": True},
        {"isPending": "yes"},
        {"debited": "Y"},
    ],
)
def test_a_refusal_code_that_something_contradicts_is_unknown(more: dict[str, object]) -> None:
    said = reply(200, resultCode="051", statusDescription="Refused", **more)
    assert isinstance(read_purchase(said, CREDENTIALS), Unknown)
    failed = reply(200, resultCode="404", statusDescription="Failed", **more)
    assert isinstance(read_status(failed, CREDENTIALS), StillOpen)


def test_a_202_is_only_accepted_whatever_its_code() -> None:
    assert isinstance(read_purchase(reply(202, resultCode="000"), CREDENTIALS), Unknown)


@pytest.mark.parametrize("name", ["Transactions", "data", "records", "result", "Transaction"])
@pytest.mark.parametrize("empty", [[], {}])
def test_a_status_that_found_nothing_is_still_open(name: str, empty: object) -> None:
    said = reply(200, resultCode="000", statusDescription="Success", **{name: empty})
    assert isinstance(read_status(said, CREDENTIALS), StillOpen)


def test_what_speaks_of_another_purchase_decides_nothing() -> None:
    for code in ("000", "404"):
        said = reply(200, resultCode=code, data={"Status": "PASSED", "Reference": "FLZZZZZZ"})
        assert isinstance(read_status(said, CREDENTIALS, "FL-7K3QF9"), StillOpen)
    said = reply(200, resultCode="000", data={"Reference": "FLZZZZZZ"})
    assert isinstance(read_purchase(said, CREDENTIALS, "FL-7K3QF9"), Unknown)
    assert isinstance(read_purchase(said, CREDENTIALS, "FL-ZZZZZZ"), Succeeded)
    assert isinstance(read_status(said, CREDENTIALS, "FL-ZZZZZZ"), Succeeded)


@pytest.mark.parametrize(
    "more",
    [
        {"data": {"status": "FAILED"}},
        {"data": {"status": "PENDING"}},
        {"message": "Request accepted for processing"},
        {"statusDescription": "Insufficient funds"},
        {"succeeded": False},
        {"resErrorCode": "051"},
        {"hdrRefNo": "R", "hdrTranId": "T", "UnitId": "KE"},
    ],
)
def test_a_success_code_that_something_contradicts_buys_nothing(more: dict[str, object]) -> None:
    assert isinstance(read_purchase(reply(200, resultCode="000", **more), CREDENTIALS), Unknown)


def test_a_code_that_is_set_to_mean_accepted_leaves_it_to_the_status_query() -> None:
    said = reply(200, resultCode="000", statusDescription="Success")
    assert isinstance(read_purchase(said, CREDENTIALS), Succeeded)
    only_taken = replace(CREDENTIALS, accepted_codes=frozenset({"000"}))
    assert isinstance(read_purchase(said, only_taken), Unknown)
    assert isinstance(read_status(said, only_taken), Succeeded)


@pytest.mark.parametrize(
    ("transaction", "bought"),
    [
        ({"CBSReference": "FTC1", "Status": "PASSED", "ThirdPartyStatus": None}, True),
        ({"CBSReference": "FTC1", "Status": "PASSED", "ThirdPartyStatus": "PENDING"}, False),
        ({"CBSReference": "FTC1", "Status": "FAILED", "ThirdPartyStatus": None}, False),
        ({"CBSReference": "FTC1", "Status": "QUEUED"}, False),
        ({"CBSReference": "FTC1"}, False),
        (None, False),
    ],
)
def test_the_transaction_inside_a_status_decides_with_its_code(
    transaction: object, bought: bool
) -> None:
    said = reply(200, Code="000", Description="Success", Transaction=transaction)
    answer = read_status(said, CREDENTIALS)
    assert isinstance(answer, Succeeded) if bought else isinstance(answer, StillOpen)


def test_a_status_that_says_failed_and_doubts_it_is_still_open() -> None:
    said = reply(200, resultCode="404", statusDescription="Not found, try again later")
    assert isinstance(read_status(said, CREDENTIALS), StillOpen)
