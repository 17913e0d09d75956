"""What the schema of a body allows is taken, and what it does not is refused as invalid."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.api_caller import ApiCaller

FLOAT = {"purpose": "float_purchase", "amount": 1000}
TOPUP = {"purpose": "wallet_topup", "amount": 1000, "payer_phone": "0712345678"}


@pytest.mark.parametrize(
    "body",
    [
        FLOAT,
        {**FLOAT, "reference": None, "payer_phone": None, "partner_id": None},
        {**FLOAT, "phone_number": "+254712345678", "email_address": None},
        TOPUP,
        {**TOPUP, "amount": "1000.00"},
    ],
)
async def test_a_code_is_sent_for_one_thing(caller: ApiCaller, body: dict[str, Any]) -> None:
    answer = await caller.post("/v1/otp/generate", body)
    assert answer.status_code == 201, answer.text


async def test_a_reference_may_stand_beside_nulls(caller: ApiCaller) -> None:
    first = (await caller.post("/v1/otp/generate", FLOAT)).json()
    await caller.world.advance(31)
    body = {"reference": first["reference"], **dict.fromkeys(FLOAT), "payer_phone": None}
    answer = await caller.post("/v1/otp/generate", body)
    assert answer.json()["reference"] == first["reference"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/purpose", "/amount"]),
        ({"reference": None}, ["/purpose", "/amount"]),
        ({"reference": "TU-7K3QF9", "amount": 1000}, ["/amount"]),
        ({"reference": "TU-7K3QF9", **FLOAT}, ["/purpose", "/amount"]),
        ({**FLOAT, "payer_phone": "0712345678"}, ["/payer_phone"]),
        ({**FLOAT, "amount": None}, ["/amount"]),
        ({**TOPUP, "payer_phone": None}, ["/payer_phone"]),
        ({**TOPUP, "amount": "1000.50"}, ["/amount"]),
    ],
)
async def test_what_does_not_go_together_is_invalid(
    caller: ApiCaller, body: dict[str, Any], pointers: list[str]
) -> None:
    answer = await caller.post("/v1/otp/generate", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ({"otp_reference": None, "otp_code": None}, 202),
        ({"otp_reference": "TU-7K3QF9"}, 400),
        ({"otp_reference": None, "otp_code": "123456"}, 400),
        ({"otp_reference": "TU-7K3QF9", "otp_code": "123456"}, 404),
    ],
)
async def test_a_code_comes_with_its_reference(
    caller: ApiCaller, code: dict[str, Any], status: int
) -> None:
    answer = await caller.topup(100, **code)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("0001-01-01", 200),
        ("9999-12-31", 200),
        ("0001-01-01T00:00:00Z", 200),
        ("9999-12-31T23:59:59.999999999-23:59", 200),
        ("2026-11-30T08:00:00", 400),
        ("20261130", 400),
        ("2026-11-30T08Z", 400),
        ("2026-02-30", 400),
    ],
)
async def test_any_day_and_any_time_of_rfc_3339_is_a_moment(
    caller: ApiCaller, moment: str, status: int
) -> None:
    answer = await caller.get(f"/v1/transactions?from={moment}")
    assert answer.status_code == status
