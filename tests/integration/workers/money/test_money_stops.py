"""Stopping, starting and failures: what continues, and what is unknown from then on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.outbox.database_retries import AGAIN_S
from bot.workers.bank_worker import BankWorker
from bot.workers.money_worker import MoneyWorker
from services.domain.database import DatabaseUnavailable
from storage.transaction import StoreTx
from tests.kit.money_harness import MoneyHarness
from tests.kit.scripted_bank import at_once, never

PATIENCE_S = 5.0  # seconds after which a hanging test fails


async def restart(harness: MoneyHarness) -> None:
    harness.bank.before_token = at_once
    harness.bank.before_answer = at_once
    harness.bank.before_status = at_once
    harness.start()
    with capture_logs():
        await harness.worker.recover()
        await harness.scan()


# A stop


async def test_a_stop_before_the_token_leaves_it_to_the_next_start(harness: MoneyHarness) -> None:
    harness.bank.before_token = never
    reference = await harness.begin_sent()
    await harness.worker.stop(grace_s=0)
    assert await harness.standing(reference) == "ready"
    await restart(harness)
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == harness.SENT


async def test_a_stop_while_the_token_is_fetched_begins_no_request(harness: MoneyHarness) -> None:
    token = asyncio.Event()
    harness.bank.before_token = token.wait
    reference = await harness.begin_sent()
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=PATIENCE_S))
    await harness.settle()
    token.set()
    await stopping
    assert harness.bank.requests == []
    assert await harness.standing(reference) == "ready"


async def test_cancelled_between_intent_and_request_it_was_not_sent(harness: MoneyHarness) -> None:
    """The intent is committed, but the worker is cancelled before it can act on it."""
    reference = await harness.begin()
    write = harness.database.write
    reached, going_on = asyncio.Event(), asyncio.Event()

    async def held(function: Callable[[StoreTx], object], *rest: Any, **more: Any) -> object:
        result = await write(function, *rest, **more)
        if "_commit_intent" in function.__qualname__:
            reached.set()
            await going_on.wait()
        return result

    harness.database.write = held  # type: ignore[assignment]
    await harness.worker.scan()
    await reached.wait()
    assert await harness.standing(reference) == "sending"
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=0))
    await asyncio.sleep(0)
    going_on.set()
    await stopping
    assert harness.bank.requests == []
    assert await harness.standing(reference) == "ready"


async def test_a_request_that_is_cancelled_is_unknown(harness: MoneyHarness) -> None:
    harness.bank.before_answer = never
    reference = await harness.begin_sent()
    with capture_logs():
        await harness.worker.stop(grace_s=0)
    assert await harness.standing(reference) == "unknown"
    assert [outcome for _, outcome in await harness.calls()] == ["unknown"]
    assert len(harness.receipts()) == 1


async def test_an_answer_in_hand_is_committed_although_its_worker_is_cancelled(
    harness: MoneyHarness,
) -> None:
    answered, writing = asyncio.Event(), threading.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin_sent()
    busy = asyncio.ensure_future(harness.database.write(lambda tx: writing.wait(PATIENCE_S)))
    await asyncio.sleep(0)
    answered.set()
    for _ in range(10):
        await asyncio.sleep(0)  # the worker has the answer and waits for the writer
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=0))
    await asyncio.sleep(0)
    writing.set()
    with capture_logs():
        await asyncio.gather(busy, stopping)
    assert await harness.standing(reference) == harness.SENT


async def test_a_stop_gives_a_request_in_flight_its_grace(harness: MoneyHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin_sent()
    stopping = asyncio.ensure_future(harness.worker.stop(grace_s=600))
    await harness.settle()
    assert not stopping.done()
    answered.set()
    with capture_logs():
        await stopping
    assert await harness.standing(reference) == harness.SENT


async def test_grace_has_an_end(harness: MoneyHarness) -> None:
    harness.bank.before_answer = never
    reference = await harness.begin_sent()
    with capture_logs():
        await harness.worker.stop(grace_s=0.01)
    assert await harness.standing(reference) == "unknown"


async def test_a_stopped_worker_claims_nothing(harness: MoneyHarness) -> None:
    await harness.worker.stop(grace_s=0)
    reference = await harness.begin()
    assert await harness.worker.scan() is None
    assert await harness.attempt(reference) == 0


async def test_a_question_that_is_cancelled_is_asked_again_after_a_start(
    harness: MoneyHarness,
) -> None:
    harness.bank.before_status = never
    with capture_logs():
        reference = await harness.begin_queried()
        before = await harness.standing(reference)
        await harness.advance(15)
    await harness.worker.stop(grace_s=0)
    assert await harness.standing(reference) == before
    harness.bank.succeed()
    await restart(harness)
    assert await harness.standing(reference) == "succeeded"


# A kill


async def test_killed_while_sending_the_next_start_finds_it_unknown_at_once(
    harness: MoneyHarness,
) -> None:
    harness.bank.before_answer = never
    reference = await harness.begin_sent()
    await kill(harness)
    await restart(harness)
    assert await harness.standing(reference) == "unknown"
    assert harness.bank.requests == [reference]
    assert len(harness.receipts()) == 1


async def test_killed_before_sending_the_next_start_sends_it_once(harness: MoneyHarness) -> None:
    harness.bank.before_token = never
    reference = await harness.begin_sent()
    await kill(harness)
    await restart(harness)
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == harness.SENT


async def test_killed_while_asking_the_next_start_asks_at_once(harness: MoneyHarness) -> None:
    harness.bank.before_status = never
    with capture_logs():
        reference = await harness.begin_queried()
        await harness.advance(15)
    await kill(harness)
    harness.bank.succeed()
    await restart(harness)
    assert len(harness.bank.asked) == 2
    assert await harness.standing(reference) == "succeeded"


async def kill(harness: MoneyHarness) -> None:
    """A killed process writes nothing."""
    write = harness.database.write

    async def dead(function: Callable[[StoreTx], object], *rest: Any, **more: Any) -> object:
        raise asyncio.CancelledError

    harness.database.write = dead  # type: ignore[method-assign]
    harness.worker.abort()
    await harness.settle()
    harness.database.write = write  # type: ignore[method-assign]


# A database that fails


@pytest.mark.parametrize("failures", [1, 3])
async def test_an_answer_outlives_a_database_that_fails(
    harness: MoneyHarness, failures: int
) -> None:
    reference = await harness.begin()
    write = harness.database.write
    left = failures
    commit = BankWorker._commit.__qualname__

    async def failing(function: Callable[[StoreTx], object], *rest: Any, **more: Any) -> object:
        nonlocal left
        if left and function.__qualname__.startswith(commit):
            left -= 1
            raise DatabaseUnavailable("the disk is full")
        return await write(function, *rest, **more)

    harness.database.write = failing  # type: ignore[assignment]
    with capture_logs():
        await harness.advance(failures * AGAIN_S)
    assert left == 0
    assert await harness.standing(reference) == harness.SENT
    assert harness.bank.requests == [reference]


@pytest.mark.parametrize("failures", [1, 3])
async def test_what_was_claimed_is_sent_as_soon_as_the_database_is_back(
    harness: MoneyHarness, failures: int
) -> None:
    reference = await harness.begin()
    write = harness.database.write
    left = failures
    commit = MoneyWorker._commit_intent.__qualname__

    async def failing(function: Callable[[StoreTx], object], *rest: Any, **more: Any) -> object:
        nonlocal left
        if left and function.__qualname__.startswith(commit):
            left -= 1
            raise DatabaseUnavailable("the server is away")
        return await write(function, *rest, **more)

    harness.database.write = failing  # type: ignore[assignment]
    await harness.advance((failures - 1) * AGAIN_S)
    assert harness.bank.requests == []
    await harness.advance(AGAIN_S)
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == harness.SENT


async def test_a_commit_that_was_reported_as_failed_is_not_taken_in_twice(
    harness: MoneyHarness,
) -> None:
    reference = await harness.begin()
    write = harness.database.write
    lost = False

    async def losing(function: Callable[[StoreTx], object], *rest: Any, **more: Any) -> object:
        nonlocal lost
        result = await write(function, *rest, **more)
        if harness.bank.requests and not lost:
            lost = True
            raise DatabaseUnavailable("the answer of the disk was lost")
        return result

    harness.database.write = losing  # type: ignore[assignment]
    with capture_logs():
        await harness.advance(AGAIN_S)
    assert lost
    assert await harness.standing(reference) == harness.SENT
    assert len(await harness.calls()) == 1
