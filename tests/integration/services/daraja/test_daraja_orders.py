"""What becomes of an order, by what Daraja answers at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.simulation.daraja.credentials import CREDENTIALS
from services.domain.bank import NotSent, Ready, Unknown
from services.domain.payout_answers import Acknowledged, PaidOut, PayoutAnswer, Refused
from services.gateways.daraja.pace import MOST_PER_S
from tests.kit.daraja_caller import ID, PHONE
from tests.kit.daraja_gateway import ORDER, DarajaDesk
from tests.kit.virtual_time import run


async def test_an_order_is_taken_then_paid_once(desk: DarajaDesk) -> None:
    desk.outside.payee("pays ASHA EXAMPLE")
    assert isinstance(await desk.pay(), Acknowledged)
    assert desk.outside.daraja.paid() == ()
    result = await desk.result()
    (payment,) = desk.outside.daraja.paid()
    assert (payment.originator_id, payment.phone, payment.amount_kes) == (ID, PHONE, 1_500)
    assert result.originator_id == ID


async def test_the_receipt_and_the_name_are_mpesas(desk: DarajaDesk) -> None:
    desk.outside.payee("pays ASHA EXAMPLE")
    verdict = await desk.paid()
    (payment,) = desk.outside.daraja.paid()
    assert verdict == PaidOut(payment.transaction_id, "ASHA EXAMPLE")


@pytest.mark.parametrize(
    ("fault", "answer", "payments"),
    [
        ("refuse Bad Request - Invalid PartyB", Refused, 0),
        ("http 404", Refused, 0),
        ("http 405", Refused, 0),
        ("refuse Please try again later", Unknown, 0),
        ("refuse Duplicate request", Unknown, 0),
        ("http 429", Unknown, 0),
        ("http 500", Unknown, 0),
        ("http 503", Unknown, 0),
        ("http 418", Unknown, 0),
        ("html", Unknown, 0),
        ("garbage", Unknown, 0),
        ("contradicts", Unknown, 0),
        ("system-error", Unknown, 0),
        ("spike-arrest", Unknown, 0),
        ("quota", Unknown, 0),
        ("timeout-before", Unknown, 0),
        ("timeout-after", Unknown, 1),
        ("refuse-after System internal error.", Unknown, 1),
        ("duplicate", Unknown, 1),
        ("slow 20s", Acknowledged, 1),
        ("slow 31s", Unknown, 1),
    ],
)
async def test_only_a_refused_form_is_final_at_once(
    desk: DarajaDesk, fault: str, answer: type[PayoutAnswer], payments: int
) -> None:
    desk.outside.arm(fault)
    assert isinstance(await desk.pay(), answer)
    await desk.outside.wait(60)
    assert len(desk.outside.daraja.payments()) == payments
    assert desk.outside.daraja.calls("payout") == 1


async def test_a_second_order_with_the_same_id_pays_nobody(desk: DarajaDesk) -> None:
    assert isinstance(await desk.pay(), Acknowledged)
    assert isinstance(await desk.pay(), Unknown)
    assert len(desk.outside.daraja.payments()) == 1


# Tokens ---------------------------------------------------------------------------------------


async def test_an_order_whose_token_is_refused_goes_once_more(desk: DarajaDesk) -> None:
    await run(desk.outside.clock, desk.gateway.prepare())
    desk.outside.arm("token-gone")
    assert isinstance(await desk.pay(), Acknowledged)
    daraja = desk.outside.daraja
    assert (daraja.calls("payout"), daraja.calls("payout-token")) == (2, 2)
    assert len(daraja.payments()) == 1


async def test_an_order_whose_token_is_refused_twice_was_not_sent(desk: DarajaDesk) -> None:
    desk.outside.arm("http 401", times=2)
    with capture_logs() as log:
        assert isinstance(await desk.pay(), NotSent)
    assert desk.outside.daraja.payments() == ()
    assert desk.outside.daraja.calls("payout") == 2
    for token in desk.outside.daraja.issued_tokens():
        assert token not in str(log)


@pytest.mark.parametrize("fault", ["http 503", "html", "garbage", "timeout-before"])
async def test_without_a_token_nothing_is_sent(desk: DarajaDesk, fault: str) -> None:
    desk.outside.arm(fault, "payout-token")
    ready = await run(desk.outside.clock, desk.gateway.prepare())
    assert isinstance(ready, NotSent)


async def test_one_token_serves_until_five_minutes_before_its_end(desk: DarajaDesk) -> None:
    async def prepare() -> Ready:
        ready = await run(desk.outside.clock, desk.gateway.prepare())
        assert isinstance(ready, Ready)
        return ready

    first = await prepare()
    await desk.outside.wait(3_298)
    assert (await prepare()).token == first.token
    await desk.outside.wait(2)
    assert (await prepare()).token != first.token
    assert isinstance(await desk.pay(), Acknowledged)


# Pace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["spike-arrest", "quota", "http 429"])
async def test_it_goes_slower_when_daraja_complains(desk: DarajaDesk, fault: str) -> None:
    clock = desk.outside.clock
    desk.outside.arm(fault)
    await desk.pay()

    async def takes(n: int) -> float:
        started = clock.monotonic()
        for _ in range(n):
            await run(clock, desk.gateway.prepare())
        return clock.monotonic() - started

    assert await takes(1 + int(MOST_PER_S)) >= 2.0
    for number in range(30):
        await desk.pay(replace(ORDER, originator_id=f"{ID}{number}"))
    assert await takes(int(MOST_PER_S)) <= 1.1


# Secrets --------------------------------------------------------------------------------------


async def test_the_log_has_no_secret_and_no_phone(desk: DarajaDesk) -> None:
    with capture_logs() as log:
        await desk.paid()
        await desk.status()
        await desk.ask_balance()
    written = str(log)
    assert [entry["event"] for entry in log] == ["daraja payout", "daraja status", "daraja balance"]
    secrets = (CREDENTIALS.consumer_secret, CREDENTIALS.initiator_password, PHONE)
    for secret in (*secrets, *desk.outside.daraja.issued_tokens()):
        assert secret not in written
    assert not any(
        credential in written for credential in desk.outside.daraja.initiator.credentials
    )
