"""Partners' own systems on the simulated stage: their keys, their waiting, their secrets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.scripts.api_call import ApiRequest
from bot.scripts.command import talk
from bot.scripts.directive import CrashPoint
from bot.scripts.given import read_given
from bot.scripts.head import ScriptHead
from bot.scripts.stage import CannotDo
from bot.simulation.stage import SimulatedStage
from tests.kit.parsed_scripts import AT

GIVEN = (
    "partner DUKA wallet 200.00",
    "person wanjiru of DUKA role owner phone 254712345678",
    "admin musa",
)
TOPUP = '{"amount":1500,"phone_number":"0712345678"}'


@pytest.fixture
async def stage() -> AsyncIterator[SimulatedStage]:
    stage = SimulatedStage("terminal")
    try:
        await stage.open(ScriptHead(), [read_given(AT, text) for text in GIVEN])
        yield stage
    finally:
        await stage.close()


def asks(target: str, caller: str | None = None, partner: str = "DUKA") -> ApiRequest:
    return ApiRequest(partner, "GET", target, caller, (), None)


def tops_up() -> ApiRequest:
    headers = (("Idempotency-Key", "order-1042-first-try"),)
    return ApiRequest("DUKA", "POST", "/v1/topup/stk-push", None, headers, TOPUP)


async def test_a_key_is_made_once_for_each_set_of_scopes(stage: SimulatedStage) -> None:
    for caller in (None, "READ", None, "READ", "READ,TOPUP", "nobody", "wrong"):
        await stage.call_api(asks("/v1/balance", caller))
    assert len(stage.api.keys) == 3
    await stage.restart()
    await stage.call_api(asks("/v1/balance"))
    assert (await stage.api_answer()).status == 200
    assert len(stage.api.keys) == 3


async def test_an_armed_crash_is_not_spent_on_making_a_key(stage: SimulatedStage) -> None:
    stage.arm_crash(CrashPoint("commit", None, 1))
    await stage.call_api(asks("/v1/balance"))
    assert (await stage.api_answer()).status == 200
    await stage.call_api(tops_up())
    assert (await stage.api_answer()).status == 503
    assert not stage.waiting_crashes()


async def test_a_partner_that_is_not_there_makes_no_call(stage: SimulatedStage) -> None:
    with pytest.raises(CannotDo, match="find a partner SOKO"):
        await stage.call_api(asks("/v1/balance", partner="SOKO"))


async def test_another_key_in_a_header_replaces_the_own(stage: SimulatedStage) -> None:
    headers = (("Authorization", "Bearer hz_222222_nothing"),)
    await stage.call_api(ApiRequest("DUKA", "GET", "/v1/balance", None, headers, None))
    assert (await stage.api_answer()).status == 401
    assert not stage.api.keys


async def test_what_waits_for_a_change_lets_the_next_line_go_on(stage: SimulatedStage) -> None:
    await stage.call_api(tops_up())
    reference = (await stage.api_answer()).headers["location"].rpartition("/")[2]
    await stage.call_api(asks(f"/v1/operations/{reference}?wait=20"))
    assert stage.api_answered() is None
    await stage.set_handset("254712345678", "pays")
    await stage.advance(10)
    answer = stage.api_answered()
    assert answer is not None
    assert '"status":"paid"' in answer.body


async def test_a_restart_answers_at_once_what_waits(stage: SimulatedStage) -> None:
    await stage.call_api(tops_up())
    reference = (await stage.api_answer()).headers["location"].rpartition("/")[2]
    began = time.monotonic()
    await stage.call_api(asks(f"/v1/operations/{reference}?wait=20"))
    await stage.restart()
    assert '"status":"pending"' in (await stage.api_answer()).body
    assert time.monotonic() - began < 5


async def test_a_stage_closes_while_a_call_waits() -> None:
    stage = SimulatedStage("terminal")
    await stage.open(ScriptHead(), [read_given(AT, text) for text in GIVEN])
    await stage.call_api(tops_up())
    reference = (await stage.api_answer()).headers["location"].rpartition("/")[2]
    await stage.call_api(asks(f"/v1/operations/{reference}?wait=20"))
    async with asyncio.timeout(10):
        await stage.close()


async def test_keys_and_webhook_secrets_are_searched_for(stage: SimulatedStage) -> None:
    await stage.call_api(
        ApiRequest(
            "DUKA",
            "POST",
            "/v1/webhook-endpoints",
            None,
            (),
            '{"url":"https://hooks.duka.example/in"}',
        )
    )
    answer = await stage.api_answer()
    assert not await stage.secrets()
    log = logging.getLogger("bot")
    log.info("called with %s", stage.api.keys[0])
    assert await stage.secrets() == ["API key 1 in the log"]
    log.info("made %s", answer.body)
    assert await stage.secrets() == ["API key 1 in the log", "webhook secret 1 in the log"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("@api SOKO GET /v1/balance", "there is no partner SOKO"),
        ("@api DUKA FETCH /v1/balance", "there is no method FETCH"),
        ("api 200", "no @api line stands before"),
    ],
)
async def test_a_line_that_cannot_be_read_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, why: str
) -> None:
    file = tmp_path / "play.chat"
    file.write_text("".join(f"given {text}\n" for text in GIVEN) + f"{line}\n")
    assert await talk([file], channel="terminal", stage_factory=SimulatedStage) == 2
    assert f"play.chat:4: {why}" in capsys.readouterr().out
