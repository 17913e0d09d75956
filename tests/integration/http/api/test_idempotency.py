"""A money call with the same key is made once, and answered to the letter as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping

import pytest
from httpx import Response

from tests.kit.api_caller import KEY, PAYER, ApiCaller


def _lasting(headers: Mapping[str, str]) -> dict[str, str]:
    passing = ("x-request-id", "ratelimit", "idempotent-replayed")
    return {name: value for name, value in headers.items() if name not in passing}


async def test_a_replay_is_the_first_answer_to_the_letter(caller: ApiCaller) -> None:
    first = await caller.topup(key=KEY)
    again = await caller.topup(key=KEY)
    prompts = caller.world.bank.calls("initiate")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.content == first.content
    assert _lasting(again.headers) == _lasting(first.headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert first.headers["location"] == f"/v1/operations/{first.json()['reference']}"
    assert prompts == 1


@pytest.mark.parametrize("restart", ["restart", "crash"])
async def test_a_replay_outlives_the_program(caller: ApiCaller, restart: str) -> None:
    first = await caller.topup(key=KEY)
    await getattr(caller.world, restart)()
    again = await caller.topup(key=KEY)
    assert again.content == first.content
    assert caller.world.bank.calls("initiate") == 1


@pytest.mark.parametrize("amount", [1500, "1500", "1500.0", "1500.00"])
async def test_an_amount_is_a_number_however_it_is_written(
    caller: ApiCaller, amount: object
) -> None:
    first = await caller.topup("1500.00", key=KEY)
    again = await caller.topup(amount, key=KEY)
    assert again.content == first.content


async def test_the_order_of_members_does_not_matter(caller: ApiCaller) -> None:
    first = await caller.topup(key=KEY, again=True)
    body = {"again": True, "phone_number": PAYER, "amount": 1500}
    again = await caller.post("/v1/topup/stk-push", body, key=f'"{KEY}"')
    assert again.content == first.content


@pytest.mark.parametrize(
    "change", [{"amount": 1501}, {"again": True}, {"description": "x"}, {"phone": "0722000333"}]
)
async def test_another_body_with_the_same_key_is_refused(
    caller: ApiCaller, change: dict[str, object]
) -> None:
    await caller.topup(key=KEY)
    other = await caller.topup(**{"key": KEY, **change})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert caller.world.bank.calls("initiate") == 1


async def test_another_path_with_the_same_key_is_refused(caller: ApiCaller) -> None:
    body = {"purpose": "float_purchase", "amount": 1000}
    await caller.post("/v1/otp/generate", body, key=KEY)
    other = await caller.post("/v1/topup/stk-push", body, key=KEY)
    assert other.status_code == 422


async def test_two_at_once_are_one(caller: ApiCaller) -> None:
    def send() -> Coroutine[None, None, Response]:
        body = {"amount": 1500, "phone_number": PAYER}
        headers = {"idempotency-key": KEY}
        return caller.send("POST", "/v1/topup/stk-push", json=body, headers=headers)

    one, two = await asyncio.gather(send(), send())
    await caller.world.settle()
    assert one.content == two.content
    assert caller.world.bank.calls("initiate") == 1


async def test_partners_do_not_share_keys(caller: ApiCaller) -> None:
    body = {"amount": 1500, "phone_number": "0722000333"}
    ours = await caller.post("/v1/topup/stk-push", body, key=KEY)
    theirs = await caller.post("/v1/topup/stk-push", body, key=KEY, partner="SOKO")
    assert ours.json()["reference"] != theirs.json()["reference"]


async def test_what_the_business_refused_is_kept_and_costs_nothing_more(
    caller: ApiCaller,
) -> None:
    reference, _ = await caller.code_for()
    body = {"amount": 1000, "otp_reference": reference, "otp_code": "000000"}
    first = await caller.post("/v1/float/purchase", body, key=KEY)
    again = [await caller.post("/v1/float/purchase", body, key=KEY) for _ in range(5)]
    status = (await caller.get(f"/v1/otp/status?reference={reference}")).json()
    assert (first.status_code, first.json()["remaining_attempts"]) == (409, 2)
    assert {answer.content for answer in again} == {first.content}
    assert status["attempts"] == 1


async def test_what_could_not_be_read_is_not_kept(caller: ApiCaller) -> None:
    wrong = await caller.topup(0, key=KEY)
    right = await caller.topup(key=KEY)
    assert (wrong.status_code, right.status_code) == (400, 202)


async def test_no_stored_answer_holds_the_code(caller: ApiCaller) -> None:
    reference, code = await caller.code_for()
    body = {"amount": 1000, "otp_reference": reference, "otp_code": code}
    bought = await caller.post("/v1/float/purchase", body, key=KEY)
    rest = caller.world.at_rest()
    assert bought.status_code == 202
    assert json.dumps(code).encode() not in b"".join(rest.values())
