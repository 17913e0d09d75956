"""The simulated bank authenticates callers, prompts handsets and keeps its books."""

from __future__ import annotations

import random

import pytest

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.collections_api import AcceptedAccounts
from bot.simulation.ncba.handsets import Handset
from bot.simulation.ncba.prompts import PromptState
from tests.kit.bank_caller import BASE, PHONE, Caller
from tests.kit.virtual_time import advance

# --- Authentication -----------------------------------------------------------------------------


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
