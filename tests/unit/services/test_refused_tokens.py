"""A money request refused for its token was not processed, so it is sent again exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from bot.simulation.clock import VirtualClock
from services.domain.bank import Accepted, FloatOrder, NotSent, Prompt, Ready, Rejected, Succeeded
from services.domain.money import Money
from services.domain.phone import Phone
from services.gateways.ncba.collections import NcbaCollections, NcbaCredentials
from services.gateways.openbanking.float_bank import OpenBankingCredentials, OpenBankingFloat

PROMPT = Prompt("TU-7K3QF9", Phone("254712345678"), Money(150_000))
ORDER = FloatOrder(
    "FL-7K3QF9", Phone("254712345678"), Money(150_000), "880100", datetime(2026, 3, 2, tzinfo=UTC)
)
NCBA = NcbaCredentials(
    base_url="http://bank.test/",
    username="hazina",
    password="invented",
    paybill_no="880100",
    account_number="774451",
)
OPENBANKING = OpenBankingCredentials(
    base_url="http://bank.test",
    subscription_key="invented",
    user_id="hazina",
    password="invented",
    debit_account="1007745101",
    agent_name="Hazina",
)


class OneTokenBank:
    """A bank that accepts one token at a time and counts the requests it accepts and refuses."""

    def __init__(self, refusal: object = None) -> None:
        self.tokens = 0
        self.admitted = 0
        self.refused = 0
        self.refusal = refusal or {"message": "Invalid access token", "status": "401"}
        self.gives_tokens = True
        self.always_refuses = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "token" in request.url.path:
            if not self.gives_tokens:
                return httpx.Response(503)
            self.tokens += 1
            text = f"token-{self.tokens}"
            return httpx.Response(200, json={"access_token": text, "accessToken": text})
        current = request.headers["Authorization"] == f"Bearer token-{self.tokens}"
        if self.always_refuses or not current:
            self.refused += 1
            return httpx.Response(401, json=self.refusal)
        self.admitted += 1
        said = {"TransactionID": "77", "StatusCode": "0", "StatusDescription": "sent"}
        return httpx.Response(200, json=said | {"ReferenceID": "R"})


def collections(bank: Callable[[httpx.Request], httpx.Response]) -> NcbaCollections:
    client = httpx.AsyncClient(transport=httpx.MockTransport(bank))
    return NcbaCollections(client, VirtualClock(), NCBA)


async def ready(gateway: NcbaCollections | OpenBankingFloat) -> Ready:
    token = await gateway.prepare()
    assert isinstance(token, Ready)
    return token


async def test_a_prompt_is_sent_though_another_was_prepared_meanwhile() -> None:
    bank = OneTokenBank()
    gateway = collections(bank)
    first, second = await ready(gateway), await ready(gateway)
    assert isinstance(await gateway.initiate(first, PROMPT), Accepted)
    assert isinstance(await gateway.initiate(second, PROMPT), Accepted)
    assert (bank.admitted, bank.refused, bank.tokens) == (2, 1, 2)


async def test_the_token_in_force_is_used_and_no_other_fetched() -> None:
    bank = OneTokenBank()
    gateway = collections(bank)
    many = [await ready(gateway) for _ in range(5)]
    answers = await asyncio.gather(*(gateway.initiate(one, PROMPT) for one in many))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert bank.tokens == 5


async def test_a_second_refusal_is_final_and_there_is_no_third_request() -> None:
    bank = OneTokenBank()
    gateway = collections(bank)
    first = await ready(gateway)
    bank.always_refuses = True
    assert isinstance(await gateway.initiate(first, PROMPT), Rejected)
    assert (bank.admitted, bank.refused) == (0, 2)


async def test_without_another_token_nothing_was_sent() -> None:
    bank = OneTokenBank()
    gateway = collections(bank)
    first = await ready(gateway)
    bank.gives_tokens, bank.tokens = False, 9
    assert isinstance(await gateway.initiate(first, PROMPT), NotSent)
    assert (bank.admitted, bank.refused) == (0, 1)


@pytest.mark.parametrize(
    "refusal",
    [
        {"message": "Invalid API credentials"},
        {"message": "Invalid token", "TransactionID": "77"},
        {"message": "Token expired", "data": {"reference": "FT26061AAAAA"}},
        {"message": "Error", "status": "401"},
        {"message": "Invalid token", "success": True},
        ["Invalid token"],
        "Invalid token",
    ],
)
async def test_any_other_401_is_not_sent_again(refusal: object) -> None:
    bank = OneTokenBank(refusal)
    gateway = collections(bank)
    first = await ready(gateway)
    bank.always_refuses = True
    answer = await gateway.initiate(first, PROMPT)
    assert not isinstance(answer, Accepted | NotSent)
    assert bank.refused == 1


@pytest.mark.parametrize(
    "refusal",
    [
        {"message": "Invalid access token"},
        {"error": "invalid_token", "error_description": "The access token expired"},
        {"message": "Token has expired", "requestId": "5f1c"},
        {
            "fault": {
                "faultstring": "Access Token expired",
                "detail": {"errorcode": "keymanagement"},
            }
        },
        {"Message": "JWT is not valid"},
    ],
)
async def test_a_token_is_refused_in_many_words(refusal: object) -> None:
    bank = OneTokenBank(refusal)
    gateway = collections(bank)
    first = await ready(gateway)
    await ready(gateway)
    assert isinstance(await gateway.initiate(first, PROMPT), Accepted)


async def test_float_is_bought_though_another_was_prepared_meanwhile() -> None:
    posts = 0

    def bank(request: httpx.Request) -> httpx.Response:
        nonlocal posts
        if "token" in request.url.path:
            return httpx.Response(200, json={"accessToken": f"token-{posts}"})
        posts += 1
        if posts == 1:
            return httpx.Response(401, json={"message": "Invalid token"})
        return httpx.Response(200, json={"resultCode": "000", "statusDescription": "Success"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(bank))
    gateway = OpenBankingFloat(client, VirtualClock(), OPENBANKING)
    assert isinstance(await gateway.purchase(await ready(gateway), ORDER), Succeeded)
    assert posts == 2
