"""What the simulated Daraja takes as a payment request, and what it refuses (facts: Daraja 2)."""

from __future__ import annotations

import re

import pytest

from tests.kit.daraja_caller import BASE, ID, DarajaCaller, payout

PATH = "/mpesa/b2c/v3/paymentrequest"


async def test_a_request_is_taken_but_not_paid(caller: DarajaCaller) -> None:
    answer = (await caller.pay()).json()
    assert re.fullmatch(r"AG_20260302_2010[0-9a-f]{16}", answer.pop("ConversationID"))
    assert answer == {
        "OriginatorConversationID": ID,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }
    assert caller.daraja.paid() == ()
    assert caller.daraja.utility_cents() == 1_000_000_00


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("OriginatorConversationID", ""),
        ("OriginatorConversationID", "x" * 37),
        ("OriginatorConversationID", "HZ 7"),
        ("InitiatorName", ""),
        ("SecurityCredential", ""),
        ("CommandID", "BusinessPayToPochi"),
        ("Amount", "10.5"),
        ("Amount", 10.5),
        ("Amount", 10.0),
        ("Amount", "010"),
        ("Amount", 0),
        ("Amount", -10),
        ("Amount", True),
        ("Amount", None),
        ("PartyA", "12"),
        ("PartyB", "0712345678"),
        ("PartyB", "+254712345678"),
        ("PartyB", "254201234567"),
        ("PartyB", "25471234567"),
        ("Remarks", "x"),
        ("Remarks", "x" * 101),
        ("Remarks", ""),
        ("Remarks", "pay & go"),
        ("Remarks", "café"),
        ("QueueTimeOutURL", ""),
        ("QueueTimeOutURL", "http://desk.example/x"),
        ("ResultURL", "https://localhost/x"),
        ("ResultURL", "https://10.0.0.1/x"),
        ("ResultURL", "https://172.16.0.1/x"),
        ("ResultURL", "desk.example"),
        ("Occassion", "x" * 101),
    ],
)
async def test_a_field_in_another_form_is_named(
    caller: DarajaCaller, field: str, value: object
) -> None:
    answer = await caller.pay(**{field: value})
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "400.002.02"
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"
    assert caller.daraja.payments() == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"OriginatorConversationID": "600997_Test_32et3241ed8yu"},
        {"OriginatorConversationID": "x" * 36},
        {"CommandID": "SalaryPayment"},
        {"CommandID": "PromotionPayment"},
        {"Amount": "1500"},
        {"PartyA": 400187, "PartyB": 254112345678},
        {"Remarks": "ok"},
        {"Remarks": "x" * 100},
        {"Occassion": ""},
        {"ResultURL": "https://desk.example:8443/daraja/result"},
    ],
)
async def test_a_field_may_have_any_form_that_is_documented(
    caller: DarajaCaller, changes: dict[str, object]
) -> None:
    assert (await caller.pay(**changes)).status_code == 200


@pytest.mark.parametrize("missing", [name for name in payout() if name != "Occassion"])
async def test_every_field_but_the_occasion_is_required(caller: DarajaCaller, missing: str) -> None:
    body = payout()
    del body[missing]
    answer = await caller.post(PATH, body)
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {missing}"


async def test_the_initiator_has_another_name_here_than_in_the_other_apis(
    caller: DarajaCaller,
) -> None:
    body = payout()
    body["Initiator"] = body.pop("InitiatorName")
    answer = await caller.post(PATH, body)
    assert answer.json()["errorMessage"] == "Bad Request - Invalid InitiatorName"


async def test_another_spelling_of_the_occasion_is_ignored(caller: DarajaCaller) -> None:
    body = payout()
    body["Occasion"] = "x" * 200
    del body["Occassion"]
    assert (await caller.post(PATH, body)).status_code == 200


async def test_a_body_that_is_not_json_by_its_header_has_no_initiator(caller: DarajaCaller) -> None:
    answer = await caller.post(PATH, payout(), **{"Content-Type": "text/plain"})
    assert answer.json()["errorMessage"] == "Bad Request - Invalid InitiatorName"


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"'])
async def test_a_body_that_is_no_object_is_no_payload(caller: DarajaCaller, content: str) -> None:
    answer = await caller.client.post(
        BASE + PATH,
        content=content,
        headers={"Authorization": f"Bearer {caller.token}", "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "400.002.05")


async def test_an_id_that_has_come_before_is_a_duplicate_whatever_else_is_asked(
    caller: DarajaCaller,
) -> None:
    await caller.pay()
    answer = await caller.pay(Amount=20, PartyB="254799999999")
    assert answer.status_code == 500
    assert answer.json()["errorCode"] == "500.002.1001"
    assert answer.json()["errorMessage"] == "Duplicate OriginatorConversationID."
    assert len(caller.daraja.payments()) == 1
    assert caller.daraja.order_counts()[ID] == 2


async def test_an_id_is_used_up_by_a_payment_that_failed_but_not_by_a_refused_request(
    caller: DarajaCaller,
) -> None:
    assert (await caller.pay(Remarks="x")).status_code == 400
    caller.payee("fails 2040")
    assert (await caller.paid())["ResultCode"] == 2040
    assert (await caller.pay()).status_code == 500


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", PATH, 405, "405.001"),
        ("POST", "/mpesa/b2c/v1/paymentrequest", 404, "404.002.01"),
        ("POST", "/", 404, "404.002.01"),
    ],
)
async def test_other_paths_and_methods_are_not_served(
    caller: DarajaCaller, method: str, path: str, status: int, code: str
) -> None:
    answer = await caller.client.request(method, BASE + path)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


async def test_without_a_bearer_header_nothing_is_answered(caller: DarajaCaller) -> None:
    answer = await caller.post(PATH, payout(), Authorization="Basic abc")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "404.001.04")
