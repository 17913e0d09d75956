"""Problems under the older names carry ``success`` and ``error``, whoever found them."""

from __future__ import annotations

import httpx
import pytest

from bot.http.api.older.table import OTP
from bot.http.api.route import Route
from bot.http.api.table import OLDER, V1
from tests.kit.older_desk import WALLET, OlderDesk, refused

by_route = pytest.mark.parametrize("route", OLDER, ids=lambda route: route.path)


@by_route
async def test_another_partners_id_is_refused(desk: OlderDesk, route: Route) -> None:
    query = {"partner_id": "SOKO"}
    if route.path == f"{OTP}/status":
        query["reference"] = "FL-7K3QF9"
    if route.reads:
        answer = await desk.get(route.path, **query)
    else:
        body = {name: value for name, value in BODIES[route.path].items() if value is not None}
        answer = await desk.post(route.path, **{**body, **query})
    refused(answer, 403, "forbidden_partner")


LOOK = {"transaction_id": "TU-7K3QF9"}
BODIES: dict[str, dict[str, object]] = {
    f"{WALLET}/topup/stk-push": {"amount": 10, "phone_number": "0712345678"},
    f"{WALLET}/topup/validate": LOOK,
    f"{WALLET}/stk-push/query": LOOK,
    f"{WALLET}/float/purchase": {
        "float_amount": 10,
        "otp_reference": "FL-7K3QF9",
        "otp_code": "123456",
    },
    f"{OTP}/generate": {"purpose": "float_purchase", "amount": 10},
    f"{OTP}/validate": {"reference": "FL-7K3QF9", "otp_code": "123456"},
    f"{OTP}/cleanup": {},
}


@by_route
async def test_a_key_is_needed(desk: OlderDesk, route: Route) -> None:
    answer = await desk.client.request(route.method, route.path)
    refused(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "ApiKey"


@by_route
async def test_unknown_members_are_refused(desk: OlderDesk, route: Route) -> None:
    if route.reads:
        answer = await desk.get(route.path, reference="FL-7K3QF9", amnt=1)
    else:
        answer = await desk.post(route.path, **BODIES[route.path], amnt=1)
    assert "" in [e["pointer"] for e in refused(answer, 400, "invalid_request")["errors"]]


@by_route
async def test_another_method_is_refused(desk: OlderDesk, route: Route) -> None:
    answer = await desk.ask("PUT", route.path, "DUKA")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == ("GET, HEAD" if route.reads else "POST")


@by_route
def test_each_counts_and_asks_as_the_call_it_stands_for(route: Route) -> None:
    (successor,) = [one for one in V1 if one.name == route.successor]
    assert (route.method, route.budget, route.scopes, route.asks_bank, route.status) == (
        successor.method,
        successor.budget,
        successor.scopes,
        successor.asks_bank,
        200,
    )
    assert successor.path.removeprefix("/v1") in (
        route.path.removeprefix(WALLET),
        route.path.replace(OTP, "/otp"),
    )


@pytest.mark.parametrize("path", ["/functions/v1/nothing", f"{WALLET}/nothing", f"{OTP}/balance"])
async def test_a_path_that_is_not_there_is_told_in_the_same_words(
    desk: OlderDesk, path: str
) -> None:
    refused(await desk.get(path), 404, "not_found")


async def test_too_large_a_body_is_told_in_the_same_words(desk: OlderDesk) -> None:
    answer = await desk.post(f"{OTP}/cleanup", partner_id="x" * 70_000)
    refused(answer, 413, "too_large")


async def test_the_new_names_keep_their_own_words(desk: OlderDesk) -> None:
    answer: httpx.Response = await desk.client.get("/v1/balance")
    assert answer.status_code == 401
    assert not {"success", "error"} & answer.json().keys()
