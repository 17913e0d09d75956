"""Whatever is sent, the answer is a clear problem, and nothing is done."""

from __future__ import annotations

import json

import pytest

from tests.kit.api_caller import PAYER, ApiCaller

TOPUP = "/v1/topup/stk-push"
DEEP = b'{"a":' * 3000 + b"1" + b"}" * 3000


async def _send(caller: ApiCaller, body: bytes, kind: str = "application/json"):  # type: ignore[no-untyped-def]
    headers = {"content-type": kind, "idempotency-key": "0123456789abcdef"}
    return await caller.send("POST", TOPUP, content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        DEEP,
        b'{"amount": 1, "amount": 2, "phone_number": "0733000111"}',
        b'{"amount": NaN, "phone_number": "0733000111"}',
        b'{"amount": 1e400, "phone_number": "0733000111"}',
        b'{"amount": ' + b"9" * 5000 + b', "phone_number": "0733000111"}',
        b'{"amount": 1, "phone_number": "\\ud800"}',
        b'{"amount": 1, "phone_number": "\xff"}',
        b'\xef\xbb\xbf{"amount": 1}',
        b'{"amount": 1, "phone_number": "0733000111", "description": "\\u0000"}',
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_what_is_no_object_of_ours_is_refused(caller: ApiCaller, body: bytes) -> None:
    answer = await _send(caller, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_request"
    assert caller.world.bank.calls("initiate") == 0


@pytest.mark.parametrize(
    "amount",
    [0, -5, 1.0, 1500.0, True, None, "", "0", "0.00", "-1", "1.5", "01", "1,500", " 1", "1e3",
     "1000000000", 1_000_000_000, [1], {"a": 1}],
)  # fmt: skip
async def test_what_is_no_whole_amount_is_refused(caller: ApiCaller, amount: object) -> None:
    answer = await caller.topup(amount)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/amount"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/amount", "/phone_number"]),
        ({"amount": 1}, ["/phone_number"]),
        ({"amount": 1, "phone_number": PAYER, "sneaky~/name": 1}, [""]),
        ({"amount": 1, "phone_number": "12"}, ["/phone_number"]),
        ({"amount": 1, "phone_number": PAYER, "description": "x" * 101}, ["/description"]),
        ({"amount": 1, "phone_number": PAYER, "again": "yes"}, ["/again"]),
        ({"amount": 1, "phone_number": PAYER, "otp_code": "123456"}, ["/otp_reference"]),
        ({"amount": 1, "phone_number": PAYER, "otp_reference": "TU-222222"}, ["/otp_code"]),
    ],
)
async def test_each_member_that_cannot_be_read_is_pointed_at(
    caller: ApiCaller, body: dict[str, object], pointers: list[str]
) -> None:
    answer = await caller.post(TOPUP, body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert "sneaky" not in answer.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_another_content_type_is_refused(caller: ApiCaller, kind: str) -> None:
    answer = await _send(caller, json.dumps({"amount": 1}).encode(), kind)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=5&limit=6", ""),
        ("other=1", ""),
        ("kind=loan", "/kind"),
        ("status=lost", "/status"),
        ("from=yesterday", "/from"),
        ("to=2026-13-01", "/to"),
        ("from=2026-03-02T08:00:00", "/from"),
        ("cursor=abc", "/cursor"),
        ("%ff=1", ""),
    ],
)
async def test_a_query_that_cannot_be_read_is_pointed_at(
    caller: ApiCaller, query: str, pointer: str
) -> None:
    answer = await caller.get(f"/v1/transactions?{query}")
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("wait", ["-1", "26", "1.5", "x", ""])
async def test_a_wait_is_a_whole_number_up_to_25(caller: ApiCaller, wait: str) -> None:
    reference = (await caller.topup()).json()["reference"]
    answer = await caller.get(f"/v1/operations/{reference}?wait={wait}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/wait")


async def test_a_head_goes_where_a_get_goes(caller: ApiCaller) -> None:
    head = await caller.send("HEAD", "/v1/balance")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


async def test_other_methods_are_told_which_are_allowed(caller: ApiCaller) -> None:
    options = await caller.send("OPTIONS", "/v1/balance")
    both = await caller.send("PATCH", "/v1/webhook-endpoints")
    assert (options.status_code, options.headers["allow"]) == (405, "GET, HEAD")
    assert (both.status_code, both.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize(
    "phone",
    [
        "0733\u00a0000\u2009111",
        "\u202a+254733000111\u202c",
        "\u2066+254 733 000 111\u2069",
        "0733\u2011000\u2013111",
        "\uff0b254733000111",
        254733000111,
    ],
)
async def test_a_phone_is_taken_as_it_is_pasted(caller: ApiCaller, phone: object) -> None:
    answer = await caller.post("/v1/topup/stk-push", {"amount": 10, "phone_number": phone})
    assert (answer.status_code, answer.json()["phone"]) == (202, "254733000111")


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/functions/v1", "/docs/", "/nothing"])
async def test_a_path_that_is_not_there_is_a_problem(caller: ApiCaller, path: str) -> None:
    answer = await caller.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
