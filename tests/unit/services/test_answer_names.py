"""What a bank's answer says by its field names: statuses, codes, flags and ids."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.bank import Paid, Rejected, StillOpen, Succeeded, Unknown
from services.gateways.bank_answer import DEPTH_MAX, read_answer
from services.gateways.ncba.collections_wire import is_refused_token, read_initiate, read_query
from services.gateways.openbanking.purchase_wire import read_purchase, read_status
from tests.kit.bank_replies import CREDENTIALS, refused, reply
from tests.kit.mpesa_texts import DENIED, DOUBTFUL

# --- Names --------------------------------------------------------------------------------------

PREFIXES = st.sampled_from(["", "txn", "mpesa", "cbs_", "Third-Party ", "host", "x"])


def spelled(prefix: str, name: str, upper: bool) -> str:
    return f"{prefix}{name}".upper() if upper else f"{prefix}{name}"


@given(
    PREFIXES,
    st.sampled_from(["Status", "State", "Result", "Outcome"]),
    st.sampled_from(["FAILED", "REJECTED", "PROCESSING", "INPROCESS", "A"]),
    st.booleans(),
)
def test_a_status_is_one_whatever_stands_before_its_name(
    prefix: str, name: str, value: str, upper: bool
) -> None:
    more = {"data": {spelled(prefix, name, upper): value}}
    assert isinstance(read_query(reply(200, status="SUCCESS", **more)), StillOpen)
    assert isinstance(read_purchase(reply(200, resultCode="000", **more), CREDENTIALS), Unknown)


# ``txn`` is left out: M-PESA calls its receipt a transaction code.
@given(
    PREFIXES.filter(lambda prefix: prefix != "txn"),
    st.sampled_from(["1032", "17", "E99", "51"]),
    st.booleans(),
)
def test_a_code_is_one_whatever_stands_before_its_name(prefix: str, code: str, upper: bool) -> None:
    more = {"data": {spelled(prefix, "Code", upper): code}}
    assert isinstance(read_query(reply(200, status="SUCCESS", **more)), StillOpen)
    assert isinstance(read_purchase(reply(200, resultCode="000", **more), CREDENTIALS), Unknown)


@pytest.mark.parametrize("name", ["currencyCode", "shortCode", "countryCode", "branch_code"])
def test_a_code_of_a_thing_says_nothing_of_what_became_of_it(name: str) -> None:
    more = {name: "KE9"}
    assert isinstance(read_query(reply(200, status="SUCCESS", **more)), Paid)
    answer = read_purchase(reply(200, resultCode="000", **more), CREDENTIALS)
    assert isinstance(answer, Succeeded)


@given(
    st.sampled_from(["success", "isSuccessful", "succeeded", "txnSuccess"]),
    st.sampled_from([False, "false", "FALSE", 0, "0", "N", "no"]),
)
def test_a_no_in_a_flag_is_one_however_it_is_written(name: str, value: object) -> None:
    more = {"data": {name: value}}
    assert isinstance(read_query(reply(200, status="SUCCESS", **more)), StillOpen)
    assert isinstance(read_purchase(reply(200, resultCode="000", **more), CREDENTIALS), Unknown)


@given(
    st.sampled_from(["success", "isSuccessful", "succeeded", "txnSuccess", "paid"]),
    st.sampled_from([True, "true", "TRUE", 1, "1", "Y", "yes"]),
)
def test_a_yes_in_a_flag_is_one_however_it_is_written(name: str, value: object) -> None:
    more = {"data": {name: value}}
    assert isinstance(read_initiate(refused("Invalid account", **more)), Unknown)
    query = reply(200, status="FAILED", description="Request cancelled by user", **more)
    assert isinstance(read_query(query), StillOpen)
    known = reply(200, resultCode="051", statusDescription="Refused", **more)
    assert isinstance(read_purchase(known, CREDENTIALS), Unknown)


SAYS_NO: list[dict[str, object]] = [
    {"reversed": True},
    {"IsReversed": "Y"},
    {"Reversal": "FT26061ABCDE"},
    {"ReversalStatus": "REVERSED"},
    {"errors": ["Limit"]},
    {"errors": [{"field": "reqPayBillTillNo"}]},
    {"error": {"text": "Till"}},
    {"failed": "true"},
    {"duplicate": "yes"},
    {"isPending": True},
    {"processing": "true"},
    {"timeout": True},
    {"refunded": "Y"},
    {"failureReason": "Till"},
    {"errorCount": "2"},
    {"data": "FAILED"},
]


@pytest.mark.parametrize("more", SAYS_NO)
def test_a_success_with_a_name_that_says_no_is_none(more: dict[str, object]) -> None:
    assert isinstance(read_query(reply(200, status="SUCCESS", **more)), StillOpen)
    assert isinstance(read_purchase(reply(200, resultCode="000", **more), CREDENTIALS), Unknown)
    assert isinstance(read_status(reply(200, Code="000", **more), CREDENTIALS), StillOpen)


@pytest.mark.parametrize(
    "more",
    [
        {"reversed": False},
        {"isReversed": "N"},
        {"errors": []},
        {"error": None},
        {"error": {"code": None, "message": ""}},
        {"error": "none"},
        {"duplicate": False},
        {"toAccountName": "Closed Circle Limited"},
        {"accountStatus": "ACTIVE"},
        {"failureReason": ""},
        {"errorCount": 0},
        {"pending": False},
    ],
)
def test_a_success_with_such_a_name_and_nothing_under_it_stays_one(
    more: dict[str, object],
) -> None:
    assert isinstance(read_query(reply(200, status="SUCCESS", **more)), Paid)
    assert isinstance(read_purchase(reply(200, resultCode="000", **more), CREDENTIALS), Succeeded)


@pytest.mark.parametrize("text", [*DENIED, *DOUBTFUL])
@pytest.mark.parametrize("name", ["description", "narration", "comment", "b2cResponse"])
def test_a_success_with_a_no_or_a_doubt_in_words_is_none(name: str, text: str) -> None:
    more: dict[str, object] = {name: text}
    assert isinstance(read_query(reply(200, status="SUCCESS", **more)), StillOpen)
    assert isinstance(read_purchase(reply(200, resultCode="000", **more), CREDENTIALS), Unknown)
    assert isinstance(read_status(reply(200, Code="000", **more), CREDENTIALS), StillOpen)


# --- Refused tokens -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"message": "Invalid token"},
        {"message": "Invalid Access Token", "x-correlation-id": "abc"},
        {"message": "Invalid token", "messageId": "abc"},
        {"message": "Invalid token", "logId": "abc"},
        {"message": "Invalid token", "guid": "abc"},
        {"message": "Invalid token", "transactionId": None},
        {"error": "invalid_token", "error_description": "expired"},
        {"message": "Unauthorized. Access token is missing or invalid."},
        {"message": "Unauthorized", "error": "TokenExpiredError: jwt expired"},
        {"message": "Your session token has expired, kindly login"},
    ],
)
def test_a_401_that_only_speaks_of_its_token_was_not_processed(said: dict[str, object]) -> None:
    assert is_refused_token(reply(401, **said))


@pytest.mark.parametrize("text", DOUBTFUL)
def test_a_doubtful_401_sends_nothing_again(text: str) -> None:
    said = reply(401, message=f"Token expired. {text}")
    assert not is_refused_token(said)
    assert isinstance(read_initiate(said), Unknown)
    assert isinstance(read_purchase(said, CREDENTIALS), Unknown)


@pytest.mark.parametrize("more", [{"code": "0"}, {"status": "504"}, {"duplicate": "yes"}])
def test_a_401_whose_other_fields_doubt_it_sends_nothing_again(more: dict[str, object]) -> None:
    said = reply(401, message="Invalid token", **more)
    assert not is_refused_token(said)
    assert isinstance(read_initiate(said), Unknown)
    assert isinstance(read_purchase(said, CREDENTIALS), Unknown)


@pytest.mark.parametrize(
    "text",
    [
        "Token is valid but the reference is invalid",
        "Token and amount: invalid",
        "Invalid OTP token",
    ],
)
def test_a_401_that_calls_something_else_invalid_sends_nothing_again(text: str) -> None:
    assert not is_refused_token(reply(401, message=text))


IDS = [
    *("transactionId", "transactionNumber", "transactionCode", "txn", "transId", "TxnNo"),
    *("FTNumber", "FTRef", "FTReference", "CBSReferenceNumber", "MpesaReceiptNumber", "id"),
    *("CheckoutRequestID", "referenceNo", "payment_number", "RRN"),
]


@given(st.sampled_from(IDS), st.booleans(), st.booleans())
def test_no_refusal_that_names_a_transaction_is_final(name: str, upper: bool, nested: bool) -> None:
    ids: dict[str, object] = {spelled("", name, upper): "FT26061ABCDE"}
    more = {"data": ids} if nested else ids
    assert not is_refused_token(reply(401, message="Invalid token", **more))
    for status in (400, 401):
        said = reply(status, message="Invalid token", **more)
        assert isinstance(read_initiate(said), Unknown)
        assert isinstance(read_purchase(said, CREDENTIALS), Unknown)
    known = reply(200, resultCode="051", statusDescription="Insufficient funds", **more)
    assert isinstance(read_purchase(known, CREDENTIALS), Unknown)
    assert not isinstance(read_initiate(refused("Invalid phone", **more)), Rejected)


def test_our_own_reference_sent_back_is_no_transaction() -> None:
    for http, code in ((200, "051"), (400, "051")):
        said = reply(http, resultCode=code, message="No such till", reference="FL7K3QF9")
        assert isinstance(read_purchase(said, CREDENTIALS, "FL-7K3QF9"), Rejected)
        assert isinstance(read_purchase(said, CREDENTIALS, "FL-7K3QF8"), Unknown)


# --- Bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda one: {"a": one}, lambda one: [one]])
def test_what_is_deeper_than_any_answer_is_not_read(wrap: Callable[[object], object]) -> None:
    inner: object = {"a": "x"}
    for _ in range(DEPTH_MAX - 2):
        inner = wrap(inner)
    assert read_answer(json.dumps({"a": inner}).encode()) is not None
    assert read_answer(json.dumps({"a": wrap(inner)}).encode()) is None


@pytest.mark.parametrize("more", [{"success": True}, {"status": "SUCCESS"}, {"code": "000"}])
def test_a_complaint_that_claims_a_success_is_no_refusal(more: dict[str, object]) -> None:
    complaint = reply(400, message="Invalid amount", **more)
    assert isinstance(read_initiate(complaint), Unknown)
    assert isinstance(read_initiate(reply(400, message="Invalid amount")), Rejected)
