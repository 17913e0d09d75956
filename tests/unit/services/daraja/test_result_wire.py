"""Results as nobody has seen them yet: what cannot be read decides nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.money import Money
from services.domain.payout_answers import (
    RECIPIENT_NAME_MAX,
    PaidOut,
    PayoutOrder,
    PayoutVerdict,
    Returned,
    Undecided,
)
from services.domain.phone import Phone
from services.gateways.daraja.result_wire import (
    REASONS,
    Result,
    judge_payment,
    judge_status,
    read_balances,
    read_result,
)

ORDER = PayoutOrder("HZ7K3QF9ABCDEFGH", Phone("254712345678"), Money(1_500_00), "Payout PO-7K3QF9")
CONVERSATION = "AG_20260302_2010e873a0000c6d07ef"
RECEIPT = "SG632NMUAB"


def paid(head: dict[str, Any] | None = None, **values: Any) -> bytes:
    """A success, with other parameters or head; ``None`` leaves a parameter out."""
    parameters = {
        "TransactionAmount": 1500,
        "TransactionReceipt": RECEIPT,
        "ReceiverPartyPublicName": "254712345678 - ASHA EXAMPLE",
        "TransactionCompletedDateTime": "02.03.2026 09:48:52",
        "B2CUtilityAccountAvailableFunds": 9873.5,
    } | values
    return result(
        {"TransactionID": RECEIPT} | (head or {}),
        [{"Key": key, "Value": value} for key, value in parameters.items() if value is not None],
    )


def completed(**values: Any) -> bytes:
    """An answer to a status query."""
    parameters = {
        "CreditPartyName": "254712345678 - ASHA EXAMPLE",
        "OriginatorConversationID": ORDER.originator_id,
        "TransactionStatus": "Completed",
        "Amount": "1500",
        "ConversationID": CONVERSATION,
        "ReceiptNo": RECEIPT,
        "TransactionReason": None,
    } | values
    listed = [{"Key": "DebitPartyName", "Value": "400187 - Hazina Simulated"}]
    listed += [{"Key": key, "Value": value} for key, value in parameters.items() if value]
    return result({"TransactionID": "SG60000000"}, listed)


def result(head: dict[str, Any], parameters: list[dict[str, Any]]) -> bytes:
    fields = {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": ORDER.originator_id,
        "ConversationID": CONVERSATION,
        "ResultParameters": {"ResultParameter": parameters},
    }
    return json.dumps({"Result": fields | head}).encode()


def read(body: bytes) -> Result:
    found = read_result(body)
    assert found is not None
    return found


def judged(body: bytes) -> PayoutVerdict:
    return judge_payment(read(body), ORDER)


def asked(body: bytes, conversation_id: str | None = CONVERSATION) -> PaidOut | Undecided:
    return judge_status(read(body), ORDER, conversation_id)


# Results of a payment ---------------------------------------------------------------------------


def test_a_success_as_documented() -> None:
    assert judged(paid()) == PaidOut(RECEIPT, "ASHA EXAMPLE")


@pytest.mark.parametrize(
    "values",
    [
        {"TransactionAmount": "1500.00"},
        {"TransactionAmount": 1500.0},
        {"TransactionAmount": None},
        {"ReceiverPartyPublicName": "2547*****678 - ASHA EXAMPLE"},
        {"ReceiverPartyPublicName": "0712345678 - ASHA EXAMPLE"},
        {"TransactionReceipt": None},
    ],
)
def test_a_success_written_in_another_way(values: dict[str, Any]) -> None:
    assert judged(paid(**values)) == PaidOut(RECEIPT, "ASHA EXAMPLE")


@pytest.mark.parametrize(
    "values",
    [
        {"TransactionAmount": 1501},
        {"TransactionAmount": "1,500"},
        {"TransactionAmount": "a lot"},
        {"ReceiverPartyPublicName": "254712345679 - ASHA EXAMPLE"},
        {"ReceiverPartyPublicName": "2547*****679 - ASHA EXAMPLE"},
        {"ReceiverPartyPublicName": "****** - ASHA EXAMPLE"},
        {"ReceiverPartyPublicName": "ASHA EXAMPLE"},
        {"TransactionReceipt": "SG632NMUAC"},
        {"Remark": "The payment was reversed"},
        {"Note": "Duplicate request"},
    ],
)
def test_a_success_that_may_be_of_something_else(values: dict[str, Any]) -> None:
    assert isinstance(judged(paid(**values)), Undecided)


@pytest.mark.parametrize(
    "head",
    [
        {"ResultType": 1},
        {"ResultType": None},
        {"ResultDesc": "The service request has timed out."},
        {"ResultDesc": "The balance is insufficient for the transaction."},
        {"ResultDesc": "Accepted for processing"},
        {"TransactionID": "SG632NMUAC"},
        {"TransactionID": "", "ResultParameters": {}},
        {"TransactionID": "no receipt", "ResultParameters": {}},
        {"ResultCode": "00"},
        {"ResultCode": "0.0"},
        {"Note": "reversed"},
    ],
)
def test_a_head_that_contradicts_success(head: dict[str, Any]) -> None:
    assert isinstance(judged(paid(head)), Undecided)


@pytest.mark.parametrize(
    "head",
    [
        {"ResultDesc": "The service request is processed successfully."},
        {"ResultDesc": "System busy. Please try again later."},
        {"ResultType": 1, "ResultDesc": "not registered"},
    ],
)
def test_a_failure_that_is_in_doubt(head: dict[str, Any]) -> None:
    assert isinstance(judged(result({"ResultCode": 2040} | head, [])), Undecided)


def test_a_failure_with_a_receipt_is_in_doubt() -> None:
    failed = {"ResultCode": 2040, "ResultDesc": "Not supported."}
    assert isinstance(judged(result(failed, [])), Returned)
    receipt = [{"Key": "TransactionReceipt", "Value": RECEIPT}]
    assert isinstance(judged(result(failed, receipt)), Undecided)
    other = {"Key": "TransactionReceipt", "Value": "SG632NMUAC"}
    assert isinstance(judged(result(failed, [*receipt, other])), Undecided)


def test_a_name_is_one_printable_line() -> None:
    verdict = judged(paid(ReceiverPartyPublicName=f"254712345678 - A\nSHA\x1b[2J {'X' * 300}"))
    assert isinstance(verdict, PaidOut)
    assert verdict.recipient is not None
    assert verdict.recipient.startswith("A SHA [2J X")
    assert len(verdict.recipient) == RECIPIENT_NAME_MAX


# Answers to status queries ----------------------------------------------------------------------


def test_completed_under_either_of_our_ids() -> None:
    known = PaidOut(RECEIPT, "ASHA EXAMPLE")
    assert asked(completed()) == known
    assert asked(completed(OriginatorConversationID="29115-34620561-1")) == known
    assert asked(completed(ConversationID="AG_other")) == known
    assert asked(completed(), None) == known


@pytest.mark.parametrize(
    "values",
    [
        {"TransactionStatus": "Pending Authorized"},
        {"TransactionStatus": "Declined"},
        {"TransactionStatus": None},
        {"Amount": "1501"},
        {"Amount": None},
        {"CreditPartyName": None},
        {"CreditPartyName": "254712345679 - ASHA EXAMPLE"},
        {"ReceiptNo": None},
        {"TransactionReason": "Reversed by the initiator"},
        {"OriginatorConversationID": "29115-34620561-1", "ConversationID": "AG_other"},
        {"OriginatorConversationID": None, "ConversationID": None},
    ],
)
def test_completed_that_proves_nothing(values: dict[str, Any]) -> None:
    assert isinstance(asked(completed(**values)), Undecided)


def test_somebody_else_beside_our_recipient_proves_nothing() -> None:
    both = completed(DebitParty="x", CreditPartyName="254712345678 - ASHA EXAMPLE")
    fields = json.loads(both)
    fields["Result"]["ResultParameters"]["ResultParameter"].append(
        {"Key": "CreditPartyName", "Value": "254799999999 - DAUDI MAJARIBIO"}
    )
    assert isinstance(asked(json.dumps(fields).encode()), Undecided)


# Balances ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Utility Account|KES|10.50|10.50|0.00|0.00", {"Utility Account": Money(10_50)}),
        (
            "Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00",
            {"Charges Paid Account": Money(-1_540_00)},
        ),
        ("Utility Account|USD|10.50", None),
        ("Utility Account|KES", None),
        ("Utility Account|KES|ten", None),
        ("Utility Account", None),
        ("A|KES|1.00&A|KES|2.00", None),
        ("", None),
    ],
)
def test_balances(text: str, expected: dict[str, Money] | None) -> None:
    assert read_balances(read(result({}, [{"Key": "AccountBalance", "Value": text}]))) == expected


# Whatever may come ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"Result": []}',
        b'{"Result": {}}',
        b'{"Result": {"ResultCode": true}}',
        b'{"Result": {"ResultCode": 0, "ResultCode": 1}}',
        b'{"Result": {"ResultCode": 0}, "Result": {"ResultCode": 1}}',
        b'{"Result": {"ResultCode": 0}',
        b"\xff",
        b"[" * 100_000,
        result({}, [{"Key": str(n), "Value": n} for n in range(61)]),
    ],
)
def test_unreadable(body: bytes) -> None:
    assert read_result(body) is None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
HEADS = (
    "ResultType",
    "ResultCode",
    "ResultDesc",
    "ConversationID",
    "ResultParameters",
    "ReferenceData",
)


@given(head=st.dictionaries(st.sampled_from(HEADS) | st.text(max_size=12), JSON, max_size=5))
def test_nothing_that_comes_raises(head: dict[str, Any]) -> None:
    found = read_result(paid(head))
    if found is not None:
        judge_payment(found, ORDER)
        judge_status(found, ORDER, CONVERSATION)
        read_balances(found)


@given(
    code=st.sampled_from(["0", *REASONS, "17", "26", "1037"]),
    kind=st.sampled_from([0, 1, "0", None]),
    amount=st.sampled_from([1500, "1500.00", 1501, None]),
    party=st.sampled_from(["254712345678 - A", "2547*****678 - A", "254712345679 - A", None]),
    receipt=st.sampled_from([RECEIPT, "SG632NMUAC", None]),
    words=st.sampled_from(
        [
            "The service request is processed successfully.",
            "The operator does not exist.",
            "Timed out",
        ]
    ),
)
def test_only_what_nothing_speaks_against_is_final(
    code: str, kind: Any, amount: Any, party: str | None, receipt: str | None, words: str
) -> None:
    body = paid(
        {"ResultCode": code, "ResultType": kind, "ResultDesc": words},
        TransactionAmount=amount,
        ReceiverPartyPublicName=party,
        TransactionReceipt=receipt,
    )
    verdict = judged(body)
    is_final = str(kind) == "0"
    if isinstance(verdict, PaidOut):
        assert is_final
        assert code == "0"
        assert amount != 1501
        assert party != "254712345679 - A"
        assert receipt in (RECEIPT, None)
        assert words.startswith("The service request")
    elif isinstance(verdict, Returned):
        assert is_final
        assert code in REASONS
        assert (amount, receipt) == (None, None)
        assert words.startswith("The operator")


def test_an_order_is_what_mpesa_takes() -> None:
    for wrong in (
        {"amount": Money(1_500_50)},
        {"amount": Money(0)},
        {"amount": Money(1_00, "USD")},
        {"originator_id": "HZ-7K3QF9"},
        {"originator_id": "H" * 21},
        {"originator_id": ""},
        {"remarks": "x"},
        {"remarks": "x" * 101},
        {"remarks": "a & b"},
        {"remarks": "<b>"},
        {"remarks": "line\nbreak"},
    ):
        with pytest.raises(ValueError, match=r"M-PESA|no id|currency"):
            replace(ORDER, **wrong)  # type: ignore[arg-type]
