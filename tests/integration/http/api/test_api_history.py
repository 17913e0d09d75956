"""Lists of the API: no gaps, filters that a cursor carries, sums that are the balance."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.simulation.ncba.handsets import Handset
from tests.kit.api_caller import ApiCaller, calling


async def _walk(caller: ApiCaller, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    path = f"/v1/transactions?{query}"
    while True:
        page = (await caller.get(path)).json()
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        path = f"/v1/transactions?limit=2&cursor={page['next_cursor']}"


async def _play(caller: ApiCaller) -> None:
    for number in range(5):
        await caller.topup(100 + number, f"072200033{number}")
    caller.world.bank.set_handset("254722000330", Handset("pays"))
    caller.world.bank.set_handset("254722000331", Handset("cancels"))
    reference, code = await caller.code_for("1000.50")
    body = {"amount": "1000.50", "otp_reference": reference, "otp_code": code}
    assert (await caller.post("/v1/float/purchase", body)).status_code == 202
    await caller.world.advance(20)


async def test_a_walk_meets_everything_once_and_sums_to_the_balance(caller: ApiCaller) -> None:
    await _play(caller)
    found = await _walk(caller, "limit=2")
    balance = (await caller.get("/v1/balance")).json()["wallet"]["balance"]
    references = [one["reference"] for one in found]
    assert len(references) == len(set(references)) == 7
    assert [one["created_at"] for one in found] == sorted(
        (one["created_at"] for one in found), reverse=True
    )
    assert sum(Decimal(one["wallet_change"]) for one in found) == Decimal(balance)
    assert balance == "49099.50"


@pytest.mark.parametrize(
    ("query", "many"),
    [
        ("kind=topup", 5),
        ("kind=float", 1),
        ("kind=adjustment", 1),
        ("status=paid", 1),
        ("status=not_paid", 1),
        ("kind=topup&status=pending", 3),
        ("from=2026-03-02", 7),
        ("to=2026-03-02", 0),
        ("from=2026-03-02&to=2026-03-03", 7),
        ("from=2026-03-02T06:00:01Z", 0),
        ("to=2026-03-02T09:00:01%2B03:00", 7),
    ],
)
async def test_filters_go_with_every_page(caller: ApiCaller, query: str, many: int) -> None:
    await _play(caller)
    assert len(await _walk(caller, f"limit=2&{query}")) == many


async def test_a_filter_beside_a_cursor_is_refused(caller: ApiCaller) -> None:
    await _play(caller)
    cursor = (await caller.get("/v1/transactions?limit=2")).json()["next_cursor"]
    answer = await caller.get(f"/v1/transactions?cursor={cursor}&kind=topup&from=2026-03-02")
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/kind", "/from"]


async def test_the_feed_is_read_on_from_an_event(caller: ApiCaller) -> None:
    await _play(caller)
    first = (await caller.get("/v1/events?limit=3")).json()
    rest = (await caller.get(f"/v1/events?after={first['data'][-1]['id']}")).json()
    everything = await caller.events()
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert first["data"] + rest["data"] == everything
    foreign = await caller.get(f"/v1/events?after={everything[0]['id']}", partner="SOKO")
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (400, "/after")


async def test_each_version_has_one_event_with_what_is_answered(caller: ApiCaller) -> None:
    await _play(caller)
    newest: dict[str, dict[str, Any]] = {}
    for event in await caller.events():
        operation = event["data"]
        before = newest.get(operation["reference"])
        assert operation["version"] == (1 if before is None else before["version"] + 1)
        assert event["type"] == f"{operation['kind']}.{operation['status']}"
        newest[operation["reference"]] = operation
    assert len(newest) == 6
    for reference, told in newest.items():
        assert await caller.operation(reference) == told
    assert await caller.violations() == []


async def test_a_balance_that_has_not_changed_is_304(caller: ApiCaller) -> None:
    first = await caller.get("/v1/balance")
    same = await caller.get("/v1/balance", **{"if-none-match": first.headers["etag"]})
    await caller.topup()
    caller.world.bank.set_handset("254733000111", Handset("pays"))
    await caller.world.advance(10)
    other = await caller.get("/v1/balance", **{"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    assert other.status_code == 200
    assert other.json()["wallet"]["balance"] == "51500.00"


async def test_without_the_database_nothing_is_done_and_the_key_stays_good(tmp_path: Path) -> None:
    async with calling(tmp_path) as caller:
        database = caller.world.app.database
        database._closing = True  # type: ignore[attr-defined]
        gone = await caller.send(
            "POST",
            "/v1/topup/stk-push",
            json={"amount": 100, "phone_number": "0733000111"},
            headers={"idempotency-key": "0123456789abcdef"},
        )
        database._closing = False  # type: ignore[attr-defined]
        done = await caller.topup(100, key="0123456789abcdef")
        prompts = caller.world.bank.calls("initiate")
    assert (gone.status_code, gone.json()["code"], gone.json()["money"]) == (
        503,
        "unavailable",
        "none",
    )
    assert (done.status_code, prompts) == (202, 1)
