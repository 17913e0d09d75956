"""The worker sends each request once, and books what comes back."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.workers.float_purchases import LEASE
from services.domain.bank import (
    FloatAnswer,
    NotSent,
    Ready,
    Rejected,
    Succeeded,
    Unknown,
)
from services.domain.float_purchase import PurchaseState
from tests.kit.float_harness import AMOUNT, FloatHarness, S, never
from tests.kit.scripted_bank import at_once

# One request


async def test_one_request_one_booking_one_receipt(harness: FloatHarness) -> None:
    reference = await harness.begin()
    await harness.advance(86_400)
    assert [order.reference for order in harness.bank.orders] == [reference]
    assert harness.bank.asked == []
    assert await harness.state(reference) is S.SUCCEEDED
    assert await harness.float() == AMOUNT
    assert len(harness.receipts()) == 1


async def test_the_intent_is_committed_before_the_request_leaves(harness: FloatHarness) -> None:
    reference = await harness.begin()
    seen: list[PurchaseState] = []

    async def look() -> None:
        seen.append(await harness.state(reference))

    harness.bank.before_answer = look
    await harness.scan()
    assert seen == [S.SUBMITTING]


async def test_the_token_is_in_hand_before_the_intent_is_committed(harness: FloatHarness) -> None:
    reference = await harness.begin()
    harness.bank.before_token = never
    await harness.scan()
    assert await harness.state(reference) is S.AUTHORISED
    assert harness.bank.orders == []


async def test_scans_while_a_call_is_out_send_no_second_request(harness: FloatHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    await harness.begin()
    for _ in range(5):
        await harness.scan()
    answered.set()
    await harness.scan()
    assert len(harness.bank.orders) == 1


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


async def test_what_did_not_leave_is_tried_again_until_it_does(harness: FloatHarness) -> None:
    harness.bank.token = NotSent("no route")
    reference = await harness.begin()
    await harness.advance(12)
    assert (harness.bank.orders, await harness.state(reference)) == ([], S.AUTHORISED)
    harness.bank.token = Ready("token")
    await harness.advance(5)
    assert len(harness.bank.orders) == 1
    assert await harness.state(reference) is S.SUCCEEDED


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


async def test_a_request_that_did_not_leave_may_leave_once_more(harness: FloatHarness) -> None:
    """Nothing left the machine, so this is still the only request."""
    harness.bank.answers = [NotSent("refused"), Succeeded("B-1", "Success")]
    reference = await harness.begin()
    await harness.advance(10)
    assert harness.bank.answers == []
    assert await harness.state(reference) is S.SUCCEEDED
    assert await harness.calls() == [("float", "not_sent"), ("float", "succeeded")]


# Leases


async def test_when_the_lease_ends_without_an_answer_it_is_unknown(harness: FloatHarness) -> None:
    harness.bank.before_answer = never
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(LEASE.total_seconds() - 1)
        assert await harness.state(reference) is S.SUBMITTING
        await harness.advance(1)
    assert await harness.state(reference) is S.UNKNOWN
    assert len(harness.bank.orders) == 1
    assert [row.kind for row in harness.told] == ["receipt", "progress"]


async def test_an_answer_after_the_lease_is_taken(harness: FloatHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(LEASE.total_seconds())
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
        await harness.advance(LEASE.total_seconds() + 600)
    assert await harness.state(reference) is S.SUCCEEDED
    answered.set()
    await harness.scan()
    assert await harness.float() == AMOUNT
    assert len(harness.receipts()) == 2


async def test_one_that_the_bank_keeps_waiting_does_not_hold_up_the_others(
    harness: FloatHarness,
) -> None:
    held = await harness.begin()
    harness.bank.before_answer = never
    await harness.scan()
    harness.bank.before_answer = at_once
    other = await harness.begin()
    await harness.scan()
    assert (await harness.state(held), await harness.state(other)) == (S.SUBMITTING, S.SUCCEEDED)
