"""Tokens of the simulated Daraja: one is valid at a time (facts: Daraja 1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.daraja_caller import BASE, DarajaCaller


async def test_a_token_lives_an_hour_less_a_second_which_is_said_as_text(
    caller: DarajaCaller,
) -> None:
    assert (await caller.ask_token()).json()["expires_in"] == "3599"


async def test_a_new_token_ends_the_one_before(caller: DarajaCaller) -> None:
    first = caller.token
    await caller.log_in()
    assert (await caller.pay()).status_code == 200
    caller.token = first
    answer = await caller.pay(OriginatorConversationID="HZ2")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "404.001.03")


async def test_a_token_ends_after_its_hour(caller: DarajaCaller) -> None:
    await caller.wait(3_598)
    assert (await caller.pay()).status_code == 200
    await caller.wait(1)
    assert (await caller.pay(OriginatorConversationID="HZ2")).status_code == 404


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"auth": ("simulated-consumer-key", "no")}, "400.008.01", "Invalid Authentication passed"),
        ({"auth": None}, "400.008.01", "Invalid Authentication passed"),
        ({"params": {"grant_type": "password"}}, "400.008.02", "Invalid grant type passed"),
        ({"params": {}}, "400.008.02", "Invalid grant type passed"),
    ],
)
async def test_who_asks_wrongly_gets_no_token(
    caller: DarajaCaller, options: dict[str, Any], code: str, text: str
) -> None:
    answer = await caller.ask_token(**options)
    assert answer.status_code == 400
    assert (answer.json()["errorCode"], answer.json()["errorMessage"]) == (code, text)
    assert answer.json()["requestId"]


async def test_a_token_is_asked_for_by_get(caller: DarajaCaller) -> None:
    answer = await caller.client.post(f"{BASE}/oauth/v1/generate")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "404.001.04")


async def test_each_api_has_its_own_words_for_a_wrong_token(caller: DarajaCaller) -> None:
    caller.token = "wrong"
    answers = [await caller.pay(), await caller.ask_status(), await caller.ask_balance()]
    assert [(one.status_code, one.json()["errorCode"]) for one in answers] == [
        (404, "404.001.03"),
        (400, "400.003.01"),
        (401, "401.002.01"),
    ]
    assert "wrong" in answers[2].json()["errorMessage"]
    assert caller.daraja.payments() == ()


async def test_every_token_is_kept_for_a_search(caller: DarajaCaller) -> None:
    await caller.log_in()
    issued = caller.daraja.issued_tokens()
    assert len(set(issued)) == 2
    assert issued[-1] == caller.token
