"""A lease keeps others away from an operation, and what its end means."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.gateways.shared_tokens import RENEWAL_MAX
from storage.sqlite.database import Database
from tests.kit.money_harness import MoneyHarness
from tests.kit.scripted_bank import at_once, never

SHORT = timedelta(seconds=20)


async def test_a_worker_that_lost_its_claim_sends_nothing(harness: MoneyHarness) -> None:
    harness.limits = replace(harness.limits, lease=SHORT)
    harness.start()
    slow = asyncio.Event()
    harness.bank.before_token = slow.wait
    reference = await harness.begin()
    await harness.advance(19)
    assert harness.bank.tokens == 1  # nobody else takes it before the lease ends
    await harness.advance(1)
    assert (harness.bank.tokens, harness.bank.requests) == (2, [])
    slow.set()
    with capture_logs():
        await harness.scan()
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == harness.SENT


async def test_a_late_worker_does_not_send_in_the_place_of_the_newer(
    harness: MoneyHarness,
) -> None:
    """Neither has started yet: the claim decides whose turn it is, not who comes first."""
    harness.limits = replace(harness.limits, lease=SHORT)
    harness.start()
    late, newer = asyncio.Event(), asyncio.Event()
    harness.bank.before_token = late.wait
    await harness.begin()
    await harness.advance(19)
    harness.bank.before_token = newer.wait
    await harness.advance(1)
    late.set()
    await harness.scan()
    assert harness.bank.requests == []
    newer.set()
    with capture_logs():
        await harness.scan()
    assert len(harness.bank.requests) == 1


async def test_when_the_lease_ends_without_an_answer_it_is_unknown(harness: MoneyHarness) -> None:
    harness.bank.before_answer = never
    reference = await harness.begin()
    with capture_logs() as logs:
        await harness.advance(harness.limits.lease.total_seconds() - 1)
        assert await harness.standing(reference) == "sending"
        await harness.advance(1)
    assert await harness.standing(reference) == "unknown"
    assert harness.bank.requests == [reference]
    assert len(harness.receipts()) == 1
    assert [log["reference"] for log in logs] == [reference]


async def test_success_that_a_query_and_a_late_worker_bring_counts_once(
    harness: MoneyHarness,
) -> None:
    late = asyncio.Event()
    with capture_logs():
        reference = await harness.begin_queried()
        harness.bank.succeed()
        harness.bank.before_status = late.wait
        await harness.advance(16)
        harness.bank.before_status = at_once
        await harness.advance(harness.limits.lease.total_seconds())
    told = len(harness.receipts())
    late.set()
    await harness.settle()
    assert len(harness.bank.asked) == 2
    assert await harness.standing(reference) == "succeeded"
    assert len(harness.receipts()) == told


async def test_a_worker_that_fails_is_logged_and_tried_again_after_its_lease(
    harness: MoneyHarness,
) -> None:
    with capture_logs():
        reference = await harness.begin_queried()

    async def breaks() -> None:
        raise ZeroDivisionError

    before = await harness.standing(reference)
    harness.bank.before_status = breaks
    with capture_logs() as logs:
        await harness.advance(16)
    assert [log["event"] for log in logs] == ["bank worker failed; its lease will end"]
    assert await harness.standing(reference) == before
    harness.bank.before_status = at_once
    harness.bank.succeed()
    with capture_logs():
        await harness.advance(harness.limits.lease.total_seconds())
    assert await harness.standing(reference) == "succeeded"


# Beside another process


@pytest.fixture
def several_writers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a database server: nothing proves that no other process lives."""
    monkeypatch.setattr(Database, "sole_writer", property(lambda database: False))


@pytest.mark.usefixtures("several_writers")
async def test_a_start_leaves_another_process_its_request(harness: MoneyHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.scan()
    other = harness.worker
    harness.start()
    await harness.worker.recover()
    await harness.scan()
    assert await harness.standing(reference) == "sending"
    answered.set()
    with capture_logs():
        await harness.settle()
    assert await harness.standing(reference) == harness.SENT
    await other.stop(grace_s=0)


@pytest.mark.usefixtures("several_writers")
async def test_what_another_process_died_with_is_taken_up_once_it_is_known_to_be_gone(
    harness: MoneyHarness,
) -> None:
    harness.bank.before_token = never
    reference = await harness.begin()
    await harness.scan()
    gone, harness.bank.before_token = harness.worker, at_once
    gone.abort()
    harness.start()
    await harness.worker.recover()
    await harness.scan()
    assert harness.bank.requests == []
    with capture_logs() as logs:
        harness.worker.take_over_from(["somebody", "run 1"])
        await harness.scan()
    assert harness.bank.requests == [reference]
    assert [log["count"] for log in logs if "is gone" in log["event"]] == [1]


@pytest.mark.usefixtures("several_writers")
async def test_nobody_waits_for_the_token_that_a_gone_process_asked_for(
    harness: MoneyHarness,
) -> None:
    until = harness.clock.now() + RENEWAL_MAX

    async def begins(renewer: str) -> bool:
        return await harness.database.write(
            lambda tx: tx.bank_tokens.begin_renewal("bank", renewer, until)
        )

    assert await begins("run 1")
    assert not await begins("run 2")
    harness.worker.take_over_from(["run 1"])
    await harness.scan()
    assert await begins("run 2")
    harness.worker.take_over_from(["run 1"])
    await harness.scan()
    assert not await begins("run 3")


@pytest.mark.usefixtures("several_writers")
async def test_who_was_taken_for_gone_in_the_middle_of_a_call_does_no_harm(
    harness: MoneyHarness,
) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.scan()
    frozen, harness.bank.before_answer = harness.worker, at_once
    harness.start()
    with capture_logs():
        harness.worker.take_over_from(["run 1"])
        await harness.scan()
    assert await harness.standing(reference) == "unknown"
    answered.set()
    with capture_logs():
        await harness.settle()
        harness.bank.succeed()
        await harness.advance(harness.limits.lease.total_seconds())
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == "succeeded"
    await frozen.stop(grace_s=0)


@pytest.mark.usefixtures("several_writers")
async def test_who_leaves_lets_others_go_on_with_what_was_not_begun(harness: MoneyHarness) -> None:
    begins = asyncio.Event()
    harness.bank.before_token = begins.wait
    reference = await harness.begin()
    await harness.scan()
    leaving, harness.bank.before_token = harness.worker, at_once
    stopping = asyncio.create_task(leaving.stop(grace_s=1))
    await asyncio.sleep(0)
    begins.set()
    await stopping
    await harness.database.write(leaving.leave)
    harness.start()
    await harness.scan()
    assert harness.bank.requests == [reference]


@pytest.mark.usefixtures("several_writers")
async def test_what_another_process_died_with_is_taken_up_when_its_lease_ends(
    harness: MoneyHarness,
) -> None:
    harness.limits = replace(harness.limits, lease=SHORT)
    harness.start()
    harness.bank.before_token = never
    reference = await harness.begin()
    await harness.scan()
    harness.worker.abort()
    harness.bank.before_token = at_once
    harness.start()
    await harness.worker.recover()
    with capture_logs():
        await harness.advance(19)
        assert harness.bank.requests == []
        await harness.advance(1)
    assert harness.bank.requests == [reference]
