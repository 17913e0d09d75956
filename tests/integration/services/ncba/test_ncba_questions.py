"""Queries, tokens, QR codes and logs: what the gateway does besides sending prompts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx
import pytest
import structlog

from bot.simulation.clock import VirtualClock
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from services.domain.bank import (
    Accepted,
    NoAnswer,
    NotPaid,
    NotSent,
    Paid,
    QrPicture,
    Ready,
    Rejected,
    StillOpen,
)
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.gateways.ncba.collections import NcbaCollections
from services.gateways.ncba.collections_wire import PNG
from tests.kit.ncba_collections import CREDENTIALS, PHONE, PROMPT, CollectionsSetup
from tests.kit.virtual_time import advance, run, settle

# --- Query --------------------------------------------------------------------------------------


async def test_only_success_is_paid(collections: CollectionsSetup) -> None:
    bank_id = await collections.accepted()
    for _ in range(8):
        assert isinstance(await collections.gateway.query(bank_id), StillOpen)
    collections.bank.set_handset(PHONE, Handset.PAYS)
    assert await collections.gateway.query(bank_id) == Paid("Success")


@pytest.mark.parametrize(
    ("does", "reason", "final"),
    [
        (Handset.CANCELS, Reason.CANCELLED, True),
        (Handset.WRONG_PIN, Reason.WRONG_PIN, True),
        (Handset.NO_FUNDS, Reason.INSUFFICIENT, True),
        (Handset.OFF, Reason.UNREACHABLE, False),
    ],
)
async def test_a_payer_who_does_not_pay_is_told_apart(
    collections: CollectionsSetup, does: Handset, reason: Reason, final: bool
) -> None:
    collections.bank.set_handset(PHONE, does)
    answer = await collections.gateway.query(await collections.accepted())
    assert isinstance(answer, NotPaid)
    assert (answer.reason, answer.final) == (reason, final)


async def test_an_ignored_prompt_expires_softly_after_two_minutes(
    collections: CollectionsSetup,
) -> None:
    bank_id = await collections.accepted()
    await advance(collections.clock, 119)
    assert isinstance(await collections.gateway.query(bank_id), StillOpen)
    await advance(collections.clock, 1)
    expired = NotPaid(Reason.EXPIRED, False, "Transaction has expired")
    assert await collections.gateway.query(bank_id) == expired


async def test_an_id_the_bank_does_not_know_is_not_final(collections: CollectionsSetup) -> None:
    assert await collections.gateway.query("nothing") == StillOpen("Transaction not found")


@pytest.mark.parametrize(
    "fault",
    [
        "http 400",
        "http 404",
        "http 500",
        "http 201",
        "html",
        "garbage",
        "refuse No",
        "timeout-before",
        "timeout-after",
    ],
)
async def test_a_question_that_fails_is_no_answer(
    collections: CollectionsSetup, fault: str
) -> None:
    bank_id = await collections.accepted()
    collections.bank.set_handset(PHONE, Handset.PAYS)
    collections.bank.arm(parse_fault(fault), "query")
    assert isinstance(await run(collections.clock, collections.gateway.query(bank_id)), NoAnswer)
    assert collections.bank.reported_paid() == ()
    assert await collections.gateway.query(bank_id) == Paid("Success")
    assert collections.bank.reported_paid() == collections.bank.paid()


async def test_what_the_bank_says_wrongly_is_read_all_the_same(
    collections: CollectionsSetup,
) -> None:
    bank_id = await collections.accepted()
    collections.bank.set_handset(PHONE, Handset.PAYS)
    collections.bank.arm(parse_fault("says-failed Request cancelled by user"), "query")
    cancelled = NotPaid(Reason.CANCELLED, True, "Request cancelled by user")
    assert await collections.gateway.query(bank_id) == cancelled
    assert await collections.gateway.query(bank_id) == Paid("Success")


@pytest.mark.parametrize("status", ["success", "PAID", "", 200, None])
async def test_any_other_status_is_no_answer(status: object) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"access_token": "t", "expires_in": "18000"})
        return httpx.Response(200, json={"status": status, "description": "Success"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        gateway = NcbaCollections(client, VirtualClock(), CREDENTIALS)
        assert isinstance(await gateway.query("77"), NoAnswer)


# --- Tokens -------------------------------------------------------------------------------------


async def test_every_prepare_fetches_a_fresh_token(collections: CollectionsSetup) -> None:
    assert await collections.gateway.prepare() != await collections.gateway.prepare()
    assert collections.bank.calls("token") == 2


async def test_callers_at_the_same_moment_share_one_fetch(collections: CollectionsSetup) -> None:
    collections.bank.arm(parse_fault("slow 2s"), "token")
    calls = [asyncio.create_task(collections.gateway.prepare()) for _ in range(10)]
    await advance(collections.clock, 2)
    tokens = {await call for call in calls}
    assert len(tokens) == 1
    assert isinstance(tokens.pop(), Ready)
    assert collections.bank.calls("token") == 1


async def test_a_caller_that_goes_away_takes_no_token_from_the_others(
    collections: CollectionsSetup,
) -> None:
    collections.bank.arm(parse_fault("slow 2s"), "token")
    first = asyncio.create_task(collections.gateway.prepare())
    second = asyncio.create_task(collections.gateway.prepare())
    await settle()
    first.cancel()
    await advance(collections.clock, 2)
    assert isinstance(await second, Ready)
    assert first.cancelled()


async def test_questions_keep_their_token_until_300_s_before_its_end(
    collections: CollectionsSetup,
) -> None:
    await collections.gateway.query("x")
    await collections.gateway.query("x")
    assert collections.bank.calls("token") == 1
    await advance(collections.clock, 18_000 - 301)
    await collections.gateway.query("x")
    assert collections.bank.calls("token") == 1
    await advance(collections.clock, 1)
    await collections.gateway.query("x")
    assert collections.bank.calls("token") == 2


async def test_a_prepared_token_serves_questions_too(collections: CollectionsSetup) -> None:
    await collections.gateway.prepare()
    await collections.gateway.query("x")
    assert collections.bank.calls("token") == 1


async def test_a_question_that_meets_a_401_is_asked_again_once_with_a_new_token(
    collections: CollectionsSetup,
) -> None:
    bank_id = await collections.accepted()
    collections.bank.revoke_tokens()
    assert isinstance(await collections.gateway.query(bank_id), StillOpen)
    assert (collections.bank.calls("token"), collections.bank.calls("query")) == (2, 2)


async def test_a_second_401_is_no_answer(collections: CollectionsSetup) -> None:
    bank_id = await collections.accepted()
    collections.bank.arm(parse_fault("http 401"), "query", times=2)
    assert isinstance(await collections.gateway.query(bank_id), NoAnswer)
    assert (collections.bank.calls("token"), collections.bank.calls("query")) == (2, 2)


@pytest.mark.parametrize("status", [404, 405])
async def test_where_get_is_not_served_the_token_is_posted_for(
    collections: CollectionsSetup, status: int
) -> None:
    collections.bank.arm(parse_fault(f"http {status}"), "token")
    assert isinstance(await collections.gateway.prepare(), Ready)
    assert [request.method for request in collections.requests] == ["GET", "POST"]


async def test_a_token_that_cannot_stand_in_a_header_is_none() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": "a\nb"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        gateway = NcbaCollections(client, VirtualClock(), CREDENTIALS)
        assert isinstance(await gateway.prepare(), NotSent)


# --- Logs, secrets and settings -----------------------------------------------------------------


async def test_each_call_is_one_line_with_milliseconds_and_without_secrets(
    collections: CollectionsSetup,
) -> None:
    collections.bank.latency = lambda: 0.25
    with structlog.testing.capture_logs() as lines:
        ready = await run(collections.clock, collections.gateway.prepare())
        assert isinstance(ready, Ready)
        answer = await run(collections.clock, collections.gateway.initiate(ready, PROMPT))
        assert isinstance(answer, Accepted)
        collections.bank.arm(parse_fault(f"says-failed Not you, {PHONE}"), "query")
        await run(collections.clock, collections.gateway.query(answer.bank_id))
    assert [line["event"] for line in lines] == ["ncba token", "ncba initiate", "ncba query"]
    assert [line["ms"] for line in lines] == [250, 250, 250]
    assert lines[1]["phone"] == "2547*****678"
    written = str(lines)
    for secret in (PHONE, ready.token, CREDENTIALS.password):
        assert secret not in written


async def test_descriptions_are_cut_and_hold_no_phone_number(collections: CollectionsSetup) -> None:
    collections.bank.arm(parse_fault(f"refuse {PHONE} insufficient funds {'x' * 300}"), "initiate")
    answer = await collections.initiate()
    assert isinstance(answer, Rejected)
    assert answer.reason is Reason.INSUFFICIENT
    assert len(answer.description) == 200
    assert PHONE not in answer.description


def test_the_password_is_in_no_repr() -> None:
    assert "simulated" not in repr(CREDENTIALS)
    assert "token" in repr(Ready("s3cret"))
    assert "s3cret" not in repr(Ready("s3cret"))


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "bank.test"},
        {"base_url": "ftp://bank.test"},
        {"account_ref_template": "{account}#{phone}"},
        {"account_ref_template": "{}"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"not an http|may stand"):
        replace(CREDENTIALS, **change)  # type: ignore[arg-type]


def test_the_account_number_may_go_without_our_reference() -> None:
    bare = replace(CREDENTIALS, account_ref_template="{account}")
    assert bare.account_reference("TU-7K3QF9") == "774451"


def test_paths_are_appended_to_the_base() -> None:
    deep = replace(CREDENTIALS, base_url="https://bank.test/test/apigateway/")
    assert deep.url("/payments") == "https://bank.test/test/apigateway/payments"


# --- QR codes -----------------------------------------------------------------------------------


async def test_a_picture_is_made_for_the_till_the_reference_and_the_amount(
    collections: CollectionsSetup,
) -> None:
    answer = await run(collections.clock, collections.gateway.qr("TU-7K3QF9", Money.of("1500.00")))
    assert isinstance(answer, QrPicture)
    assert answer.png.startswith(PNG)
    assert json.loads(collections.requests[-1].content) == {
        "till": "PAY100D#TU7K3QF9",
        "amount": 1500,
    }


async def test_a_picture_survives_a_token_that_is_gone(collections: CollectionsSetup) -> None:
    await collections.accepted()
    collections.bank.revoke_tokens()
    answer = await run(collections.clock, collections.gateway.qr("TU-7K3QF9", Money.of("1500.00")))
    assert isinstance(answer, QrPicture)


@pytest.mark.parametrize(
    "fault", ["refuse No such till", "http 500", "html", "garbage", "timeout-before"]
)
async def test_there_may_be_no_picture(collections: CollectionsSetup, fault: str) -> None:
    collections.bank.arm(parse_fault(fault), "qr")
    answer = await run(collections.clock, collections.gateway.qr("TU-7K3QF9", Money.of("1500.00")))
    assert isinstance(answer, NoAnswer)


@pytest.mark.parametrize(
    "picture",
    ["", "data:image/png;base64,", "data:image/png;base64,@@", "data:image/png;base64,R0lGOD"],
)
async def test_what_is_no_png_is_no_picture(picture: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "token" in request.url.path:
            return httpx.Response(200, json={"access_token": "t", "expires_in": 18_000})
        return httpx.Response(200, json={"StatusCode": "0", "Base64QrCode": picture})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        gateway = NcbaCollections(client, VirtualClock(), CREDENTIALS)
        assert isinstance(await gateway.qr("TU-7K3QF9", Money.of("1.00")), NoAnswer)
