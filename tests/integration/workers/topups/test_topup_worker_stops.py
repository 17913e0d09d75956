"""Stopping, starting and failures of the top-up worker: what continues, and what admins see."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.outbox.durable_write import AGAIN_S
from bot.workers.bank_worker import LEASE, BankWorker
from services.domain.bank import (
    InitiateAnswer,
    NotPaid,
    Paid,
    Rejected,
    Unknown,
)
from services.domain.database import DatabaseUnavailable
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.topup import TopUp, TopUpState
from storage.transaction import SqliteTx
from tests.kit.scripted_bank import at_once
from tests.kit.topup_harness import TopUpHarness
from tests.kit.worker_harness import PHONE

PATIENCE_S = 5.0  # seconds after which a hanging test fails


# Stop and start


async def test_a_call_that_is_cancelled_is_unknown(harness: TopUpHarness) -> None:
    harness.bank.before_answer = asyncio.Event().wait
    reference = await harness.begin()
    await harness.scan()
    await harness.worker.stop(grace_s=0)
    assert await harness.state(reference) is TopUpState.SEND_UNKNOWN
    assert await harness.calls() == [("initiate", "unknown")]


async def test_an_answer_in_hand_is_committed_although_its_worker_is_cancelled(
    harness: TopUpHarness,
) -> None:
    answered, writing = asyncio.Event(), threading.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.scan()
    busy = asyncio.ensure_future(harness.database.write(lambda tx: writing.wait(PATIENCE_S)))
    await asyncio.sleep(0)
    answered.set()
    for _ in range(10):
        await asyncio.sleep(0)  # the worker has the answer and waits for the writer
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=0))
    await asyncio.sleep(0)
    writing.set()
    await asyncio.gather(busy, stopping)
    assert await harness.state(reference) is TopUpState.PENDING


async def test_a_stop_gives_a_call_in_flight_its_grace(harness: TopUpHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.scan()
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=600))
    await harness.settle()
    assert not stopping.done()
    answered.set()
    await stopping
    assert await harness.state(reference) is TopUpState.PENDING


async def test_grace_has_an_end(harness: TopUpHarness) -> None:
    harness.bank.before_answer = asyncio.Event().wait
    reference = await harness.begin()
    await harness.scan()
    await harness.worker.stop(grace_s=0.01)
    assert await harness.state(reference) is TopUpState.SEND_UNKNOWN


async def test_a_stopped_top_up_worker_claims_nothing(harness: TopUpHarness) -> None:
    await harness.worker.stop(grace_s=0)
    reference = await harness.begin()
    assert await harness.worker.scan() is None
    assert (await harness.get(reference)).attempt == 0


async def test_a_stop_before_anything_was_sent_leaves_it_to_the_next_start(
    harness: TopUpHarness,
) -> None:
    harness.bank.before_token = asyncio.Event().wait
    reference = await harness.begin()
    await harness.scan()
    await harness.worker.stop(grace_s=0)
    assert await harness.state(reference) is TopUpState.CREATED
    harness.bank.before_token = at_once
    harness.start()
    await harness.worker.recover()
    await harness.scan()
    assert len(harness.bank.prompts) == 1
    assert await harness.state(reference) is TopUpState.PENDING


async def test_a_stop_while_the_token_is_fetched_begins_no_request(harness: TopUpHarness) -> None:
    token = asyncio.Event()
    harness.bank.before_token = token.wait
    reference = await harness.begin()
    await harness.scan()
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=PATIENCE_S))
    await harness.settle()
    token.set()
    await stopping
    assert harness.bank.prompts == []
    assert await harness.state(reference) is TopUpState.CREATED


async def test_cancelled_before_the_request_it_was_not_sent(harness: TopUpHarness) -> None:
    """The intent is committed, but the worker is cancelled before it can act on it."""
    reference = await harness.begin()
    write = harness.database.write
    reached, going_on = asyncio.Event(), asyncio.Event()

    async def held(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        result = await write(function, *rest)
        if isinstance(result, TopUp) and result.state is TopUpState.SENDING:
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
    assert harness.bank.prompts == []
    assert await harness.state(reference) is TopUpState.CREATED


@pytest.mark.parametrize("failures", [1, 3])
async def test_the_banks_id_outlives_a_database_that_fails(
    harness: TopUpHarness, failures: int
) -> None:
    reference = await harness.begin()
    write = harness.database.write
    left = failures
    commit = BankWorker._commit.__qualname__

    async def failing(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        nonlocal left
        if left and function.__qualname__.startswith(commit):
            left -= 1
            raise DatabaseUnavailable("the disk is full")
        return await write(function, *rest)

    harness.database.write = failing  # type: ignore[assignment]
    with capture_logs():
        await harness.advance(failures * AGAIN_S)
    assert left == 0
    assert await harness.state(reference) is TopUpState.PENDING
    assert len(harness.bank.prompts) == 1


async def test_a_commit_that_was_reported_as_failed_is_not_taken_in_twice(
    harness: TopUpHarness,
) -> None:
    reference = await harness.begin()
    write = harness.database.write
    lost = False

    async def losing(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        nonlocal lost
        result = await write(function, *rest)
        if harness.bank.prompts and not lost:
            lost = True
            raise DatabaseUnavailable("the answer of the disk was lost")
        return result

    harness.database.write = losing  # type: ignore[assignment]
    with capture_logs():
        await harness.advance(AGAIN_S)
    assert await harness.state(reference) is TopUpState.PENDING
    assert await harness.calls() == [("initiate", "accepted")]


async def test_a_start_finds_what_was_being_sent_unknown_at_once(harness: TopUpHarness) -> None:
    harness.bank.before_answer = asyncio.Event().wait
    reference = await harness.begin()
    await harness.scan()
    harness.worker.abort()
    harness.start()
    with capture_logs():
        await harness.worker.recover()
        await harness.scan()
    assert await harness.state(reference) is TopUpState.SEND_UNKNOWN
    assert len(harness.bank.prompts) == 1
    assert len(harness.receipts()) == 1


async def test_a_start_goes_on_asking_about_what_is_open(harness: TopUpHarness) -> None:
    reference = await harness.begin()
    await harness.scan()
    harness.worker.abort()
    harness.start()
    await harness.worker.recover()
    harness.bank.status = Paid("SUCCESS")
    await harness.advance(LEASE.total_seconds())
    assert await harness.state(reference) is TopUpState.PAID


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
