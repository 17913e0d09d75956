"""A request with several faults is answered for the first of them, in one order."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.turns.calls import Admitted, Call, Outcome
from services import api_keys
from services.domain.api_key import Scope
from tests.kit.api_caller import KEY, ApiCaller, calling

TOPUP = "/v1/topup/stk-push"
JSON = {"content-type": "application/json"}


async def test_each_fault_that_is_mended_brings_up_the_next(caller: ApiCaller) -> None:
    reads = await caller.make_key("DUKA", [Scope.READ])
    big, bad, good = b" " * 70_000, b"[1]", b'{"amount": 10, "phone_number": "0733000111"}'
    wrong = {"x-api-key": caller.keys["DUKA"][:-1] + "_"}
    scoped, right = {"x-api-key": reads}, {"x-api-key": caller.keys["DUKA"]}
    key = {"idempotency-key": KEY}
    steps: list[tuple[str, str, bytes, dict[str, str], int, str]] = [
        ("PUT", "/v1/nothing", big, wrong, 413, "too_large"),
        ("PUT", "/v1/nothing", bad, wrong, 404, "not_found"),
        ("PUT", TOPUP, bad, wrong, 405, "method_not_allowed"),
        ("POST", TOPUP, bad, {}, 401, "unauthenticated"),
        ("POST", TOPUP, bad, wrong, 401, "unauthenticated"),
        ("POST", TOPUP, bad, scoped, 403, "forbidden_scope"),
        ("POST", TOPUP, bad, right, 415, "unsupported_media_type"),
        ("POST", TOPUP, bad, right | JSON, 400, "idempotency_key_missing"),
        (
            *("POST", TOPUP, bad, right | JSON | {"idempotency-key": "short"}),
            *(400, "idempotency_key_invalid"),
        ),
        ("POST", TOPUP, bad, right | JSON | key, 400, "invalid_request"),
        ("POST", TOPUP, good, right | JSON | key, 202, ""),
        ("POST", TOPUP, b'{"amount": 1.5}', right | JSON | key, 422, "idempotency_mismatch"),
    ]
    for method, path, body, headers, status, code in steps:
        answer = await caller.send(method, path, partner=None, content=body, headers=headers)
        seen = (answer.status_code, answer.json().get("code", ""))
        assert seen == (status, code), (method, path, body[:30], headers)


async def test_a_missing_and_a_wrong_key_are_told_the_same(caller: ApiCaller) -> None:
    none = await caller.send("GET", "/v1/balance", partner=None)
    wrong = await caller.send("GET", "/v1/balance", partner=None, headers={"x-api-key": "hz_x"})
    bearer = {"authorization": f"Bearer {caller.keys['DUKA']}"}
    right = await caller.send("GET", "/v1/balance", partner=None, headers=bearer)
    for answer in (none, wrong):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "ApiKey"
        assert "ratelimit" not in answer.headers
    assert none.json() | {"request_id": ""} == wrong.json() | {"request_id": ""}
    assert right.status_code == 200


async def test_the_rate_comes_after_the_scope_and_before_the_body(tmp_path: Path) -> None:
    async with calling(tmp_path, api_moves_per_minute=2) as caller:
        reads = await caller.make_key("DUKA", [Scope.READ])
        for _ in range(2):
            await caller.topup("nonsense")
        over = await caller.send("POST", TOPUP, content=b"[")
        scoped = await caller.send("POST", TOPUP, partner=None, headers={"x-api-key": reads})
        wait = int(over.headers["retry-after"])
        await caller.world.advance(wait)
        after = await caller.topup()
    assert (over.status_code, over.json()["code"], over.json()["retryable"]) == (
        429,
        "rate_limited",
        True,
    )
    assert over.headers["ratelimit-policy"] == '"moves";q=2;w=60'
    assert over.headers["ratelimit"].startswith('"moves";r=0;t=')
    assert scoped.status_code == 403
    assert after.status_code == 202


async def test_another_partner_may_not_be_named(caller: ApiCaller) -> None:
    named = await caller.get("/v1/balance?partner_id=SOKO")
    own = await caller.get("/v1/balance?partner_id=DUKA")
    moved = await caller.topup(partner_id="SOKO")
    assert (named.status_code, named.json()["code"]) == (403, "forbidden_partner")
    assert (moved.status_code, moved.json()["code"]) == (403, "forbidden_partner")
    assert own.status_code == 200


async def test_another_partners_operation_is_as_one_that_is_not_there(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    others = await caller.get(f"/v1/operations/{reference}", partner="SOKO")
    nobodys = await caller.get("/v1/operations/TU-222222", partner="SOKO")
    assert others.status_code == nobodys.status_code == 404
    assert others.json() | {"request_id": ""} == nobodys.json() | {"request_id": ""}


async def test_a_key_revoked_under_way_is_told_as_any_wrong_one(
    caller: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, database = caller.world.app.calls, caller.world.app.database
    handle = calls.handle

    async def revoked_first(admitted: Admitted, call: Call) -> Outcome:
        await database.write(lambda tx: api_keys.revoke(tx, admitted.key.id))
        return await handle(admitted, call)

    monkeypatch.setattr(calls, "handle", revoked_first)
    answer = await caller.topup()
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "ApiKey"
