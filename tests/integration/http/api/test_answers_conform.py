"""Every answer is as the OpenAPI document says: status, content type, headers and members."""

from __future__ import annotations

from typing import Any

import httpx

from bot.http.api import documents, openapi, problems
from bot.http.api.route import Route
from bot.http.api.table import ROUTES
from bot.simulation.ncba.handsets import Handset
from tests.kit.api_caller import OWNER, ApiCaller

DOCUMENT = openapi.build(ROUTES)


def route_of(answer: httpx.Response) -> Route:
    request = answer.request
    found = [
        route
        for route in ROUTES
        if route.method == request.method and route.pattern.fullmatch(request.url.path)
    ]
    assert len(found) == 1
    return found[0]


def check(answer: httpx.Response) -> httpx.Response:
    route = route_of(answer)
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    declared = operation["responses"][str(answer.status_code)]
    if "$ref" in declared:
        declared = DOCUMENT["components"]["responses"][declared["$ref"].rpartition("/")[2]]
    for name in declared["headers"]:
        if DOCUMENT["components"]["headers"][name].get("required"):
            assert name in answer.headers
    if answer.is_success:
        assert {"ratelimit", "ratelimit-policy"} <= answer.headers.keys()
    if not answer.content:
        assert "content" not in declared
        return answer
    assert [answer.headers["content-type"]] == list(declared["content"])
    if answer.is_success:
        assert route.answer is not None
        route.answer.model_validate_json(answer.content)
    else:
        problem = route.problem.model_validate_json(answer.content, strict=True)
        assert isinstance(problem, documents.ProblemDocument)
        assert problem.code in openapi.problem_codes(route)
        assert problem.status == answer.status_code == problems.KINDS[problem.code].status
        assert problem.request_id == answer.headers["x-request-id"]
    return answer


async def test_a_day_of_a_partners_system_is_answered_as_documented(caller: ApiCaller) -> None:
    async def get(path: str, **headers: str) -> httpx.Response:
        return check(await caller.get(path, **headers))

    async def post(path: str, body: object = None) -> httpx.Response:
        return check(await caller.post(path, body))

    balance = await get("/v1/balance")
    unchanged = await get("/v1/balance", **{"if-none-match": balance.headers["etag"]})
    assert unchanged.status_code == 304

    asked = {"amount": "1500.00", "phone_number": OWNER.msisdn}
    topup = await post("/v1/topup/stk-push", {**asked, "description": "Order 1042"})
    assert topup.status_code == 202
    assert (await post("/v1/topup/stk-push", asked)).status_code == 409
    await post("/v1/topup/validate", {"reference": topup.json()["reference"]})
    caller.world.bank.set_handset(OWNER.msisdn, Handset("pays"))
    await caller.world.advance(10)
    assert (await get(topup.headers["location"])).json()["status"] == "paid"

    await post("/v1/quotes", {"kind": "float", "amount": 1000})
    quoted = {"purpose": "float_purchase", "amount": 1000}
    reference = (await post("/v1/otp/generate", quoted)).json()["reference"]
    code = caller.code()
    await get(f"/v1/otp/status?reference={reference}")
    wrong = "000000" if code != "000000" else "000001"
    checked = await post("/v1/otp/validate", {"reference": reference, "otp_code": wrong})
    assert checked.json()["valid"] is False
    purchase = {"amount": 1000, "otp_reference": reference, "otp_code": code}
    changed = await post("/v1/float/purchase", {**purchase, "transfer_fee": "999.00"})
    assert changed.json()["code"] == "quote_changed"
    assert (await post("/v1/float/purchase", purchase)).status_code == 202
    await caller.world.advance(30)
    await get(f"/v1/operations/{reference}")
    await post("/v1/otp/cleanup")

    page = (await get("/v1/transactions?limit=1")).json()
    await get(f"/v1/transactions?cursor={page['next_cursor']}")
    events = (await get("/v1/events")).json()["data"]
    await post(f"/v1/events/{events[0]['id']}/resend")
    address = {"url": "https://duka.example/events", "types": ["topup.paid"]}
    endpoint = (await post("/v1/webhook-endpoints", address)).json()["id"]
    await get("/v1/webhook-endpoints")
    await post(f"/v1/webhook-endpoints/{endpoint}/test")
    removed = check(await caller.send("DELETE", f"/v1/webhook-endpoints/{endpoint}"))
    assert removed.status_code == 204


async def test_refusals_are_answered_as_documented(caller: ApiCaller) -> None:
    path = "/v1/topup/stk-push"
    asked = {"amount": 1500, "phone_number": "0712345678"}
    code = {"otp_reference": "FL-222222", "otp_code": "123456"}

    async def post(**more: Any) -> httpx.Response:
        return await caller.send("POST", path, **more)

    refused = [
        await caller.send("GET", "/v1/balance", partner=None),
        await caller.get("/v1/balance?partner_id=SOKO"),
        await caller.get("/v1/balance?verbose=yes"),
        await caller.get("/v1/operations/TU-222222"),
        await post(json=asked),
        await post(json=asked, headers={"idempotency-key": "short"}),
        await caller.post(path, {**asked, "amount": 15.5}),
        await post(content=b"{}", headers={"content-type": "text/plain"}),
        await post(content=b"x" * 70_000),
        await caller.post("/v1/float/purchase", {"amount": 1, **code}),
    ]
    statuses = [check(answer).status_code for answer in refused]
    assert statuses == [401, 403, 400, 404, 400, 400, 400, 415, 413, 404]
