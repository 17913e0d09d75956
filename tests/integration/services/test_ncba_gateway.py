"""The real gateway against the simulated bank, row by row of facts: NCBA 4."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import httpx
import pytest
import structlog

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NoAnswer,
    NotPaid,
    NotSent,
    Paid,
    Prompt,
    QrPicture,
    Ready,
    Rejected,
    StillOpen,
    Unknown,
)
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.phone import Phone
from services.gateways.http_exchange import BODY_BYTES_MAX
from services.gateways.ncba.collections import NcbaCollections, NcbaCredentials
from services.gateways.ncba.collections_wire import PNG
from services.ports import Collections
from tests.kit.recorded_bank import recorded_bank
from tests.kit.virtual_time import advance, run, settle

PHONE = "254712345678"
PROMPT = Prompt("TU-7K3QF9", Phone(PHONE), Money.of("1500.00"))
CREDENTIALS = NcbaCredentials(
    base_url="http://bank.test/",
    username="hazina",
    password="simulated",
    paybill_no="880100",
    account_number="774451",
    till="PAY100D",
)
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class CollectionsSetup:
    clock: VirtualClock
    bank: SimulatedBank
    gateway: NcbaCollections
    requests: list[httpx.Request] = field(default_factory=list)

    async def initiate(self, prompt: Prompt = PROMPT) -> InitiateAnswer:
        ready = await run(self.clock, self.gateway.prepare())
        assert isinstance(ready, Ready)
        return await run(self.clock, self.gateway.initiate(ready, prompt))

    async def accepted(self) -> str:
        answer = await self.initiate()
        assert isinstance(answer, Accepted)
        return answer.bank_id


@pytest.fixture
async def collections() -> AsyncIterator[CollectionsSetup]:
    async with recorded_bank() as bank:
        gateway = NcbaCollections(bank.client, bank.clock, CREDENTIALS)
        yield CollectionsSetup(bank.clock, bank.bank, gateway, bank.requests)


async def answered(handler: Handler) -> tuple[InitiateAnswer, int]:
    """What one initiate makes of an answer of any kind, and how many POSTs it took."""
    posts = 0

    def count(request: httpx.Request) -> httpx.Response:
        nonlocal posts
        posts += 1
        return handler(request)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(count), follow_redirects=True
    ) as client:
        gateway = NcbaCollections(client, VirtualClock(), CREDENTIALS)
        return await gateway.initiate(Ready("token"), PROMPT), posts


def raising(error: type[httpx.HTTPError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("no")

    return handler


def test_the_gateway_is_the_port() -> None:
    port: Collections = NcbaCollections(httpx.AsyncClient(), VirtualClock(), CREDENTIALS)
    assert port


# --- Not sent -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol],
)
async def test_what_failed_before_the_bytes_left_was_not_sent(
    error: type[httpx.HTTPError],
) -> None:
    answer, posts = await answered(raising(error))
    assert isinstance(answer, NotSent)
    assert posts == 1


@pytest.mark.parametrize(
    "fault", ["refuse Invalid API credentials", "http 500", "html", "garbage", "timeout-before"]
)
async def test_without_a_token_nothing_was_sent(collections: CollectionsSetup, fault: str) -> None:
    collections.bank.arm(parse_fault(fault), "token")
    assert isinstance(await run(collections.clock, collections.gateway.prepare()), NotSent)
    assert collections.bank.calls("initiate") == 0


# --- Rejected -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
async def test_a_4xx_to_the_post_itself_is_final(
    collections: CollectionsSetup, status: int
) -> None:
    collections.bank.arm(parse_fault(f"http {status}"), "initiate")
    answer = await collections.initiate()
    assert answer == Rejected(Reason.BANK_REFUSED, f"HTTP {status} Error")
    assert collections.bank.calls("initiate") == 1
    assert collections.bank.calls("token") == 1  # a 401 here fetches no other token


async def test_a_4xx_with_a_readable_reason_has_it() -> None:
    body = {"message": "The balance is insufficient"}
    answer, _ = await answered(lambda _: httpx.Response(400, json=body))
    assert answer == Rejected(Reason.INSUFFICIENT, "HTTP 400 The balance is insufficient")


async def test_a_401_speaks_of_us_not_of_the_prompt() -> None:
    answer, _ = await answered(lambda _: httpx.Response(401, json={"message": "Bad user"}))
    assert answer == Rejected(Reason.BANK_REFUSED, "HTTP 401 Bad user")


async def test_an_html_403_means_our_address_is_not_admitted_and_is_final() -> None:
    answer, _ = await answered(lambda _: httpx.Response(403, html="<html>Request Rejected</html>"))
    assert answer == Rejected(Reason.BANK_REFUSED, "HTTP 403")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("The balance is insufficient", Reason.INSUFFICIENT),
        ("System busy", Reason.BUSY),
        ("Invalid AccountNo", Reason.BANK_REFUSED),
    ],
)
async def test_a_refusal_in_band_is_rejected_with_its_reason(
    collections: CollectionsSetup, said: str, reason: Reason
) -> None:
    collections.bank.arm(parse_fault(f"refuse {said}"), "initiate")
    assert await collections.initiate() == Rejected(reason, said)


@pytest.mark.parametrize("code", ["1", 1, "2"])
async def test_a_refusal_code_may_be_a_number_or_text(code: str | int) -> None:
    body: dict[str, object] = {"TransactionID": None, "StatusCode": code, "StatusDescription": "No"}
    answer, _ = await answered(lambda _: httpx.Response(200, json=body))
    assert answer == Rejected(Reason.BANK_REFUSED, "No")


# --- Accepted -----------------------------------------------------------------------------------


async def test_a_transaction_id_means_accepted_not_paid(collections: CollectionsSetup) -> None:
    answer = await collections.initiate()
    assert isinstance(answer, Accepted)
    prompt = collections.bank.prompts.find(answer.bank_id)
    assert prompt is not None
    assert answer.bank_reference == prompt.reference_id
    assert (prompt.phone, prompt.amount_kes) == (PHONE, 1500)
    assert prompt.account_no == "774451#TU7K3QF9"


@pytest.mark.parametrize("code", ["0", 0])
async def test_ids_and_codes_may_be_numbers_and_unknown_fields_are_ignored(
    code: str | int,
) -> None:
    body: dict[str, object] = {
        "TransactionID": 77,
        "StatusCode": code,
        "StatusDescription": "Ok",
        "New": [],
    }
    answer, _ = await answered(lambda _: httpx.Response(200, json=body))
    assert answer == Accepted("77", None, "Ok")


async def test_the_request_is_as_the_guide_has_it(collections: CollectionsSetup) -> None:
    await collections.initiate()
    request = collections.requests[-1]
    assert str(request.url) == "http://bank.test/payments/api/v1/stk-push/initiate"
    assert request.headers["user-agent"] == CREDENTIALS.user_agent
    assert request.headers["authorization"].startswith("Bearer ")
    assert json.loads(request.content) == {
        "TelephoneNo": PHONE,
        "Amount": "1500",
        "PayBillNo": "880100",
        "AccountNo": "774451#TU7K3QF9",
        "Network": "Safaricom",
        "TransactionType": "CustomerPayBillOnline",
    }


# --- Unknown ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["http 500", "http 502", "http 302", "html", "garbage"])
async def test_a_broken_answer_is_unknown(collections: CollectionsSetup, fault: str) -> None:
    collections.bank.arm(parse_fault(fault), "initiate")
    assert isinstance(await collections.initiate(), Unknown)
    assert collections.bank.calls("initiate") == 1


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
async def test_a_reset_or_timeout_after_sending_is_unknown(error: type[httpx.HTTPError]) -> None:
    answer, posts = await answered(raising(error))
    assert isinstance(answer, Unknown)
    assert posts == 1


@pytest.mark.parametrize(
    "body",
    [
        {"TransactionID": None, "StatusCode": "0"},
        {"TransactionID": "", "StatusCode": "0"},
        {"StatusCode": "0"},
        {"TransactionID": "77", "StatusCode": "1"},
        {"TransactionID": "77", "StatusCode": ""},
        {"TransactionID": "77"},
        {"status": 200},
        {"TransactionID": {"id": 1}, "StatusCode": "1"},
        [],
        "text",
        None,
    ],
)
async def test_an_unknown_shape_is_unknown(body: object) -> None:
    answer, _ = await answered(lambda _: httpx.Response(200, json=body))
    assert isinstance(answer, Unknown)


async def test_a_gateways_timeout_is_unknown_whatever_its_number() -> None:
    answer, _ = await answered(lambda _: httpx.Response(408))
    assert isinstance(answer, Unknown)


@pytest.mark.parametrize("status", [400, 409, 429, 499])
async def test_a_4xx_without_a_reason_is_unknown(status: int) -> None:
    answer, _ = await answered(lambda _: httpx.Response(status, html="<html>no</html>"))
    assert isinstance(answer, Unknown)


async def test_a_redirect_is_not_followed_since_it_would_send_the_post_again() -> None:
    answer, posts = await answered(
        lambda request: httpx.Response(307, headers={"location": str(request.url)})
    )
    assert isinstance(answer, Unknown)
    assert posts == 1


async def test_an_endless_answer_is_cut_and_unknown() -> None:
    endless = b'{"TransactionID":"77","StatusCode":"0","x":"' + b"x" * BODY_BYTES_MAX + b'"}'
    answer, _ = await answered(lambda _: httpx.Response(200, content=endless))
    assert isinstance(answer, Unknown)


@pytest.mark.parametrize(
    ("fault", "prompts"), [("timeout-before", 0), ("timeout-after", 1), ("slow 20s", 1)]
)
async def test_a_timeout_is_unknown_whether_or_not_the_prompt_was_sent(
    collections: CollectionsSetup, fault: str, prompts: int
) -> None:
    collections.bank.arm(parse_fault(fault), "initiate")
    started = collections.clock.now()
    assert await collections.initiate() == Unknown("no answer within 20 s")
    assert (collections.clock.now() - started).total_seconds() == 20
    await settle()
    await advance(collections.clock, 0)
    collections.bank.set_handset(PHONE, Handset.PAYS)
    assert len(collections.bank.paid()) == prompts
    assert collections.bank.calls("initiate") == 1


async def test_a_slow_answer_within_the_limit_is_an_answer(collections: CollectionsSetup) -> None:
    collections.bank.arm(parse_fault("slow 19s"), "initiate")
    assert isinstance(await collections.initiate(), Accepted)


async def test_a_cancelled_call_raises_so_that_the_worker_can_say_unknown(
    collections: CollectionsSetup,
) -> None:
    collections.bank.arm(parse_fault("timeout-after"), "initiate")
    ready = await collections.gateway.prepare()
    assert isinstance(ready, Ready)
    call = asyncio.create_task(collections.gateway.initiate(ready, PROMPT))
    await settle()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert collections.bank.calls("initiate") == 1


async def test_an_amount_in_cents_never_leaves(collections: CollectionsSetup) -> None:
    ready = Ready("token")
    with pytest.raises(ValueError, match="part units"):
        await collections.gateway.initiate(ready, replace(PROMPT, amount=Money(150)))
    with pytest.raises(ValueError, match="KES"):
        await collections.gateway.initiate(ready, replace(PROMPT, amount=Money(100, "USD")))
    assert collections.bank.calls("initiate") == 0


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


# --- What is written down -----------------------------------------------------------------------


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


# --- A picture to pay by ------------------------------------------------------------------------


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
