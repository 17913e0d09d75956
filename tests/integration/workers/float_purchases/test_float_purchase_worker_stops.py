"""Stopping, starting and failures of the float worker: what continues, and what admins see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.outbox.durable_write import AGAIN_S
from services.domain.bank import (
    FloatAnswer,
    Rejected,
    Succeeded,
    Unknown,
)
from services.domain.database import DatabaseUnavailable
from services.domain.float_purchase import Purchase
from storage.transaction import SqliteTx
from tests.kit.float_harness import FloatHarness, S, never
from tests.kit.scripted_bank import at_once
from tests.kit.worker_harness import PHONE

# Stop and start, in each phase


async def test_a_stop_before_the_token_leaves_it_to_the_next_start(harness: FloatHarness) -> None:
    harness.bank.before_token = never
    reference = await harness.begin()
    await harness.scan()
    await harness.worker.stop(grace_s=0)
    assert await harness.state(reference) is S.AUTHORISED
    harness.bank.before_token = at_once
    harness.start()
    await harness.worker.recover()
    await harness.scan()
    assert len(harness.bank.orders) == 1
    assert await harness.state(reference) is S.SUCCEEDED


async def test_a_stop_while_the_token_is_fetched_begins_no_request(harness: FloatHarness) -> None:
    token = asyncio.Event()
    harness.bank.before_token = token.wait
    reference = await harness.begin()
    await harness.scan()
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=5))
    await harness.settle()
    token.set()
    await stopping
    assert harness.bank.orders == []
    assert await harness.state(reference) is S.AUTHORISED


async def test_cancelled_between_intent_and_request_it_was_not_sent(harness: FloatHarness) -> None:
    reference = await harness.begin()
    write = harness.database.write
    reached, going_on = asyncio.Event(), asyncio.Event()

    async def held(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        result = await write(function, *rest)
        if isinstance(result, Purchase) and result.state is S.SUBMITTING:
            reached.set()
            await going_on.wait()
        return result

    harness.database.write = held  # type: ignore[assignment]
    await harness.worker.scan()
    await reached.wait()
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=0))
    await asyncio.sleep(0)
    going_on.set()
    await stopping
    assert harness.bank.orders == []
    assert await harness.state(reference) is S.AUTHORISED


async def test_a_request_that_is_cancelled_is_unknown(harness: FloatHarness) -> None:
    harness.bank.before_answer = never
    reference = await harness.begin()
    with capture_logs():
        await harness.scan()
        await harness.worker.stop(grace_s=0)
    assert await harness.state(reference) is S.UNKNOWN
    assert await harness.calls() == [("float", "unknown")]
    assert len(harness.receipts()) == 1


async def test_a_stop_gives_a_request_in_flight_its_grace(harness: FloatHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.scan()
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=600))
    await harness.settle()
    assert not stopping.done()
    answered.set()
    await stopping
    assert await harness.state(reference) is S.SUCCEEDED


async def test_a_question_that_is_cancelled_is_asked_again_after_a_start(
    harness: FloatHarness,
) -> None:
    harness.bank.answer = Unknown("read timeout")
    harness.bank.before_status = never
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(15)
    await harness.worker.stop(grace_s=0)
    assert await harness.state(reference) is S.UNKNOWN
    harness.bank.before_status = at_once
    harness.bank.status_answer = Succeeded("B-1", "Success")
    harness.start()
    await harness.worker.recover()
    await harness.scan()
    assert await harness.state(reference) is S.SUCCEEDED


async def test_a_stopped_float_worker_claims_nothing(harness: FloatHarness) -> None:
    await harness.worker.stop(grace_s=0)
    reference = await harness.begin()
    assert await harness.worker.scan() is None
    assert (await harness.get(reference)).attempt == 0


async def test_dropped_while_sending_the_next_start_finds_it_unknown_at_once(
    harness: FloatHarness,
) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.scan()
    hang = _hang_up(harness)  # a killed process writes nothing
    harness.worker.abort()
    await harness.settle()
    hang()
    harness.start()
    with capture_logs():
        await harness.worker.recover()
        await harness.scan()
    assert await harness.state(reference) is S.UNKNOWN
    assert len(harness.bank.orders) == 1
    assert len(harness.receipts()) == 1


def _hang_up(harness: FloatHarness) -> Callable[[], None]:
    write = harness.database.write

    async def dead(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        raise asyncio.CancelledError

    harness.database.write = dead  # type: ignore[method-assign]

    def undo() -> None:
        harness.database.write = write  # type: ignore[method-assign]

    return undo


async def test_dropped_before_sending_the_next_start_sends_it_once(harness: FloatHarness) -> None:
    harness.bank.before_token = never
    reference = await harness.begin()
    await harness.scan()
    harness.worker.abort()
    await harness.settle()
    harness.bank.before_token = at_once
    harness.start()
    await harness.worker.recover()
    await harness.scan()
    assert len(harness.bank.orders) == 1
    assert await harness.state(reference) is S.SUCCEEDED


@pytest.mark.parametrize("failures", [1, 3])
async def test_the_banks_answer_outlives_a_database_that_fails(
    harness: FloatHarness, failures: int
) -> None:
    reference = await harness.begin()
    write = harness.database.write
    left = failures

    async def failing(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        nonlocal left
        if left and harness.bank.orders:
            left -= 1
            raise DatabaseUnavailable("the disk is full")
        return await write(function, *rest)

    harness.database.write = failing  # type: ignore[assignment]
    with capture_logs():
        await harness.scan()
        for _ in range(failures):
            harness.clock.jump(harness.clock.now() + timedelta(seconds=AGAIN_S))
            await harness.settle()
    assert await harness.state(reference) is S.SUCCEEDED
    assert len(harness.bank.orders) == 1


async def test_an_answer_written_although_its_commit_was_reported_lost_counts_once(
    harness: FloatHarness,
) -> None:
    reference = await harness.begin()
    write = harness.database.write
    lost = False

    async def losing(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        nonlocal lost
        result = await write(function, *rest)
        if harness.bank.orders and not lost:
            lost = True
            raise DatabaseUnavailable("the answer of the disk was lost")
        return result

    harness.database.write = losing  # type: ignore[assignment]
    with capture_logs():
        await harness.scan()
        harness.clock.jump(harness.clock.now() + timedelta(seconds=AGAIN_S))
        await harness.settle()
    assert await harness.state(reference) is S.SUCCEEDED
    assert await harness.calls() == [("float", "succeeded")]


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
