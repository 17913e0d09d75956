"""Every answer is as the OpenAPI document says: status, content type, headers and members."""

from __future__ import annotations

from typing import Any

import httpx

from bot.http.api import documents, openapi, problems
from bot.http.api.route import Route
from bot.http.api.table import ROUTES
from tests.kit.served_api import OWNER, ServedApi

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
        problem = documents.ProblemDocument.model_validate_json(answer.content, strict=True)
        assert problem.code in openapi.problem_codes(route)
        assert problem.status == answer.status_code == problems.KINDS[problem.code].status
        assert problem.request_id == answer.headers["x-request-id"]
    return answer


async def test_a_day_of_a_partners_system_is_answered_as_documented(api: ServedApi) -> None:
    http = api.http
    balance = check(await http.get("/v1/balance"))
    unchanged = {"if-none-match": balance.headers["etag"]}
    assert check(await http.get("/v1/balance", headers=unchanged)).status_code == 304

    asked: dict[str, Any] = {"amount": "1500.00", "phone_number": OWNER.msisdn}
    topup = check(await api.post("/v1/topup/stk-push", **asked, description="Order 1042"))
    assert topup.status_code == 202
    assert check(await api.post("/v1/topup/stk-push", **asked)).status_code == 409
    reference = topup.json()["reference"]
    await api.world.settle()
    check(await http.post("/v1/topup/validate", json={"reference": reference}))
    await api.pays()
    paid = check(await http.get(topup.headers["location"]))
    assert paid.json()["status"] == "paid"

    check(await http.post("/v1/quotes", json={"kind": "float", "amount": 1000}))
    float_ = {"purpose": "float_purchase", "amount": 1000}
    code = check(await http.post("/v1/otp/generate", json=float_)).json()
    code_is = {"otp_reference": code["reference"], "otp_code": await api.code()}
    check(await http.get("/v1/otp/status", params={"reference": code["reference"]}))
    wrong = "000000" if code_is["otp_code"] != "000000" else "000001"
    validated = {"reference": code["reference"], "otp_code": wrong}
    assert check(await http.post("/v1/otp/validate", json=validated)).json()["valid"] is False
    fees = {"transfer_fee": "999.00"}
    changed = check(await api.post("/v1/float/purchase", amount=1000, **code_is, **fees))
    assert changed.json()["code"] == "quote_changed"
    bought = check(await api.post("/v1/float/purchase", amount=1000, **code_is))
    assert bought.status_code == 202
    await api.world.advance(30)
    check(await http.get(f"/v1/operations/{code['reference']}"))
    check(await http.post("/v1/otp/cleanup"))

    page = check(await http.get("/v1/transactions", params={"limit": 1})).json()
    check(await http.get("/v1/transactions", params={"cursor": page["next_cursor"]}))
    events = check(await http.get("/v1/events")).json()["data"]
    check(await http.post(f"/v1/events/{events[0]['id']}/resend"))
    address = {"url": "https://duka.example/events", "types": ["topup.paid"]}
    endpoint = check(await http.post("/v1/webhook-endpoints", json=address)).json()["id"]
    check(await http.get("/v1/webhook-endpoints"))
    check(await http.post(f"/v1/webhook-endpoints/{endpoint}/test"))
    assert check(await http.delete(f"/v1/webhook-endpoints/{endpoint}")).status_code == 204


async def test_refusals_are_answered_as_documented(api: ServedApi) -> None:
    http, path = api.http, "/v1/topup/stk-push"
    asked = {"amount": 1500, "phone_number": "0712345678"}
    refused = [
        await api.stranger.get("/v1/balance"),
        await http.get("/v1/balance", params={"partner_id": "SOKO"}),
        await http.get("/v1/balance", params={"verbose": "yes"}),
        await http.get("/v1/operations/TU-222222"),
        await http.post(path, json=asked),
        await http.post(path, json=asked, headers={"idempotency-key": "short"}),
        await api.post(path, amount=15.5, phone_number="0712345678"),
        await http.post(path, content=b"{}", headers={"content-type": "text/plain"}),
        await http.post(path, content=b"x" * 70_000),
        await http.post(path, content=b"x" * 300_000),
        await api.post(
            "/v1/float/purchase", amount=1, otp_reference="FL-222222", otp_code="123456"
        ),
    ]
    statuses = [check(answer).status_code for answer in refused]
    assert statuses == [401, 403, 400, 404, 400, 400, 400, 415, 413, 413, 404]
