"""How the gateway interprets the bank's answers to a float purchase."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from bot.simulation.clock import VirtualClock
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.openbanking_api import PREFIX
from services.domain.bank import (
    NotSent,
    Ready,
    Rejected,
    Succeeded,
    Unknown,
)
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.gateways.openbanking.float_bank import (
    OpenBankingFloat,
)
from services.ports import FloatBank
from tests.kit.openbanking import CREDENTIALS, ORDER, PHONE, FloatBankSetup, OddBank, says
from tests.kit.virtual_time import advance, run, settle


def raises(error: type[httpx.HTTPError]) -> OddBank:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("no")

    return OddBank(handler)


def test_the_gateway_is_the_port() -> None:
    port: FloatBank = OpenBankingFloat(httpx.AsyncClient(), VirtualClock(), CREDENTIALS)
    assert port


# --- Not sent -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol],
)
async def test_what_failed_before_the_bytes_left_was_not_sent(
    error: type[httpx.HTTPError],
) -> None:
    bank = raises(error)
    assert isinstance(await bank.purchase(), NotSent)
    assert bank.asked == ["floatpurchase"]


@pytest.mark.parametrize(
    "fault", ["refuse Invalid credentials", "http 500", "html", "garbage", "timeout-before"]
)
async def test_without_a_token_nothing_was_sent(float_bank: FloatBankSetup, fault: str) -> None:
    float_bank.bank.arm(parse_fault(fault), "token")
    assert isinstance(await run(float_bank.clock, float_bank.gateway.prepare()), NotSent)
    assert float_bank.bank.calls("float") == 0


async def test_an_amount_in_cents_never_leaves(float_bank: FloatBankSetup) -> None:
    with pytest.raises(ValueError, match="part units"):
        await float_bank.gateway.purchase(Ready("t"), replace(ORDER, amount=Money(150)))
    with pytest.raises(ValueError, match="KES"):
        await float_bank.gateway.purchase(Ready("t"), replace(ORDER, amount=Money(100, "USD")))
    assert float_bank.bank.calls("float") == 0


# --- Rejected -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
async def test_a_4xx_with_a_reason_is_final(float_bank: FloatBankSetup, status: int) -> None:
    float_bank.bank.arm(parse_fault(f"http {status}"), "float")
    assert await float_bank.purchase() == Rejected(Reason.BANK_REFUSED, f"HTTP {status} Error")
    assert float_bank.bank.calls("float") == 1
    assert float_bank.bank.calls("token") == 1  # a 401 here does not fetch another token


async def test_a_refusal_has_its_code_and_words(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("refuse Insufficient funds"), "float")
    said = "HTTP 400 code SIM-REFUSED: Insufficient funds"
    # The bank's account lacks the money, not the payer's, so this is never M-PESA's "insufficient".
    assert await float_bank.purchase() == Rejected(Reason.BANK_REFUSED, said)
    assert float_bank.bank.float_purchases() == ()


async def test_a_403_with_a_page_means_our_address_is_not_admitted_and_is_final() -> None:
    bank = OddBank(lambda _: httpx.Response(403, html="<html>Request Rejected</html>"))
    assert await bank.purchase() == Rejected(Reason.BANK_REFUSED, "HTTP 403")


async def test_a_known_refusal_code_in_a_200_is_final() -> None:
    bank = says({"resultCode": "R1", "statusDescription": "No such till"})
    assert await bank.purchase() == Rejected(Reason.BANK_REFUSED, "code R1: No such till")


async def test_a_known_refusal_code_in_a_400_needs_no_words() -> None:
    answer = await says({"resErrorCode": "R1"}, status=400).purchase()
    assert answer == Rejected(Reason.BANK_REFUSED, "HTTP 400 code R1")


# --- Succeeded ----------------------------------------------------------------------------------


async def test_a_known_success_code_is_a_purchase_in_the_banks_books(
    float_bank: FloatBankSetup,
) -> None:
    assert await float_bank.purchase() == Succeeded(None, "Success")
    (purchase,) = float_bank.bank.float_purchases()
    assert (purchase.reference, purchase.amount) == ("FL7K3QF9", Money(5_000_000))
    assert purchase.short_code == "600100"
    assert purchase.reported_at == float_bank.clock.now()


@pytest.mark.parametrize(
    "body",
    [
        {"resultCode": "000", "statusDescription": "Ok"},
        {"resErrorCode": "000", "resErrorDesc": "Ok", "New": []},
        {"resultCode": "000", "resErrorCode": "000", "message": "Ok"},
        {"resultCode": "000", "resErrorCode": None, "succeeded": True, "message": "Ok"},
        {"succeeded": True, "message": "Ok", "data": {"resultCode": "000"}},
    ],
)
async def test_the_code_is_found_in_every_shape_seen(body: dict[str, object]) -> None:
    assert await says(body).purchase() == Succeeded(None, "Ok")


@pytest.mark.parametrize(
    ("body", "bank_id"),
    [
        ({"resultCode": "000", "transactionId": "FT26061XYZ"}, "FT26061XYZ"),
        ({"resultCode": "000", "transactionId": 77}, "77"),
        ({"resultCode": "000", "data": {"transactionId": "FT1"}}, "FT1"),
        ({"resultCode": "000", "transactionId": "FT1", "data": {"transactionId": "FT2"}}, None),
        ({"resultCode": "000", "id": "FT1"}, None),
    ],
)
async def test_the_banks_id_is_taken_only_where_it_is_plainly_one(
    body: dict[str, object], bank_id: str | None
) -> None:
    answer = await says(body).purchase()
    assert isinstance(answer, Succeeded)
    assert answer.bank_id == bank_id


async def test_the_request_is_as_ncbas_collection_has_it(float_bank: FloatBankSetup) -> None:
    await float_bank.purchase()
    request = float_bank.requests[-1]
    assert str(request.url) == f"http://bank.test{PREFIX}/api/v1/FloatPurchase/floatpurchase"
    assert request.headers["user-agent"] == CREDENTIALS.user_agent
    assert request.headers["ocp-apim-subscription-key"] == CREDENTIALS.subscription_key
    assert request.headers["authorization"].startswith("Bearer ")
    assert json.loads(request.content) == {
        "reqAgentName": "Hazina",
        "reqCreditAmount": "50000",
        "reqCustomerReference": "FL7K3QF9",
        "reqDealReference": "FL7K3QF9",
        "reqDebitAccountNumber": "1007745101",
        "reqDebitAcCurrency": "KES",
        "reqDebitAmount": "50000",
        "reqMobileNumber": PHONE,
        "reqPayBillTillNo": "600100",
        "reqPaymentDescription": "B2C float FL7K3QF9",
        "reqPaymentType": "FloatPurchase",
        "reqToAccountName": "Hazina",
        "reqTransactionReferenceNo": "FL7K3QF9",
        "reqTxnDate": "20260302",
        "senderCountry": "Kenya",
    }


# --- Unknown ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["http 500", "http 502", "http 302", "html", "garbage"])
async def test_a_broken_answer_is_unknown(float_bank: FloatBankSetup, fault: str) -> None:
    float_bank.bank.arm(parse_fault(fault), "float")
    assert isinstance(await float_bank.purchase(), Unknown)
    assert float_bank.bank.calls("float") == 1


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
async def test_a_reset_or_timeout_after_sending_is_unknown(error: type[httpx.HTTPError]) -> None:
    bank = raises(error)
    assert isinstance(await bank.purchase(), Unknown)
    assert bank.asked == ["floatpurchase"]


@pytest.mark.parametrize("code", ["001", "0", "00", "0000", 0, ""])
async def test_a_code_in_no_table_is_unknown_and_is_shown(code: str | int) -> None:
    answer = await says({"resultCode": code, "statusDescription": "Hm"}).purchase()
    assert answer == Unknown(f"not known to be final: code {code}: Hm")


@pytest.mark.parametrize("succeeded", [True, False])
async def test_succeeded_without_a_code_is_unknown(succeeded: bool) -> None:
    answer = await says({"succeeded": succeeded, "message": "Ok", "data": None}).purchase()
    assert answer == Unknown("not known to be final: Ok")


@pytest.mark.parametrize(
    "body",
    [
        {"resultCode": "000", "resErrorCode": "R1"},
        {"resultCode": "000", "resErrorCode": "777"},
        {"resultCode": "000", "resErrorCode": ""},
        {"resultCode": "000", "succeeded": False},
        {"resultCode": "R1", "succeeded": True},
        {"resultCode": "000", "data": {"resultCode": "R1"}},
        {"resultCode": "000", "data": {"succeeded": False}},
    ],
)
async def test_two_shapes_that_disagree_are_unknown(body: dict[str, object]) -> None:
    assert isinstance(await says(body).purchase(), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ResultCode": "000"},
        {"code": "000"},
        {"resultCode": ["000"]},
        {"resultCode": "000", "succeeded": "true"},
        {"resultCode": "000", "data": {"resultCode": {}}},
        [{"resultCode": "000"}],
        "000",
        None,
    ],
)
async def test_an_unknown_shape_is_unknown(body: object) -> None:
    assert await says(body).purchase() == Unknown("HTTP 200 of unknown shape")


async def test_json_that_was_cut_is_unknown() -> None:
    bank = OddBank(lambda _: httpx.Response(200, content=b'{"resultCode":"000","statusDesc'))
    assert isinstance(await bank.purchase(), Unknown)


async def test_a_server_error_that_says_success_is_unknown() -> None:
    assert isinstance(await says({"resultCode": "000"}, status=500).purchase(), Unknown)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("body", [{"resultCode": "000"}, {"succeeded": True, "message": "Ok"}])
async def test_a_refusal_that_says_success_is_unknown(status: int, body: dict[str, object]) -> None:
    assert isinstance(await says(body, status=status).purchase(), Unknown)


@pytest.mark.parametrize("status", [400, 409, 429, 499])
async def test_a_4xx_without_a_reason_is_unknown(status: int) -> None:
    bank = OddBank(lambda _: httpx.Response(status, html="<html>no</html>"))
    assert isinstance(await bank.purchase(), Unknown)


async def test_a_gateways_timeout_is_unknown_whatever_its_number() -> None:
    assert isinstance(await says({"message": "Timed out"}, status=408).purchase(), Unknown)


async def test_a_redirect_is_not_followed_since_it_would_send_the_post_again() -> None:
    bank = OddBank(lambda request: httpx.Response(307, headers={"location": str(request.url)}))
    assert isinstance(await bank.purchase(), Unknown)
    assert bank.asked == ["floatpurchase"]


@pytest.mark.parametrize(
    ("fault", "booked"), [("timeout-before", 0), ("timeout-after", 1), ("slow 1m", 1)]
)
async def test_a_timeout_is_unknown_whether_or_not_it_was_bought(
    float_bank: FloatBankSetup, fault: str, booked: int
) -> None:
    float_bank.bank.arm(parse_fault(fault), "float")
    started = float_bank.clock.now()
    assert await float_bank.purchase() == Unknown("no answer within 60 s")
    assert (float_bank.clock.now() - started).total_seconds() == 60
    await advance(float_bank.clock, 0)
    assert len(float_bank.bank.float_purchases()) == booked
    assert all(purchase.reported_at is None for purchase in float_bank.bank.float_purchases())
    assert float_bank.bank.calls("float") == 1


async def test_a_slow_answer_within_the_limit_is_an_answer(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("slow 59s"), "float")
    assert isinstance(await float_bank.purchase(), Succeeded)


async def test_a_cancelled_call_raises_so_that_the_worker_can_say_unknown(
    float_bank: FloatBankSetup,
) -> None:
    float_bank.bank.arm(parse_fault("timeout-after"), "float")
    ready = await float_bank.gateway.prepare()
    assert isinstance(ready, Ready)
    call = asyncio.create_task(float_bank.gateway.purchase(ready, ORDER))
    await settle()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert float_bank.bank.calls("float") == 1
