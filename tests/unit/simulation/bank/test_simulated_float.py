"""The simulated bank sells float once for each reference, and sends a notification of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Literal

import pytest

from bot.simulation.faults import parse_fault
from bot.simulation.ncba.openbanking_api import SIMULATED_FAILED_CODE
from services.domain.money import Money
from tests.kit.bank_caller import FLOAT, Caller
from tests.kit.virtual_time import advance, settle


@pytest.fixture
async def buyer(caller: Caller) -> Caller:
    await caller.refresh()
    return caller


async def test_a_float_token_has_no_expiry_and_is_counted_with_the_others(caller: Caller) -> None:
    answer = (await caller.ask_float_token()).json()
    assert set(answer) == {"accessToken", "tokenType"}
    assert caller.bank.calls("token") == 2
    assert answer["accessToken"] in caller.bank.issued_tokens()


async def test_an_armed_token_fault_meets_whichever_token_is_asked_for_next(
    caller: Caller,
) -> None:
    caller.bank.arm(parse_fault("refuse Locked"), "token", times=2)
    answers = [await caller.ask_float_token(), await caller.ask_token()]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert (await caller.ask_float_token()).status_code == 200


async def test_wrong_float_credentials_get_no_token(caller: Caller) -> None:
    assert (await caller.ask_float_token(password="wrong")).status_code == 401


async def test_without_the_subscription_key_nothing_is_answered(buyer: Caller) -> None:
    answer = await buyer.open_banking("FloatPurchase/floatpurchase", FLOAT, key="another")
    assert answer.status_code == 401
    assert buyer.bank.float_purchases() == ()


async def test_a_token_of_one_api_is_none_of_the_other(buyer: Caller) -> None:
    buyer.float_token, buyer.token = buyer.token, buyer.float_token
    assert (await buyer.buy()).status_code == 401
    assert (await buyer.initiate()).status_code == 401


async def test_revoked_tokens_buy_no_float(buyer: Caller) -> None:
    buyer.bank.revoke_tokens()
    assert (await buyer.buy()).status_code == 401


async def test_bought_float_is_in_the_books_and_told(buyer: Caller) -> None:
    answer = await buyer.buy()
    assert answer.json() == {"resultCode": "000", "statusDescription": "Success"}
    (purchase,) = buyer.bank.float_purchases()
    assert (purchase.reference, purchase.amount) == ("FL7K3QF9", Money(500_000))
    assert (purchase.short_code, purchase.reported_at) == ("600100", buyer.clock.now())


async def test_a_repeated_reference_is_refused_and_counted(buyer: Caller) -> None:
    await buyer.buy()
    answer = await buyer.buy()
    (purchase,) = buyer.bank.float_purchases()
    assert answer.json() == {
        "Response Code": 11,
        "Reference": f"DUPLICATE | {purchase.instrument_reference}",
        "Description": "ERROR",
    }
    assert buyer.bank.floats.order_counts["FL7K3QF9"] == 2


async def test_an_order_that_was_repeated_on_its_way_is_answered_as_a_duplicate(
    buyer: Caller,
) -> None:
    buyer.bank.arm(parse_fault("duplicate"), "float")
    assert "DUPLICATE" in (await buyer.buy()).json()["Reference"]
    (purchase,) = buyer.bank.float_purchases()
    assert (purchase.reported_at, buyer.bank.floats.order_counts["FL7K3QF9"]) == (None, 1)


async def test_float_that_is_only_accepted_is_bought_when_it_settles(buyer: Caller) -> None:
    buyer.bank.arm(parse_fault("only-accepted settles 2h"), "float")
    answer = await buyer.buy()
    assert answer.json().keys() >= {"hdrRefNo", "hdrTranId", "UnitId"}
    balance = buyer.bank.floats.balance()
    await advance(buyer.clock, 7_199)
    await buyer.refresh()
    assert (await buyer.status()).json()["Transaction"]["Status"] == "PENDING"
    assert buyer.bank.float_purchases() == ()
    await advance(buyer.clock, 1)
    (purchase,) = buyer.bank.float_purchases()
    assert purchase.reported_at is None
    await buyer.refresh()
    assert (await buyer.status()).json()["Transaction"]["Status"] == "PASSED"
    assert (purchase.booked_at, purchase.reported_at) == (buyer.clock.now(), buyer.clock.now())
    assert buyer.bank.floats.balance() == balance - Money(500_000)


async def test_float_that_is_only_accepted_may_fail(buyer: Caller) -> None:
    buyer.bank.arm(parse_fault("only-accepted fails 30m"), "float")
    await buyer.buy()
    assert (await buyer.status()).json()["Transaction"]["Status"] == "PENDING"
    await advance(buyer.clock, 1_800)
    assert (await buyer.status()).json()["resultCode"] == SIMULATED_FAILED_CODE
    assert buyer.bank.float_purchases() == ()


async def test_float_that_is_only_accepted_may_stay_so(buyer: Caller) -> None:
    buyer.bank.arm(parse_fault("only-accepted never"), "float")
    await buyer.buy()
    await advance(buyer.clock, 30 * 86_400)
    await buyer.refresh()
    assert (await buyer.status()).json()["Transaction"]["Status"] == "PENDING"
    assert buyer.bank.float_purchases() == ()


async def test_an_outage_ends_by_the_clock_and_counted_faults_come_first(buyer: Caller) -> None:
    await buyer.buy()
    buyer.bank.arm_for(parse_fault("http 500"), "status", timedelta(minutes=10))
    buyer.bank.arm(parse_fault("http 503"), "status")
    assert [(await buyer.status()).status_code for _ in range(3)] == [503, 500, 500]
    assert (await buyer.status()).json() == {"message": "Internal server error"}
    await advance(buyer.clock, 600)
    assert (await buyer.status()).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"reqCreditAmount": "5000.00", "reqDebitAmount": "5000.00"},
        {"reqDebitAmount": "4999"},
        {"reqCreditAmount": 5000},
        {"reqDebitAccountNumber": "1"},
        {"reqMobileNumber": "0712345678"},
        {"reqPaymentType": "Paybill"},
        {"reqTxnDate": "2026-03-02"},
        {"reqTransactionReferenceNo": ""},
        {"reqTransactionReferenceNo": "FL-7K3QF9"},
        {"senderCountry": "KE"},
    ],
)
async def test_what_the_collection_does_not_allow_is_refused_and_not_booked(
    buyer: Caller, changes: dict[str, object]
) -> None:
    answer = await buyer.buy(**changes)
    assert answer.status_code == 400
    assert answer.json()["resErrorCode"] == "SIM-REFUSED"
    assert buyer.bank.float_purchases() == ()


async def test_status_knows_what_is_booked_and_nothing_else(buyer: Caller) -> None:
    assert (await buyer.status()).json()["resultCode"] == "SIM-NOT-FOUND"
    await buyer.buy()
    said = (await buyer.status()).json()
    assert (said["Code"], said["Transaction"]["Status"]) == ("000", "PASSED")
    assert (await buyer.status("FL222222")).json()["resultCode"] == "SIM-NOT-FOUND"


async def test_float_whose_answer_never_came_is_told_by_the_status(buyer: Caller) -> None:
    buyer.bank.arm(parse_fault("timeout-after"), "float")
    call = asyncio.create_task(buyer.buy())
    await settle()
    call.cancel()
    await settle()
    (purchase,) = buyer.bank.float_purchases()
    assert purchase.reported_at is None
    await buyer.status()
    assert purchase.reported_at == buyer.clock.now()


@pytest.mark.parametrize("fault", ["refuse no", "http 500", "html", "garbage"])
async def test_an_answered_fault_books_no_float(buyer: Caller, fault: str) -> None:
    buyer.bank.arm(parse_fault(fault), "float")
    await buyer.buy()
    assert buyer.bank.float_purchases() == ()
    assert buyer.bank.calls("float") == 1


async def test_a_refusal_of_float_is_a_400_with_its_reason(buyer: Caller) -> None:
    buyer.bank.arm(parse_fault("refuse No such till"), "float")
    answer = await buyer.buy()
    assert answer.status_code == 400
    assert answer.json() == {"resErrorCode": "SIM-REFUSED", "resErrorDesc": "No such till"}


async def test_status_says_failed_with_the_simulated_code(buyer: Caller) -> None:
    await buyer.buy()
    buyer.bank.arm(parse_fault("says-failed Reversed"), "status")
    answer = (await buyer.status()).json()
    assert answer == {"resultCode": SIMULATED_FAILED_CODE, "statusDescription": "Reversed"}


@pytest.mark.parametrize(("moment", "had"), [("before", 0), ("after", 1)])
async def test_dying_around_a_purchase_leaves_it_untold(
    buyer: Caller, moment: Literal["before", "after"], had: int
) -> None:
    async def die(at: Literal["before", "after"], call: str) -> None:
        if (at, call) == (moment, "float"):
            await asyncio.get_running_loop().create_future()

    buyer.bank.probe = die
    call = asyncio.create_task(buyer.buy())
    await settle()
    call.cancel()
    await settle()
    assert buyer.bank.calls("float") == had
    assert [purchase.reported_at for purchase in buyer.bank.float_purchases()] == [None] * had


async def test_the_statement_has_the_days_purchases_with_running_balances(buyer: Caller) -> None:
    await buyer.buy()
    await advance(buyer.clock, 24 * 3600)
    buyer.float_token = (await buyer.ask_float_token()).json()["accessToken"]
    await buyer.buy(reqTransactionReferenceNo="FL222222")
    body = {"country": "Kenya", "accountNo": "1007745101"}
    days = {"fromDate": "03032026", "toDate": "03032026"}
    answer = await buyer.open_banking("AccountStatement/accountstatement", body | days)
    (line,) = answer.json()["AccountStatement"]
    assert line["ValueDate"] == "03032026"
    assert line["AdditionalReference"] == "FL222222"
    assert (line["DebitAmount"], line["RunningBalance"]) == ("5000.00", "999990000.00")
    details = await buyer.open_banking("AccountDetails/accountdetails", body)
    assert details.json()["balance"] == "999990000.00"


@pytest.mark.parametrize("day", ["31022026", "01010000", "2026-03-03", ""])
async def test_a_statement_of_a_day_that_is_none_is_refused(buyer: Caller, day: str) -> None:
    body = {"country": "Kenya", "accountNo": "1007745101", "fromDate": day, "toDate": "03032026"}
    answer = await buyer.open_banking("AccountStatement/accountstatement", body)
    assert answer.json()["resErrorDesc"] == "Invalid fromDate or toDate"
