"""How the gateway interprets the bank's answers to a prompt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from bot.simulation.clock import VirtualClock
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NotSent,
    Ready,
    Rejected,
    Unknown,
)
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.gateways.http_exchange import BODY_BYTES_MAX
from services.gateways.ncba.collections import NcbaCollections
from services.ports import Collections
from tests.kit.ncba_collections import CREDENTIALS, PHONE, PROMPT, CollectionsSetup
from tests.kit.virtual_time import advance, run, settle

Handler = Callable[[httpx.Request], httpx.Response]


async def answered(handler: Handler) -> tuple[InitiateAnswer, int]:
    """Call ``initiate`` once; return its answer and the number of POSTs it took."""
    posts = 0

    def count(request: httpx.Request) -> httpx.Response:
        nonlocal posts
        posts += 1
        return handler(request)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(count), follow_redirects=True
    ) as client:
        gateway = NcbaCollections(client, VirtualClock(), CREDENTIALS)
        return await gateway.initiate(Ready("token"), PROMPT), posts


def raising(error: type[httpx.HTTPError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("no")

    return handler


def test_the_gateway_is_the_port() -> None:
    port: Collections = NcbaCollections(httpx.AsyncClient(), VirtualClock(), CREDENTIALS)
    assert port


# --- Not sent -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol],
)
async def test_what_failed_before_the_bytes_left_was_not_sent(
    error: type[httpx.HTTPError],
) -> None:
    answer, posts = await answered(raising(error))
    assert isinstance(answer, NotSent)
    assert posts == 1


@pytest.mark.parametrize(
    "fault", ["refuse Invalid API credentials", "http 500", "html", "garbage", "timeout-before"]
)
async def test_without_a_token_nothing_was_sent(collections: CollectionsSetup, fault: str) -> None:
    collections.bank.arm(parse_fault(fault), "token")
    assert isinstance(await run(collections.clock, collections.gateway.prepare()), NotSent)
    assert collections.bank.calls("initiate") == 0


# --- Rejected -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
async def test_a_4xx_to_the_post_itself_is_final(
    collections: CollectionsSetup, status: int
) -> None:
    collections.bank.arm(parse_fault(f"http {status}"), "initiate")
    answer = await collections.initiate()
    assert answer == Rejected(Reason.BANK_REFUSED, f"HTTP {status} Error")
    assert collections.bank.calls("initiate") == 1
    assert collections.bank.calls("token") == 1  # a 401 here does not fetch another token


async def test_a_4xx_with_a_readable_reason_has_it() -> None:
    body = {"message": "The balance is insufficient"}
    answer, _ = await answered(lambda _: httpx.Response(400, json=body))
    assert answer == Rejected(Reason.INSUFFICIENT, "HTTP 400 The balance is insufficient")


async def test_a_401_speaks_of_us_not_of_the_prompt() -> None:
    answer, _ = await answered(lambda _: httpx.Response(401, json={"message": "Bad user"}))
    assert answer == Rejected(Reason.BANK_REFUSED, "HTTP 401 Bad user")


async def test_an_html_403_means_our_address_is_not_admitted_and_is_final() -> None:
    answer, _ = await answered(lambda _: httpx.Response(403, html="<html>Request Rejected</html>"))
    assert answer == Rejected(Reason.BANK_REFUSED, "HTTP 403")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("The balance is insufficient", Reason.INSUFFICIENT),
        ("System busy", Reason.BUSY),
        ("Invalid AccountNo", Reason.BANK_REFUSED),
    ],
)
async def test_a_refusal_in_band_is_rejected_with_its_reason(
    collections: CollectionsSetup, said: str, reason: Reason
) -> None:
    collections.bank.arm(parse_fault(f"refuse {said}"), "initiate")
    assert await collections.initiate() == Rejected(reason, said)


@pytest.mark.parametrize("code", ["1", 1, "2"])
async def test_a_refusal_code_may_be_a_number_or_text(code: str | int) -> None:
    body: dict[str, object] = {"TransactionID": None, "StatusCode": code, "StatusDescription": "No"}
    answer, _ = await answered(lambda _: httpx.Response(200, json=body))
    assert answer == Rejected(Reason.BANK_REFUSED, "No")


# --- Accepted -----------------------------------------------------------------------------------


async def test_a_transaction_id_means_accepted_not_paid(collections: CollectionsSetup) -> None:
    answer = await collections.initiate()
    assert isinstance(answer, Accepted)
    prompt = collections.bank.prompts.find(answer.bank_id)
    assert prompt is not None
    assert answer.bank_reference == prompt.reference_id
    assert (prompt.phone, prompt.amount_kes) == (PHONE, 1500)
    assert prompt.account_no == "774451#TU7K3QF9"


@pytest.mark.parametrize("code", ["0", 0])
async def test_ids_and_codes_may_be_numbers_and_unknown_fields_are_ignored(
    code: str | int,
) -> None:
    body: dict[str, object] = {
        "TransactionID": 77,
        "StatusCode": code,
        "StatusDescription": "Ok",
        "New": [],
    }
    answer, _ = await answered(lambda _: httpx.Response(200, json=body))
    assert answer == Accepted("77", None, "Ok")


async def test_the_request_is_as_the_guide_has_it(collections: CollectionsSetup) -> None:
    await collections.initiate()
    request = collections.requests[-1]
    assert str(request.url) == "http://bank.test/payments/api/v1/stk-push/initiate"
    assert request.headers["user-agent"] == CREDENTIALS.user_agent
    assert request.headers["authorization"].startswith("Bearer ")
    assert json.loads(request.content) == {
        "TelephoneNo": PHONE,
        "Amount": "1500",
        "PayBillNo": "880100",
        "AccountNo": "774451#TU7K3QF9",
        "Network": "Safaricom",
        "TransactionType": "CustomerPayBillOnline",
    }


# --- Unknown ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["http 500", "http 502", "http 302", "html", "garbage"])
async def test_a_broken_answer_is_unknown(collections: CollectionsSetup, fault: str) -> None:
    collections.bank.arm(parse_fault(fault), "initiate")
    assert isinstance(await collections.initiate(), Unknown)
    assert collections.bank.calls("initiate") == 1


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
async def test_a_reset_or_timeout_after_sending_is_unknown(error: type[httpx.HTTPError]) -> None:
    answer, posts = await answered(raising(error))
    assert isinstance(answer, Unknown)
    assert posts == 1


@pytest.mark.parametrize(
    "body",
    [
        {"TransactionID": None, "StatusCode": "0"},
        {"TransactionID": "", "StatusCode": "0"},
        {"StatusCode": "0"},
        {"TransactionID": "77", "StatusCode": "1"},
        {"TransactionID": "77", "StatusCode": ""},
        {"TransactionID": "77"},
        {"status": 200},
        {"TransactionID": {"id": 1}, "StatusCode": "1"},
        [],
        "text",
        None,
    ],
)
async def test_an_unknown_shape_is_unknown(body: object) -> None:
    answer, _ = await answered(lambda _: httpx.Response(200, json=body))
    assert isinstance(answer, Unknown)


async def test_a_gateways_timeout_is_unknown_whatever_its_number() -> None:
    answer, _ = await answered(lambda _: httpx.Response(408))
    assert isinstance(answer, Unknown)


@pytest.mark.parametrize("status", [400, 409, 429, 499])
async def test_a_4xx_without_a_reason_is_unknown(status: int) -> None:
    answer, _ = await answered(lambda _: httpx.Response(status, html="<html>no</html>"))
    assert isinstance(answer, Unknown)


async def test_a_redirect_is_not_followed_since_it_would_send_the_post_again() -> None:
    answer, posts = await answered(
        lambda request: httpx.Response(307, headers={"location": str(request.url)})
    )
    assert isinstance(answer, Unknown)
    assert posts == 1


async def test_an_endless_answer_is_cut_and_unknown() -> None:
    endless = b'{"TransactionID":"77","StatusCode":"0","x":"' + b"x" * BODY_BYTES_MAX + b'"}'
    answer, _ = await answered(lambda _: httpx.Response(200, content=endless))
    assert isinstance(answer, Unknown)


@pytest.mark.parametrize(
    ("fault", "prompts"), [("timeout-before", 0), ("timeout-after", 1), ("slow 20s", 1)]
)
async def test_a_timeout_is_unknown_whether_or_not_the_prompt_was_sent(
    collections: CollectionsSetup, fault: str, prompts: int
) -> None:
    collections.bank.arm(parse_fault(fault), "initiate")
    started = collections.clock.now()
    assert await collections.initiate() == Unknown("no answer within 20 s")
    assert (collections.clock.now() - started).total_seconds() == 20
    await settle()
    await advance(collections.clock, 0)
    collections.bank.set_handset(PHONE, Handset.PAYS)
    assert len(collections.bank.paid()) == prompts
    assert collections.bank.calls("initiate") == 1


async def test_a_slow_answer_within_the_limit_is_an_answer(collections: CollectionsSetup) -> None:
    collections.bank.arm(parse_fault("slow 19s"), "initiate")
    assert isinstance(await collections.initiate(), Accepted)


async def test_a_cancelled_call_raises_so_that_the_worker_can_say_unknown(
    collections: CollectionsSetup,
) -> None:
    collections.bank.arm(parse_fault("timeout-after"), "initiate")
    ready = await collections.gateway.prepare()
    assert isinstance(ready, Ready)
    call = asyncio.create_task(collections.gateway.initiate(ready, PROMPT))
    await settle()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert collections.bank.calls("initiate") == 1


async def test_an_amount_in_cents_never_leaves(collections: CollectionsSetup) -> None:
    ready = Ready("token")
    with pytest.raises(ValueError, match="part units"):
        await collections.gateway.initiate(ready, replace(PROMPT, amount=Money(150)))
    with pytest.raises(ValueError, match="KES"):
        await collections.gateway.initiate(ready, replace(PROMPT, amount=Money(100, "USD")))
    assert collections.bank.calls("initiate") == 0
