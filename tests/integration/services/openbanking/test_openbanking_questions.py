"""Status, tokens, account and logs: what the gateway does besides purchases."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
import structlog

from bot.simulation.faults import parse_fault
from bot.simulation.ncba.openbanking_api import SIMULATED_FAILED_CODE
from services.domain.bank import (
    Failed,
    NoAnswer,
    NotSent,
    Ready,
    StillOpen,
    Succeeded,
)
from services.domain.money import Money
from services.gateways.openbanking.float_bank import (
    STATEMENT_BYTES_MAX,
    OpenBankingFloat,
)
from services.gateways.openbanking.statement_wire import Statement, StatementLine, Unreadable
from tests.kit.openbanking import CREDENTIALS, ORDER, PHONE, FloatBankSetup, OddBank, says
from tests.kit.virtual_time import advance, run

# --- Status -------------------------------------------------------------------------------------


async def test_what_is_in_the_banks_books_was_bought(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("timeout-after"), "float")
    await float_bank.purchase()
    assert await float_bank.status() == Succeeded(None, "Success")
    (purchase,) = float_bank.bank.float_purchases()
    assert purchase.reported_at == float_bank.clock.now()


async def test_the_question_carries_our_reference_as_the_bank_has_it(
    float_bank: FloatBankSetup,
) -> None:
    await float_bank.status()
    body = json.loads(float_bank.requests[-1].content)
    assert body == {"country": "Kenya", "transactionId": "FL7K3QF9"}


async def test_what_the_bank_does_not_find_is_not_final(float_bank: FloatBankSetup) -> None:
    assert await float_bank.status() == StillOpen("code SIM-NOT-FOUND: Transaction not found")


async def test_only_a_known_failed_code_is_final(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("says-failed Till closed"), "status")
    assert await float_bank.status() == Failed(f"code {SIMULATED_FAILED_CODE}: Till closed")


@pytest.mark.parametrize(
    "body",
    [
        {"resultCode": "R1"},  # a refusal code of the purchase means nothing in a query
        {"succeeded": False, "message": "Failed"},
        {"resultCode": "000", "succeeded": False},
        {"resultCode": "000", "resErrorCode": SIMULATED_FAILED_CODE},
    ],
)
async def test_any_other_status_is_still_open(body: dict[str, object]) -> None:
    assert isinstance(await says(body).status(), StillOpen)


async def test_until_ncba_says_what_000_means_it_may_be_set_to_mean_nothing(
    float_bank: FloatBankSetup,
) -> None:
    await float_bank.purchase()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(float_bank.bank)) as client:
        wary = replace(CREDENTIALS, bought_codes=frozenset())
        gateway = OpenBankingFloat(client, float_bank.clock, wary)
        assert await gateway.status(ORDER.reference) == StillOpen("code 000: Success")


@pytest.mark.parametrize(
    "fault",
    ["http 400", "http 404", "http 500", "html", "garbage", "refuse No", "timeout-after"],
)
async def test_a_question_that_fails_is_no_answer(float_bank: FloatBankSetup, fault: str) -> None:
    float_bank.bank.arm(parse_fault("timeout-after"), "float")
    await float_bank.purchase()
    float_bank.bank.arm(parse_fault(fault), "status")
    assert isinstance(await float_bank.status(), NoAnswer)
    assert float_bank.bank.float_purchases()[0].reported_at is None
    assert isinstance(await float_bank.status(), Succeeded)


async def test_a_failed_code_in_an_error_is_no_answer() -> None:
    assert isinstance(await says({"resultCode": SIMULATED_FAILED_CODE}, 500).status(), NoAnswer)


async def test_a_question_ends_at_its_own_limit(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("timeout-before"), "status")
    assert await float_bank.status() == NoAnswer("no answer within 20 s")


# --- Tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [{"accessToken": "abc", "tokenType": "Bearer"}, {"tokenID": "abc"}],
)
async def test_both_shapes_of_a_token_are_read(given: dict[str, str]) -> None:
    bank = OddBank(lambda _: httpx.Response(500), token=given)
    ready = await bank.prepare()
    assert isinstance(ready, Ready)
    assert ready.token == "abc"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"access_token": "abc"},
        {"accessToken": ""},
        {"accessToken": "a\nb"},
        {"accessToken": "abc", "tokenID": "xyz"},
        {"succeeded": False, "message": "Locked"},
        [],
    ],
)
async def test_any_other_shape_is_no_token(given: object) -> None:
    answer = await OddBank(lambda _: httpx.Response(500), token=given).prepare()
    assert isinstance(answer, NotSent)
    assert "abc" not in answer.why


async def test_wrong_credentials_get_no_token_and_the_reason_is_told(
    float_bank: FloatBankSetup,
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(float_bank.bank)) as client:
        wrong = replace(CREDENTIALS, password="wrong")
        answer = await OpenBankingFloat(client, float_bank.clock, wrong).prepare()
    assert answer == NotSent("token: HTTP 401 Invalid credentials")


async def test_every_prepare_fetches_a_fresh_token(float_bank: FloatBankSetup) -> None:
    assert await float_bank.gateway.prepare() != await float_bank.gateway.prepare()
    assert float_bank.bank.calls("token") == 2


async def test_callers_at_the_same_moment_share_one_fetch(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("slow 2s"), "token")
    calls = [asyncio.create_task(float_bank.gateway.prepare()) for _ in range(10)]
    await advance(float_bank.clock, 2)
    assert len({await call for call in calls}) == 1
    assert float_bank.bank.calls("token") == 1


async def test_questions_keep_their_token_for_fifteen_minutes(float_bank: FloatBankSetup) -> None:
    await float_bank.status()
    await advance(float_bank.clock, 15 * 60 - 1)
    await float_bank.status()
    assert float_bank.bank.calls("token") == 1
    await advance(float_bank.clock, 1)
    await float_bank.status()
    assert float_bank.bank.calls("token") == 2


async def test_a_question_that_meets_a_401_is_asked_again_once_with_a_new_token(
    float_bank: FloatBankSetup,
) -> None:
    await float_bank.purchase()
    float_bank.bank.revoke_tokens()
    assert isinstance(await float_bank.status(), Succeeded)
    assert (float_bank.bank.calls("token"), float_bank.bank.calls("status")) == (2, 2)


async def test_a_second_401_is_no_answer(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("http 401"), "status", times=2)
    assert isinstance(await float_bank.status(), NoAnswer)
    assert (float_bank.bank.calls("token"), float_bank.bank.calls("status")) == (2, 2)


# --- Account ------------------------------------------------------------------------------------

LINE = {
    "ValueDate": "02032026",
    "CreditDebitFlag": "C",
    "InstrumentReferenceNumber": "FT26061ABC",
    "CreditAmount": "1500.50",
    "DebitAmount": "0.00",
    "RunningBalance": "-20.05",
    "Narrative": "MPESA",
    "TransactionCode": "T1",
    "PaymentDetails": "774451#TU7K3QF9",
    "CreditReference": "CR",
    "AdditionalReference": "AR",
    "TransactionCurrency": "KES",
}


async def test_the_statement_shows_what_was_bought(float_bank: FloatBankSetup) -> None:
    await float_bank.purchase()
    day = date(2026, 3, 2)
    statement = await float_bank.gateway.statement(day, day)
    assert isinstance(statement, Statement)
    (line,) = statement.lines
    assert (line.value_date, line.debit, line.credit) == (day, Money.of("50000"), Money(0))
    body = json.loads(float_bank.requests[-1].content)
    assert body == {
        "country": "Kenya",
        "accountNo": "1007745101",
        "fromDate": "02032026",
        "toDate": "02032026",
    }


async def test_a_day_without_movements_is_an_empty_statement(float_bank: FloatBankSetup) -> None:
    await float_bank.purchase()
    day = date(2026, 3, 3)
    assert await float_bank.gateway.statement(day, day) == Statement(())


async def test_a_statement_that_ends_before_it_starts_is_not_asked_for(
    float_bank: FloatBankSetup,
) -> None:
    with pytest.raises(ValueError, match="cannot run from"):
        await float_bank.gateway.statement(date(2026, 3, 2), date(2026, 3, 1))
    assert float_bank.requests == []


@pytest.mark.parametrize(
    "body",
    [
        [LINE],
        {"resErrorCode": "000", "resErrorDesc": "Ok", "AccountStatement": [LINE]},
        {"succeeded": True, "message": "Ok", "data": [LINE]},
        {"succeeded": True, "data": {"lines": [LINE]}},
        {"AccountStatement": [LINE]},
    ],
)
async def test_lines_are_read_whatever_surrounds_them(body: object) -> None:
    assert await says(body).statement() == Statement(
        (
            StatementLine(
                value_date=date(2026, 3, 2),
                credit=Money(150_050),
                debit=Money(0),
                running_balance=Money(-2_005),
                instrument_reference="FT26061ABC",
                credit_reference="CR",
                additional_reference="AR",
                transaction_code="T1",
                code_description="",
                narrative="MPESA",
                payment_details="774451#TU7K3QF9",
            ),
        )
    )


async def test_amounts_may_be_numbers_and_lose_no_cent() -> None:
    numbers = b'{"CreditAmount": 98765432109.87, "DebitAmount": 0, "RunningBalance": null}'
    line = json.dumps({key: LINE[key] for key in LINE if key not in json.loads(numbers)}).encode()
    content = b"[" + line[:-1] + b", " + numbers[1:] + b"]"
    statement = await OddBank(lambda _: httpx.Response(200, content=content)).statement()
    assert isinstance(statement, Statement)
    assert statement.lines[0].credit == Money(9_876_543_210_987)
    assert statement.lines[0].running_balance is None


@pytest.mark.parametrize(
    "changes",
    [
        {"ValueDate": "31022026"},
        {"ValueDate": "2026-03-02"},
        {"ValueDate": None},
        {"ValueDate": "02031026"},
        {"CreditAmount": "100000000000.01"},
        {"CreditDebitFlag": "D"},
        {"CreditDebitFlag": "X"},
        {"CreditAmount": "1,500.50"},
        {"CreditAmount": "1500.505"},
        {"CreditAmount": "-1500.50"},
        {"DebitAmount": "1.00"},
        {"RunningBalance": "much"},
        {"TransactionCurrency": "XXX"},
        {"TransactionCurrency": None},
        {"Narrative": ["MPESA"]},
    ],
)
async def test_one_unreadable_line_makes_the_whole_statement_unreadable(
    changes: dict[str, Any],
) -> None:
    assert await says([LINE, LINE | changes]).statement() == Unreadable("line 2 of 2")


@pytest.mark.parametrize(
    "body",
    [
        {"resErrorCode": "777", "AccountStatement": [LINE]},
        {"succeeded": False, "data": [LINE]},
        {"errors": []},
        {"credits": [LINE], "debits": [LINE]},
        {"resErrorCode": "000"},
        "text",
        7,
        None,
    ],
)
async def test_an_answer_that_is_no_statement_is_no_answer(body: object) -> None:
    assert isinstance(await says(body).statement(), NoAnswer)


async def test_a_long_statement_is_read_and_an_endless_one_is_not() -> None:
    long = await says([LINE] * 5_000).statement()
    assert isinstance(long, Statement)
    assert len(long.lines) == 5_000
    endless = OddBank(lambda _: httpx.Response(200, content=b"[" + b" " * STATEMENT_BYTES_MAX))
    assert isinstance(await endless.statement(), NoAnswer)


# --- Logs, secrets and settings -----------------------------------------------------------------


async def test_each_call_is_one_line_with_milliseconds_and_without_secrets(
    float_bank: FloatBankSetup,
) -> None:
    float_bank.bank.latency = lambda: 0.25
    float_bank.bank.arm(parse_fault(f"says-failed Not you, {PHONE}"), "status")
    with structlog.testing.capture_logs() as lines:
        await float_bank.purchase()
        await float_bank.status()
        await run(
            float_bank.clock, float_bank.gateway.statement(date(2026, 3, 2), date(2026, 3, 2))
        )
    assert [line["event"] for line in lines] == [
        "openbanking token",
        "openbanking purchase",
        "openbanking status",
        "openbanking statement",
    ]
    assert {line["ms"] for line in lines} == {250}
    assert lines[1]["phone"] == "2547*****678"
    written = str(lines)
    secrets = (PHONE, CREDENTIALS.subscription_key, CREDENTIALS.debit_account)
    for secret in (*secrets, *float_bank.bank.issued_tokens()):
        assert secret not in written


def test_no_secret_is_in_a_repr() -> None:
    secret = replace(CREDENTIALS, password="pass-word", subscription_key="sub-key")
    assert "pass-word" not in repr(secret)
    assert "sub-key" not in repr(secret)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"base_url": ""}, "not an http"),
        ({"base_url": "bank.test"}, "not an http"),
        ({"subscription_key": "two words"}, "subscription key"),
        ({"refusal_codes": frozenset({"000"})}, "both yes and no"),
        ({"failed_codes": frozenset({"000"})}, "both yes and no"),
        ({"success_codes": frozenset({" "})}, "blank code"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(
    change: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        replace(CREDENTIALS, **change)


def test_paths_are_appended_to_the_base() -> None:
    deep = replace(CREDENTIALS, base_url="https://bank.test/test/apigateway/")
    assert deep.url("/api") == "https://bank.test/test/apigateway/api"
