"""Words of doubt in an answer: nobody's no is final beside them, and nobody's yes."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.bank import Accepted, NotPaid, Paid, Rejected, StillOpen, Succeeded, Unknown
from services.domain.doubtful_words import doubts, normalised, says_no, says_yes
from services.domain.mpesa import Reason, is_doubtful, read_failed, read_refusal
from services.gateways.http_exchange import Reply
from services.gateways.ncba.collections_wire import read_initiate, read_query
from services.gateways.openbanking.purchase_wire import read_purchase, read_status
from tests.kit.bank_replies import CREDENTIALS, refused, reply
from tests.kit.mpesa_texts import CLAIMED, CLEAR, DOUBTFUL, OUTCOMES

# --- M-PESA's own texts -------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "code", "reason", "final"), OUTCOMES)
def test_a_text_of_mpesas_own_means_what_the_facts_say(
    text: str, code: str, reason: Reason, final: bool
) -> None:
    assert read_failed(text) == NotPaid(reason, final, text)
    assert read_refusal(text) is reason
    assert not is_doubtful(text)


@pytest.mark.parametrize(("text", "code", "reason", "final"), OUTCOMES)
def test_its_code_with_it_changes_nothing(
    text: str, code: str, reason: Reason, final: bool
) -> None:
    said = f"{code}: {text}"
    assert read_failed(said) == NotPaid(reason, final, said)


@pytest.mark.parametrize(("text", "code", "reason", "final"), OUTCOMES)
def test_the_code_of_another_outcome_beside_it_leaves_it_open(
    text: str, code: str, reason: Reason, final: bool
) -> None:
    other = "1032" if reason is not Reason.CANCELLED else "2001"
    answer = read_failed(text, [other])
    assert not isinstance(answer, NotPaid) or not answer.final


def test_a_code_decides_beside_words_of_doubt() -> None:
    assert read_failed("2001: wrong PIN, please try again").final  # type: ignore[union-attr]
    assert read_refusal("17: try again after two minutes") is Reason.SAME_AMOUNT_SOON
    assert not is_doubtful("17: try again after two minutes")


@pytest.mark.parametrize(
    "text",
    [
        "Failed: request 2001 was lost, try again",
        "Batch 1032 not found",
        "Your reference 8006 is unknown",
        "Queue position 1037",
    ],
)
def test_a_number_that_does_not_stand_where_a_code_does_is_none(text: str) -> None:
    assert read_failed(text) == StillOpen(text)


# --- Doubt --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", DOUBTFUL)
def test_doubt_is_seen(text: str) -> None:
    assert doubts(text)
    assert is_doubtful(text)


@pytest.mark.parametrize("text", DOUBTFUL)
@pytest.mark.parametrize("around", ["{}", "Request cancelled. {}", "{} (wrong PIN)"])
def test_a_failure_with_doubt_in_it_is_never_final(text: str, around: str) -> None:
    answer = read_failed(around.format(text))
    assert not isinstance(answer, NotPaid) or not answer.final


@given(st.sampled_from(DOUBTFUL), st.sampled_from(["", "  ", "\t", "!", "… "]), st.booleans())
def test_neither_case_nor_marks_hide_a_doubt(text: str, mark: str, upper: bool) -> None:
    written = text.upper() if upper else text
    assert doubts(f"{mark}{written}{mark}")


@given(st.sampled_from(DOUBTFUL))
def test_doubt_survives_other_joints(text: str) -> None:
    assert doubts(normalised(text).replace(" ", "_"))
    assert doubts(normalised(text).replace(" ", "-"))


@pytest.mark.parametrize(
    "text",
    [
        "Debit account blocked",
        "Invalid TelephoneNo: use 254XXXXXXXXX",
        "Invalid Network or TransactionType",
        "The balance is insufficient for the transaction",
        "Kosa lisilojulikana 77",
        "Unlimited",
        "Timeline closed",
        "Plate rented",
        "",
    ],
)
def test_a_plain_no_is_no_doubt(text: str) -> None:
    assert not doubts(text)


@pytest.mark.parametrize(
    "word", ["kes ", "not ", "code ", "transaction ", "no ", "payment of ", "status ", "a " * 9]
)
def test_a_long_text_is_asked_in_reasonable_time(word: str) -> None:
    text = word * (64 * 1024 // len(word))
    began = process_time()
    doubts(text)
    says_yes(text)
    says_no(text)
    assert process_time() - began < 1


@pytest.mark.parametrize("text", CLEAR)
def test_a_refusal_in_clear_words_stays_one(text: str) -> None:
    assert not doubts(text)
    assert isinstance(read_initiate(refused(text)), Rejected)
    for status in (400, 403):
        assert isinstance(read_initiate(reply(status, message=text)), Rejected)
        assert isinstance(read_purchase(reply(status, message=text), CREDENTIALS), Rejected)
    known = reply(200, resultCode="051", statusDescription=text)
    assert isinstance(read_purchase(known, CREDENTIALS), Rejected)


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


# --- Float --------------------------------------------------------------------------------------


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
