"""``hazina sim --serve``: whatever is wrong with a call of the controls is a 400 that says why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.kit.served_controls import ServedControls, error_of, served_controls

EVIL = "http://evil.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sim(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServedControls]:
    async with served_controls(tmp_path_factory.mktemp("world")) as sim:
        yield sim


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("handset", {"phone": "12", "does": "pays"}),
        ("handset", {"phone": 254712345678, "does": "pays"}),
        ("handset", {"phone": "0712345678", "does": "laughs"}),
        ("handset", {"phone": "0712345678"}),
        ("handset", {"phone": "0712345678", "does": "pays", "more": 1}),
        ("bank", {"call": "float", "fault": "yawns"}),
        ("bank", {"call": "qr", "fault": "html"}),
        ("bank", {"call": "token", "fault": "says-failed x"}),
        ("bank", {"call": "token", "fault": "html", "times": 0}),
        ("bank", {"call": "token", "fault": "html on float times 2 or"}),
        ("notify", {"phone": "0712345678", "amount": 0, "ref": "DUKA"}),
        ("notify", {"phone": "0712345678", "amount": 1.5, "ref": "DUKA"}),
        ("notify", {"phone": "0712345678", "amount": 5, "ref": ""}),
        ("advance", {"seconds": -1}),
        ("advance", {"seconds": 172_801}),
        ("advance", {"seconds": "60"}),
        ("advance", {"seconds": True}),
        ("advance", {}),
        ("crash", {"at": "lunch"}),
        ("crash", {"at": "before-call"}),
        ("crash", {"at": "commit 2"}),
        ("crash", {"nth": 2}),
        ("crash", {"at": "commit", "nth": 0}),
        ("say", {"person": "nobody", "text": "hi"}),
        ("say", {"person": "musa"}),
        ("say", {"person": "musa", "text": "hi", "tap": "yes"}),
        ("say", {"person": "musa", "tap": "no such option"}),
        ("key", {"partner": "NOBODY"}),
        ("key", {"partner": "DUKA", "scopes": ["ALL"]}),
        ("key", {"partner": "DUKA", "scopes": []}),
        ("key", {"partner": "DUKA", "days": 366}),
        ("webhook", {"answers": [99]}),
        ("webhook", {"answers": 200}),
        ("bank", {"call": "payout-token", "fault": "says-failed x"}),
        ("bank", {"call": "payout", "fault": "result round"}),
        ("bank", {"call": "payouts", "fault": "html"}),
        ("payee", {"phone": "12", "does": "pays"}),
        ("payee", {"phone": "0712345678", "does": "dances"}),
        ("payee", {"phone": "0712345678", "does": ""}),
        ("payee", {"phone": "0712345678", "does": "fails 0"}),
        ("payee", {"phone": "0712345678", "does": "late soon"}),
        ("payee", {"phone": "0712345678", "does": "pays " + "x" * 100}),
        ("payee", {"phone": "0712345678", "does": 8}),
        ("payee", {"phone": "0712345678"}),
        ("payee", {"phone": "0712345678", "does": "pays", "times": 2}),
        ("restart", {"now": True}),
        ("world", {}),
        ("nothing", {}),
    ],
)
async def test_a_wrong_post(sim: ServedControls, path: str, body: dict[str, Any]) -> None:
    assert await sim.fails(path, **body)


@pytest.mark.parametrize(
    "path",
    [
        "sms",
        "sms?phone=12",
        "sms?phone=0712345678&phone=0712345678",
        "mail?box=1",
        "world?x=1",
        "restart",
        "receive",
        "",
        "world/",
        "nothing",
    ],
)
async def test_a_wrong_get(sim: ServedControls, path: str) -> None:
    assert error_of(await sim.client.get(f"/sim/{path}"))


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'"x"', b"\xff", b'{"seconds": NaN}', b"[" * 60_000, b"1" * 5_000]
)
async def test_a_body_that_is_no_json_object(sim: ServedControls, content: bytes) -> None:
    assert error_of(await sim.client.post("/sim/advance", content=content))


@pytest.mark.parametrize("size", [64 * 1024 + 1, 300 * 1024])
async def test_a_body_that_is_too_large(sim: ServedControls, size: int) -> None:
    assert error_of(await sim.client.post("/sim/restart", content=b" " * size))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost:80:80"},
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
@pytest.mark.parametrize("path", ["world", "nothing", "webhook", "receive"])
async def test_callers_from_elsewhere(
    sim: ServedControls, path: str, headers: dict[str, str]
) -> None:
    method = "POST" if path == "receive" else "GET"
    assert error_of(await sim.client.request(method, f"/sim/{path}", headers=headers))
    assert (await sim.get("webhook"))["received"] == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8420", "LOCALHOST:8420"])
async def test_names_of_this_machine(sim: ServedControls, host: str) -> None:
    headers = {"host": host, "origin": f"http://{host}"}
    assert (await sim.client.get("/sim/calls", headers=headers)).status_code == 200


async def test_paths_of_the_product_answer_for_themselves(sim: ServedControls) -> None:
    answers: list[httpx.Response] = [
        await sim.client.get(path) for path in ("/healthz", "/simulated", "/pages")
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 404]
