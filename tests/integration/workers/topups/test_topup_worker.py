"""What the bank says of prompts becomes top-ups, credits and messages. How a worker claims, sends
and stops is tested for every kind in ``tests/integration/workers/money``."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.workers.topups import LIMITS
from services.domain.bank import (
    InitiateAnswer,
    NotPaid,
    NotSent,
    Paid,
    Prompt,
    Rejected,
    Unknown,
)
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.topup import NOT_SENT_FOR, TopUpState
from tests.kit.scripted_bank import at_once
from tests.kit.topup_harness import TopUpHarness
from tests.kit.worker_harness import PHONE

# One request


async def test_a_prompt_is_asked_for_once_and_its_payment_credited_once(
    harness: TopUpHarness,
) -> None:
    reference = await harness.begin()
    await harness.advance(20)
    harness.bank.status = Paid("SUCCESS")
    await harness.advance(86_400)
    assert [prompt.reference for prompt in harness.bank.prompts] == [reference]
    assert await harness.state(reference) is TopUpState.PAID
    assert await harness.wallet() == Money(100)
    assert len(harness.receipts()) == 1


async def test_the_bank_is_asked_for_what_was_committed(harness: TopUpHarness) -> None:
    reference = await harness.begin()
    await harness.scan()
    assert harness.bank.prompts == [Prompt(reference, PHONE, Money(100))]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Rejected("bank_refused", "no"), TopUpState.REJECTED),
        (Unknown("HTML"), TopUpState.SEND_UNKNOWN),
    ],
)
async def test_what_was_refused_or_not_understood_is_never_sent_again(
    harness: TopUpHarness, answer: InitiateAnswer, state: TopUpState
) -> None:
    harness.bank.answer = lambda prompt: answer
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(86_400)
    assert (len(harness.bank.prompts), harness.bank.asked) == (1, [])
    assert await harness.state(reference) is state
    assert len(harness.receipts()) == 1


# Requests that never left the machine


async def test_what_did_not_leave_for_a_minute_is_rejected(harness: TopUpHarness) -> None:
    harness.bank.token = NotSent("no route")
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(NOT_SENT_FOR.total_seconds() - 1)
        assert await harness.state(reference) is TopUpState.CREATED
        await harness.advance(1)
    topup = await harness.get(reference)
    assert (topup.state, topup.reason) == (TopUpState.REJECTED, Reason.BANK_DOWN)
    assert harness.bank.prompts == []


# Leases


async def test_an_id_that_comes_after_the_lease_is_taken(harness: TopUpHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.advance(LIMITS.lease.total_seconds())
    answered.set()
    harness.bank.status = Paid("SUCCESS")
    await harness.advance(60)
    assert await harness.state(reference) is TopUpState.PAID
    assert await harness.wallet() == Money(100)


async def test_a_payment_that_a_late_worker_brings_counts_once(harness: TopUpHarness) -> None:
    reference = await harness.begin()
    await harness.scan()
    late = asyncio.Event()
    harness.bank.status = Paid("SUCCESS")
    harness.bank.before_status = late.wait
    harness.clock.jump(harness.clock.now() + timedelta(seconds=10))
    await harness.scan()
    harness.bank.before_status = at_once
    harness.clock.jump(harness.clock.now() + LIMITS.lease)
    await harness.scan()
    late.set()
    await harness.settle()
    assert len(harness.bank.asked) == 2
    assert await harness.state(reference) is TopUpState.PAID
    assert await harness.wallet() == Money(100)
    assert len(harness.receipts()) == 1


# What an admin must see


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (Unknown("HTML"), "warning"),
        (Rejected(Reason.BANK_REFUSED, "no"), "warning"),
        (Rejected(Reason.LIMIT, "no"), "info"),
    ],
)
async def test_what_only_an_admin_can_mend_is_a_warning(
    harness: TopUpHarness, answer: InitiateAnswer, level: str
) -> None:
    harness.bank.answer = lambda prompt: answer
    reference = await harness.begin()
    with capture_logs() as logs:
        await harness.scan()
    (log,) = logs
    assert (log["log_level"], log["reference"]) == (level, reference)
    assert PHONE.msisdn not in str(log)


async def test_a_soft_failure_is_told_and_still_asked_about(harness: TopUpHarness) -> None:
    reference = await harness.begin()
    harness.bank.status = NotPaid(Reason.UNREACHABLE, False, "DS timeout")
    with capture_logs():
        await harness.advance(10)
        assert await harness.state(reference) is TopUpState.NOT_PAID
        harness.bank.status = Paid("SUCCESS")
        await harness.advance(60)
    assert await harness.state(reference) is TopUpState.PAID_LATE
    assert await harness.wallet() == Money(100)
    assert len(harness.receipts()) == 2
