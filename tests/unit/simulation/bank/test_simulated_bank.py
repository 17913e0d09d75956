"""The simulated bank lets in, asks handsets, keeps books and sells float."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Literal

import pytest

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.collections_api import AcceptedAccounts
from bot.simulation.ncba.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from bot.simulation.ncba.openbanking_api import SIMULATED_FAILED_CODE
from bot.simulation.ncba.prompts import PromptState
from tests.kit.bank_caller import BASE, FLOAT, PHONE, Caller
from tests.kit.virtual_time import advance, settle


@pytest.fixture
async def buyer(caller: Caller) -> Caller:
    await caller.refresh()
    return caller


# --- Who may ask --------------------------------------------------------------------------------


async def test_a_token_is_as_the_guide_has_it(caller: Caller) -> None:
    answer = (await caller.ask_token()).json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 18000
    assert answer["status"] == 200


async def test_wrong_credentials_get_no_token(caller: Caller) -> None:
    answer = await caller.ask_token(auth=("hazina", "wrong"))
    assert answer.status_code == 401
    assert answer.json() == {"message": "Invalid API credentials", "status": "401"}


@pytest.mark.parametrize("agent", ["python-httpx/0.28", "curl/8.1", "okhttp/4", ""])
async def test_a_common_librarys_name_is_refused_with_a_page(caller: Caller, agent: str) -> None:
    answer = await caller.ask_token(headers={"User-Agent": agent})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "text/html"


async def test_a_strict_bank_takes_no_account_number_but_the_registered_one(
    caller: Caller,
) -> None:
    caller.bank.accept_accounts(AcceptedAccounts.REGISTERED)
    for account_no in ("774451#TU7K3QF9", "774451#", "7744510", " 774451"):
        answer = (await caller.initiate(AccountNo=account_no)).json()
        assert (answer["StatusCode"], answer["TransactionID"]) == ("1", None)
        assert answer["StatusDescription"] == "Invalid AccountNo: wrong format"
    assert caller.bank.prompts.every() == ()
    assert (await caller.initiate(AccountNo="774451")).json()["StatusCode"] == "0"


async def test_an_unknown_or_ended_token_is_refused(caller: Caller) -> None:
    await advance(caller.clock, 18_000)
    assert (await caller.initiate()).status_code == 401
    caller.token = "made-up"
    assert (await caller.initiate()).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"TelephoneNo": "0712345678"},
        {"TelephoneNo": "712345678"},
        {"Amount": "0"},
        {"Amount": "1.50"},
        {"Amount": 100},
        {"PayBillNo": "1"},
        {"AccountNo": ""},
        {"Network": "Other"},
    ],
)
async def test_what_ncba_would_refuse_is_refused_in_band(
    caller: Caller, changes: dict[str, object]
) -> None:
    answer = await caller.initiate(**changes)
    assert answer.status_code == 200
    assert answer.json()["StatusCode"] == "1"
    assert answer.json()["TransactionID"] is None
    assert answer.json()["ReferenceID"] is None


async def test_a_path_it_does_not_have_is_404(caller: Caller) -> None:
    assert (await caller.client.get(f"{BASE}/nothing")).status_code == 404


# --- Handsets -----------------------------------------------------------------------------------


async def test_a_handset_acts_at_once_on_an_open_prompt(caller: Caller) -> None:
    transaction_id = await caller.prompt()
    assert (await caller.query(transaction_id))["status"] != "SUCCESS"
    caller.bank.set_handset(PHONE, Handset.PAYS)
    assert (await caller.query(transaction_id))["status"] == "SUCCESS"


async def test_a_handset_told_beforehand_acts_on_the_next_prompt_only(caller: Caller) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    await caller.prompt(TelephoneNo="254700000000")
    first, second = await caller.prompt(), await caller.prompt()
    assert (await caller.query(first))["status"] == "SUCCESS"
    assert (await caller.query(second))["status"] != "SUCCESS"


async def test_of_two_open_prompts_the_newest_is_on_top(caller: Caller) -> None:
    first, second = await caller.prompt(), await caller.prompt()
    caller.bank.set_handset(PHONE, Handset.PAYS)
    assert [prompt.transaction_id for prompt in caller.bank.paid()] == [second]
    caller.bank.set_handset(PHONE, Handset.PAYS)
    assert [prompt.transaction_id for prompt in caller.bank.paid()] == [second, first]


async def test_an_expired_prompt_can_no_longer_be_paid(caller: Caller) -> None:
    first = await caller.prompt()
    await advance(caller.clock, 120)
    caller.bank.set_handset(PHONE, Handset.PAYS)
    assert (await caller.query(first))["description"] == "Transaction has expired"
    assert (await caller.query(await caller.prompt()))["status"] == "SUCCESS"


async def test_the_latest_word_to_a_handset_counts(caller: Caller) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    caller.bank.set_handset(PHONE, Handset.IGNORES)
    transaction_id = await caller.prompt()
    await advance(caller.clock, 120)
    assert (await caller.query(transaction_id))["description"] == "Transaction has expired"


async def test_a_prompt_ends_once(caller: Caller) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    prompt = caller.bank.prompts.find(await caller.prompt())
    assert prompt is not None
    with pytest.raises(ValueError, match="has ended"):
        caller.bank.prompts.end(prompt, PromptState.CANCELLED)


# --- Books --------------------------------------------------------------------------------------


async def test_the_books_have_every_payment_with_its_receipt(caller: Caller) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    await caller.prompt(Amount="250")
    caller.bank.set_handset(PHONE, Handset.CANCELS)
    await caller.prompt(Amount="1000")
    caller.bank.set_handset(PHONE, Handset.PAYS)
    await caller.prompt(Amount="50", AccountNo="774451#TUOTHER")
    paid = caller.bank.paid()
    assert [prompt.amount_kes for prompt in paid] == [250, 50]
    assert caller.bank.settled_total() == 300
    assert caller.bank.settled_total("774451#TU7K3QF9") == 250
    receipts = {str(prompt.receipt) for prompt in paid}
    assert len(receipts) == 2
    assert all(len(receipt) == 10 and receipt.isalnum() for receipt in receipts)


async def test_a_payment_is_told_when_a_query_was_answered_in_full(caller: Caller) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    transaction_id = await caller.prompt()
    assert caller.bank.reported_paid() == ()
    await caller.query(transaction_id)
    assert caller.bank.reported_paid() == caller.bank.paid()
    assert caller.bank.paid()[0].reported_at == caller.clock.now()


def test_the_same_seed_makes_the_same_ids() -> None:
    def ids() -> list[str]:
        book = SimulatedBank(VirtualClock(), random.Random(7)).prompts
        return [book.send(PHONE, 1, "a").transaction_id for _ in range(3)]

    assert ids() == ids()


# --- Float --------------------------------------------------------------------------------------


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
    assert (purchase.reference, purchase.amount_kes) == ("FL7K3QF9", 5000)
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
    balance = buyer.bank.floats.balance_kes()
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
    assert buyer.bank.floats.balance_kes() == balance - 5_000


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
