"""The Open Banking gateway against the simulated bank and odd answers (facts: NCBA 3 and 4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
import structlog

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.faults import parse_fault
from bot.simulation.ncba.openbanking_api import PREFIX, SIMULATED_FAILED_CODE
from services.domain.bank import (
    Failed,
    FloatAnswer,
    FloatOrder,
    NoAnswer,
    NotSent,
    Ready,
    Rejected,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.phone import Phone
from services.gateways.openbanking.float_bank import (
    STATEMENT_BYTES_MAX,
    OpenBankingCredentials,
    OpenBankingFloat,
)
from services.gateways.openbanking.wire import AccountDetails, Statement, StatementLine, Unreadable
from services.ports import FloatBank
from tests.kit.recorded_bank import recorded_bank
from tests.kit.virtual_time import advance, run, settle

PHONE = "254712345678"
CREDENTIALS = OpenBankingCredentials(
    base_url=f"http://bank.test{PREFIX}/",
    subscription_key="simulated-key",
    user_id="hazina-float",
    password="simulated",
    debit_account="1007745101",
    agent_name="Hazina",
    refusal_codes=frozenset({"R1"}),
    failed_codes=frozenset({SIMULATED_FAILED_CODE}),
)
ORDER = FloatOrder(
    reference="FL-7K3QF9",
    phone=Phone(PHONE),
    amount=Money.of("50000.00"),
    short_code="600100",
    ordered_at=datetime(2026, 3, 1, 21, 30, tzinfo=UTC),  # already 2 March in Nairobi
)
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class FloatBankSetup:
    clock: VirtualClock
    bank: SimulatedBank
    gateway: OpenBankingFloat
    requests: list[httpx.Request] = field(default_factory=list)

    async def purchase(self, order: FloatOrder = ORDER) -> FloatAnswer:
        ready = await run(self.clock, self.gateway.prepare())
        assert isinstance(ready, Ready)
        return await run(self.clock, self.gateway.purchase(ready, order))

    async def status(self, reference: str = ORDER.reference) -> StatusAnswer:
        return await run(self.clock, self.gateway.status(reference))


@pytest.fixture
async def float_bank() -> AsyncIterator[FloatBankSetup]:
    async with recorded_bank() as bank:
        gateway = OpenBankingFloat(bank.client, bank.clock, CREDENTIALS)
        yield FloatBankSetup(bank.clock, bank.bank, gateway, bank.requests)


@dataclass
class OddBank:
    """Gives a token, and ``answer`` to everything else; redirects would be followed."""

    answer: Handler
    token: object = field(default_factory=lambda: {"accessToken": "t", "tokenType": "Bearer"})
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rsplit("/", 1)[1])
        if self.asked[-1] == "generate-token":
            return httpx.Response(200, json=self.token)
        return self.answer(request)

    async def prepare(self) -> Ready | NotSent:
        async with self._client() as client:
            return await self._gateway(client).prepare()

    async def purchase(self) -> FloatAnswer:
        async with self._client() as client:
            return await self._gateway(client).purchase(Ready("t"), ORDER)

    async def status(self) -> StatusAnswer:
        async with self._client() as client:
            return await self._gateway(client).status(ORDER.reference)

    async def details(self) -> AccountDetails | NoAnswer:
        async with self._client() as client:
            return await self._gateway(client).account_details()

    async def statement(self) -> Statement | Unreadable | NoAnswer:
        async with self._client() as client:
            return await self._gateway(client).statement(date(2026, 3, 1), date(2026, 3, 2))

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self), follow_redirects=True)

    def _gateway(self, client: httpx.AsyncClient) -> OpenBankingFloat:
        return OpenBankingFloat(client, VirtualClock(), CREDENTIALS)


def says(body: object, status: int = 200) -> OddBank:
    return OddBank(lambda _: httpx.Response(status, json=body))


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
    assert float_bank.bank.calls("token") == 1  # a 401 here fetches no other token


async def test_a_refusal_has_its_code_and_words(float_bank: FloatBankSetup) -> None:
    float_bank.bank.arm(parse_fault("refuse Insufficient funds"), "float")
    said = "HTTP 400 code SIM-REFUSED: Insufficient funds"
    # The bank's account lacks the money, not the payer's: never M-PESA's "insufficient".
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
    assert (purchase.reference, purchase.amount_kes) == ("FL7K3QF9", 50_000)
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
        {"resultCode": "R1"},  # a refusal of the purchase says nothing about the query's codes
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


async def test_details_come_as_text_and_stay_out_of_reprs(float_bank: FloatBankSetup) -> None:
    details = await float_bank.gateway.account_details()
    assert isinstance(details, AccountDetails)
    assert details.fields["balance"] == "1000000000.00"
    assert "1000000000" not in repr(details)


@pytest.mark.parametrize("body", [{"resErrorCode": "777"}, {}, [], None])
async def test_details_of_any_other_shape_are_no_answer(body: object) -> None:
    assert isinstance(await says(body).details(), NoAnswer)


# --- What is written down -----------------------------------------------------------------------


async def test_each_call_is_one_line_with_milliseconds_and_without_secrets(
    float_bank: FloatBankSetup,
) -> None:
    float_bank.bank.latency = lambda: 0.25
    float_bank.bank.arm(parse_fault(f"says-failed Not you, {PHONE}"), "status")
    with structlog.testing.capture_logs() as lines:
        await float_bank.purchase()
        await float_bank.status()
        await run(float_bank.clock, float_bank.gateway.account_details())
        await run(
            float_bank.clock, float_bank.gateway.statement(date(2026, 3, 2), date(2026, 3, 2))
        )
    assert [line["event"] for line in lines] == [
        "openbanking token",
        "openbanking purchase",
        "openbanking status",
        "openbanking account details",
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
