"""A doubtful answer about a prompt means neither paid nor refused."""

from __future__ import annotations

import pytest

from services.domain.bank import Accepted, NotPaid, Paid, Rejected, StillOpen, Unknown
from services.domain.mpesa import Reason
from services.gateways.http_exchange import Reply
from services.gateways.ncba.collections_wire import read_initiate, read_query
from services.gateways.openbanking.purchase_wire import read_purchase
from tests.kit.bank_replies import CREDENTIALS, refused, reply
from tests.kit.mpesa_texts import CLAIMED, DOUBTFUL, OUTCOMES

# --- Prompts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", DOUBTFUL)
@pytest.mark.parametrize("status", [200, 400, 404, 412, 422])
def test_a_refused_prompt_in_words_of_doubt_is_unknown(text: str, status: int) -> None:
    answer = refused(text) if status == 200 else reply(status, message=text)
    assert isinstance(read_initiate(answer), Unknown)


@pytest.mark.parametrize("status", [408, 409, 423, 424, 425, 429, 460, 499])
@pytest.mark.parametrize("text", ["Error", "Invalid amount", ""])
def test_a_status_that_means_doubt_is_unknown_whatever_its_words(status: int, text: str) -> None:
    assert isinstance(read_initiate(reply(status, message=text)), Unknown)
    assert isinstance(read_purchase(reply(status, message=text), CREDENTIALS), Unknown)


@pytest.mark.parametrize("inside", ["504", "408", "500"])
def test_a_status_that_is_handed_on_inside_another_means_the_same(inside: str) -> None:
    for said in (reply(400, message="Failed", code=inside), reply(400, status=inside, message="F")):
        assert isinstance(read_initiate(said), Unknown)
        assert isinstance(read_purchase(said, CREDENTIALS), Unknown)


@pytest.mark.parametrize("text", CLAIMED)
def test_a_refused_prompt_in_words_of_success_is_unknown(text: str) -> None:
    assert isinstance(read_initiate(refused(text)), Unknown)
    assert isinstance(read_initiate(reply(400, message=text)), Unknown)


@pytest.mark.parametrize(
    "more",
    [
        {"error": "timeout"},
        {"ReferenceNo": "123"},
        {"responseCode": "000"},
        {"data": {"state": "ACCEPTED"}},
        {"data": {"message": "Duplicate"}},
        {"success": True},
        {"details": [{"status": "SUCCESS"}]},
        {"resultCode": "4999"},
    ],
)
def test_a_refusal_that_another_field_contradicts_is_unknown(more: dict[str, object]) -> None:
    assert isinstance(read_initiate(refused("Invalid account", **more)), Unknown)


@pytest.mark.parametrize("code", ["500", "99", "03", "-1"])
def test_a_refusal_with_a_code_that_nobody_knows_is_unknown(code: str) -> None:
    said = {"TransactionID": None, "StatusCode": code, "StatusDescription": "No"}
    assert isinstance(read_initiate(reply(200, **said)), Unknown)


def test_a_refusal_with_mpesas_code_for_its_own_has_its_reason() -> None:
    said = {"TransactionID": None, "StatusCode": "2001", "StatusDescription": "Failed"}
    answer = read_initiate(reply(200, **said))
    assert isinstance(answer, Rejected)
    assert answer.reason is Reason.WRONG_PIN


def test_a_4xx_that_names_a_transaction_is_unknown() -> None:
    said = reply(400, message="Invalid amount", TransactionID="77")
    assert isinstance(read_initiate(said), Unknown)


@pytest.mark.parametrize("flag", [True, "yes", 1])
@pytest.mark.parametrize("name", ["success", "paid"])
def test_a_4xx_with_a_flag_that_says_yes_is_unknown(name: str, flag: bool | str | int) -> None:
    said = reply(400, message="Invalid amount", **{name: flag})
    assert isinstance(read_initiate(said), Unknown)


def test_an_acceptance_is_asked_about_whatever_its_words() -> None:
    said = reply(200, TransactionID="77", StatusCode="0", StatusDescription="Duplicate, try again")
    assert isinstance(read_initiate(said), Accepted)


def test_a_name_that_comes_twice_decides_nothing() -> None:
    twice = b'{"status": "FAILED", "status": "SUCCESS", "description": "Success"}'
    assert not isinstance(read_query(Reply(200, twice)), Paid | NotPaid)


# --- Queries ------------------------------------------------------------------------------------

SAYS_OTHERWISE: list[dict[str, object]] = [
    {"description": "Request cancelled by user"},
    {"description": "The transaction is still under processing"},
    {"description": "Transaction failed"},
    {"description": "Transaction reversed"},
    {"description": "Request timeout"},
    {"description": "DS timeout user cannot be reached"},
    {"description": "Success", "resultCode": "1032"},
    {"description": "Success", "ResultCode": 1},
    {"description": "Success", "succeeded": False},
    {"description": "Success", "error": True},
    {"description": "Success", "data": {"status": "FAILED"}},
    {"description": "Success", "data": {"transactionStatus": "PENDING"}},
    {"description": "Success", "errors": [{"message": "Insufficient balance"}]},
]


@pytest.mark.parametrize("said", SAYS_OTHERWISE)
def test_a_success_that_something_contradicts_credits_nobody(said: dict[str, object]) -> None:
    assert isinstance(read_query(reply(200, status="SUCCESS", **said)), StillOpen)


@pytest.mark.parametrize(
    "said",
    [
        {"description": "Success"},
        {"description": ""},
        {},
        {"description": "The service request is processed successfully."},
        {"description": "Success", "resultCode": "0", "data": {"status": "COMPLETED"}},
        {"description": "Malipo yamepokelewa", "statusCode": 200},
    ],
)
def test_a_success_that_nothing_contradicts_is_one(said: dict[str, object]) -> None:
    assert isinstance(read_query(reply(200, status="SUCCESS", **said)), Paid)


@pytest.mark.parametrize(
    "said",
    [
        {"description": "Request cancelled by user", "data": {"status": "SUCCESS"}},
        {"description": "Request cancelled by user", "succeeded": True},
        {"description": "Request cancelled by user", "resultCode": "2001"},
        {"description": "Request cancelled by user", "detail": "upstream timeout"},
        {"description": "Success"},
        {"description": "Insufficient permissions"},
        {"description": "Paid, then limit reached"},
        {"description": "Request cancelled by user", "ResultCode": "0"},
        {"description": "Request cancelled by user", "ResultCode": "000"},
        {"description": "Request cancelled by user", "data": {"MpesaReceiptNumber": "UF4OR6RP9Q"}},
        {"description": "Request cancelled by user", "mpesa": {"state": "PROCESSING"}},
        {"description": "Request cancelled by user", "remarks": "No response from user."},
        {"description": "Failed", "a": "Request cancelled by user.", "b": "Rule limited."},
    ],
)
def test_a_failure_that_something_contradicts_is_not_final(said: dict[str, object]) -> None:
    answer = read_query(reply(200, status="FAILED", **said))
    assert not isinstance(answer, NotPaid) or not answer.final


def test_a_code_in_a_field_of_its_own_is_read() -> None:
    said = reply(200, status="FAILED", description="Failed", resultCode=1032)
    assert read_query(said) == NotPaid(Reason.CANCELLED, True, "Failed")


@pytest.mark.parametrize(("text", "code", "reason", "final"), OUTCOMES)
def test_mpesas_own_text_is_read_where_the_description_says_nothing(
    text: str, code: str, reason: Reason, final: bool
) -> None:
    for more in ({"ResultDesc": text}, {"ResultDesc": text, "ResultCode": code}):
        answer = read_query(reply(200, status="FAILED", description="Failed", **more))
        assert answer == NotPaid(reason, final, "Failed")
