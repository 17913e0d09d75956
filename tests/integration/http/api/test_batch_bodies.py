"""What a batch of payouts may be in a body: rows in JSON, or a file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.api_caller import KEY, ApiCaller
from tests.kit.batches import FILE, PATH, ROWS, batches, row, send_file
from tests.kit.paying_system import PayingSystem


@pytest.fixture
async def system(caller: ApiCaller) -> PayingSystem:
    system = PayingSystem(caller)
    await system.fund()
    return system


@pytest.mark.parametrize("kind", ["text/csv; charset=utf-8", "TEXT/CSV", "text/csv;header=present"])
async def test_a_file_is_told_by_its_type(system: PayingSystem, kind: str) -> None:
    answer = await send_file(system, **{"content-type": kind})
    assert answer.status_code == 202


async def test_any_table_that_the_chat_takes_is_taken(system: PayingSystem) -> None:
    content = "Staff of November\n\nReference;Amount;Phone\nS-1;1500;0722 000 111\n"
    answer = await send_file(system, content.encode("utf-16"))
    assert (answer.status_code, answer.json()["amount"]) == (202, "1500.00")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data"])
async def test_no_other_type_is_taken(system: PayingSystem, kind: str) -> None:
    assert (await send_file(system, **{"content-type": kind})).status_code == 415


async def test_no_other_call_takes_a_file(system: PayingSystem) -> None:
    headers = {"content-type": "text/csv", "idempotency-key": KEY}
    answer = await system.caller.send("POST", "/v1/payouts", content=FILE, headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"name,age\nMary,3\n", b"phone,amount,reference\n", b"PK\x03\x04"]
)
async def test_a_file_without_rows_is_invalid(system: PayingSystem, content: bytes) -> None:
    answer = await send_file(system, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await send_file(system)).status_code == 202  # the key was not used


async def test_doubles_of_a_file_are_accepted_in_its_query(system: PayingSystem) -> None:
    content = b"phone,amount,reference\n0722000111,100,S-1\n+254722000111,100.00,S-2\n"
    refused = await send_file(system, content)
    assert refused.json()["code"] == "duplicate_suspected"
    assert (refused.json()["reference"], refused.json()["rows"]) == (None, [2])
    same_key = await send_file(system, content, "?accept_doubles=true")
    assert same_key.json()["code"] == "idempotency_mismatch"
    other = f"{KEY}-2"
    assert (await send_file(system, content, "?accept_doubles=1", other)).status_code == 400
    assert (await send_file(system, content, "?accept=true", other)).status_code == 400
    taken = await send_file(system, content, "?accept_doubles=true", other)
    assert (taken.status_code, taken.json()["doubles"]) == (202, 1)


async def test_a_body_in_json_says_itself_that_doubles_are_accepted(system: PayingSystem) -> None:
    answer = await system.caller.post(f"{PATH}?accept_doubles=true", {"rows": ROWS})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/accept_doubles"]


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"phone_number": None}, "phone_number", "missing"),
        ({"phone_number": "0201234567"}, "phone_number", "bad_phone"),
        ({"phone_number": ["0722000111"]}, "phone_number", "bad_phone"),
        ({"phone_number": "0" * 100}, "phone_number", "bad_phone"),
        ({"amount": None}, "amount", "missing"),
        ({"amount": ""}, "amount", "missing"),
        ({"amount": 0}, "amount", "bad_amount"),
        ({"amount": -5}, "amount", "bad_amount"),
        ({"amount": 100.0}, "amount", "bad_amount"),
        ({"amount": True}, "amount", "bad_amount"),
        ({"amount": " 100"}, "amount", "bad_amount"),
        ({"amount": "0100"}, "amount", "bad_amount"),
        ({"amount": 10**9}, "amount", "bad_amount"),
        ({"amount": "100.50"}, "amount", "part_shillings"),
        ({"amount": 9}, "amount", "below_minimum"),
        ({"amount": 250_001}, "amount", "above_maximum"),
        ({"reference": None}, "reference", "missing"),
        ({"reference": "x" * 65}, "reference", "too_long"),
        ({"reference": "a\x00b"}, "reference", "unprintable"),
        ({"reference": {}}, "reference", "unprintable"),
        ({"reference": "S-1"}, "reference", "repeated"),
        ({"name": "x" * 61}, "name", "too_long"),
        ({"remarks": "<b>"}, "remarks", "bad_remarks"),
    ],
)
async def test_what_is_wrong_with_a_row_is_told(
    system: PayingSystem, given: dict[str, Any], field: str, code: str
) -> None:
    answer = await system.caller.post(PATH, {"rows": [row(1), row(2) | given]}, key=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_rows")
    (error,) = answer.json()["errors"]
    assert (error["row"], error["field"], error["code"]) == (2, field, code)
    assert await batches(system) == 0
    mended = await system.caller.post(PATH, {"rows": [row(1), row(2)]}, key=KEY)
    assert mended.status_code == 202


async def test_every_fault_of_every_row_is_told_by_the_names_that_were_sent(
    system: PayingSystem,
) -> None:
    rows = [row(1, 5), row(2), {}]
    answer = await system.caller.post(PATH, {"rows": rows})
    assert [(error["row"], error["field"]) for error in answer.json()["errors"]] == [
        (1, "amount"),
        (3, "phone_number"),
        (3, "amount"),
        (3, "reference"),
    ]
    by_file = await send_file(system, b"phone,amount,reference\n07220001,secret,S-1\n")
    assert [error["field"] for error in by_file.json()["errors"]] == ["phone", "amount"]
    assert "secret" not in by_file.text
    assert "07220001" not in by_file.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/rows"),
        ({"rows": None}, "/rows"),
        ({"rows": []}, "/rows"),
        ({"rows": {"0": row(1)}}, "/rows"),
        ({"rows": [row(number) for number in range(1001)]}, "/rows"),
        ({"rows": [row(1), 7]}, "/rows/1"),
        ({"rows": [row(1), row(2, secret="x")]}, "/rows/1"),
        ({"rows": [row(1)], "again": True}, ""),
        ({"rows": [row(1)], "accept_doubles": "yes"}, "/accept_doubles"),
    ],
)
async def test_what_is_no_list_of_rows_is_invalid(
    system: PayingSystem, body: dict[str, Any], pointer: str
) -> None:
    answer = await system.caller.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await batches(system) == 0


async def test_a_thousand_rows_are_taken_and_paged(system: PayingSystem) -> None:
    rows = [row(number, 10, name="N" * 60, remarks="R" * 100) for number in range(1, 1001)]
    sent = await system.caller.post(PATH, {"rows": rows})
    assert sent.status_code == 202, sent.text
    path = f"{PATH}/{sent.json()['reference']}/rows"
    seen: list[int] = []
    cursor = ""
    while True:
        page = (await system.caller.get(f"{path}?limit=200{cursor}")).json()
        seen += [one["row"] for one in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == list(range(1, 1001))
    foreign = await system.caller.get(f"{PATH}/{sent.json()['reference']}/rows?cursor=WzFd")
    assert foreign.status_code == 400


async def test_only_a_batch_may_be_a_mebibyte(system: PayingSystem) -> None:
    headers = {"content-type": "application/json", "idempotency-key": KEY}

    async def status(method: str, path: str, size: int) -> int:
        answer = await system.caller.send(method, path, content=b" " * size, headers=headers)
        return answer.status_code

    assert await status("POST", PATH, 1024 * 1024) == 400
    assert await status("POST", PATH, 1024 * 1024 + 1) == 413
    assert await status("PUT", PATH, 70_000) == 413
    assert await status("POST", "/v1/payouts", 70_000) == 413
