"""What the bank says of purchases becomes bookings and messages. How a worker claims, sends and
stops is tested for every kind in ``tests/integration/workers/money``."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.workers.float_purchases import LIMITS
from services.domain.bank import (
    FloatAnswer,
    NotSent,
    Rejected,
    Succeeded,
    Unknown,
)
from services.domain.float_purchase import PurchaseState
from tests.kit.float_harness import AMOUNT, FloatHarness, S
from tests.kit.worker_harness import PHONE

# One request


async def test_one_request_one_booking_one_receipt(harness: FloatHarness) -> None:
    reference = await harness.begin()
    await harness.advance(86_400)
    assert [order.reference for order in harness.bank.orders] == [reference]
    assert harness.bank.asked == []
    assert await harness.state(reference) is S.SUCCEEDED
    assert await harness.float() == AMOUNT
    assert len(harness.receipts()) == 1


@pytest.mark.parametrize(
    ("answer", "state"), [(Rejected("bank_refused", "no"), S.FAILED), (Unknown("HTML"), S.UNKNOWN)]
)
async def test_what_was_refused_or_not_understood_is_never_sent_again(
    harness: FloatHarness, answer: FloatAnswer, state: PurchaseState
) -> None:
    harness.bank.answer = answer
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(3 * 86_400)
    assert len(harness.bank.orders) == 1
    assert await harness.state(reference) is state
    assert len(harness.bank.asked) == (0 if state is S.FAILED else 32)
    assert len(harness.receipts()) == 1


async def test_an_unknown_one_is_asked_about_until_the_bank_knows(harness: FloatHarness) -> None:
    harness.bank.answer = Unknown("read timeout")
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(60)
    assert harness.bank.asked == [reference] * 2
    harness.bank.status_answer = Succeeded("B-9", "Success")
    await harness.advance(60)
    assert (await harness.get(reference)).bank_id == "B-9"
    assert await harness.state(reference) is S.SUCCEEDED
    assert await harness.float() == AMOUNT
    assert len(harness.receipts()) == 2


# Requests that never left the machine


async def test_what_did_not_leave_for_a_minute_has_failed(harness: FloatHarness) -> None:
    harness.bank.token = NotSent("no route")
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(59)
        assert await harness.state(reference) is S.AUTHORISED
        await harness.advance(1)
    purchase = await harness.get(reference)
    assert (purchase.state, purchase.reason) == (S.FAILED, "bank_down")
    assert harness.bank.orders == []
    assert len(harness.receipts()) == 1


# Leases


async def test_an_answer_after_the_lease_is_taken(harness: FloatHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(LIMITS.lease.total_seconds())
    answered.set()
    await harness.scan()
    assert await harness.state(reference) is S.SUCCEEDED
    assert await harness.float() == AMOUNT
    assert len(harness.receipts()) == 2


async def test_success_that_the_query_and_the_late_worker_both_bring_counts_once(
    harness: FloatHarness,
) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    harness.bank.status_answer = Succeeded("B-1", "Success")
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(LIMITS.lease.total_seconds() + 600)
    assert await harness.state(reference) is S.SUCCEEDED
    answered.set()
    await harness.scan()
    assert await harness.float() == AMOUNT
    assert len(harness.receipts()) == 2


# What an admin must see


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (Succeeded(None, "Success"), "info"),
        (Unknown("HTML"), "warning"),
        (Rejected("x", "no"), "warning"),
    ],
)
async def test_what_only_an_admin_can_mend_is_a_warning(
    harness: FloatHarness, answer: FloatAnswer, level: str
) -> None:
    harness.bank.answer = answer
    reference = await harness.begin()
    with capture_logs() as logs:
        await harness.scan()
    (log,) = logs
    assert (log["log_level"], log["reference"]) == (level, reference)
    assert PHONE.msisdn not in str(log)
