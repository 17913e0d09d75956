"""The worker sends each request once, after its intent, and holds up nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from structlog.testing import capture_logs

from services.domain.bank import NotSent, Ready, Unknown
from tests.kit.money_harness import MoneyHarness
from tests.kit.scripted_bank import at_once, never

# One request


async def test_one_request_one_outcome_one_receipt(harness: MoneyHarness) -> None:
    harness.bank.succeed()
    reference = await harness.begin()
    await harness.advance(86_400)
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == "succeeded"
    assert len(harness.receipts()) == 1


async def test_the_intent_is_committed_before_the_request_leaves(harness: MoneyHarness) -> None:
    reference = await harness.begin()
    seen: list[str] = []

    async def look() -> None:
        seen.append(await harness.standing(reference))

    harness.bank.before_answer = look
    await harness.scan()
    assert seen == ["sending"]


async def test_the_token_is_in_hand_before_the_intent_is_committed(harness: MoneyHarness) -> None:
    reference = await harness.begin()
    harness.bank.before_token = never
    await harness.scan()
    assert await harness.standing(reference) == "ready"
    assert harness.bank.requests == []


async def test_nothing_is_locked_while_the_bank_thinks(harness: MoneyHarness) -> None:
    """A call in flight holds no transaction, so others can write meanwhile."""
    harness.bank.before_answer = never
    await harness.begin()
    await harness.scan()
    other = await harness.begin()
    assert await harness.standing(other) == "ready"


async def test_scans_while_a_call_is_out_send_no_second_request(harness: MoneyHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    for _ in range(5):
        await harness.scan()
    answered.set()
    await harness.scan()
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == harness.SENT


async def test_what_was_not_understood_is_never_sent_again(harness: MoneyHarness) -> None:
    harness.bank.answers = [Unknown("HTML")]
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(3 * 3_600)
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == "unknown"
    assert len(harness.receipts()) == 1


async def test_it_is_asked_about_until_the_bank_knows(harness: MoneyHarness) -> None:
    reference = await harness.begin_queried()
    with capture_logs():
        await harness.advance(60)
    asked = len(harness.bank.asked)
    assert asked >= 2
    harness.bank.succeed()
    with capture_logs():
        await harness.advance(60)
        assert len(harness.bank.asked) == asked + 1
        await harness.advance(3_600)
    assert len(harness.bank.asked) == asked + 1
    assert await harness.standing(reference) == "succeeded"


# Requests that never left the machine


async def test_what_did_not_leave_is_tried_again_until_it_does(harness: MoneyHarness) -> None:
    harness.bank.token = NotSent("no route")
    reference = await harness.begin()
    await harness.advance(12)
    assert (harness.bank.requests, await harness.standing(reference)) == ([], "ready")
    harness.bank.token = Ready("token")
    await harness.advance(5)
    assert harness.bank.requests == [reference]
    assert await harness.standing(reference) == harness.SENT


async def test_what_did_not_leave_for_a_minute_has_ended(harness: MoneyHarness) -> None:
    harness.bank.token = NotSent("no route")
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(59)
        assert await harness.standing(reference) == "ready"
        await harness.advance(6)
    assert await harness.standing(reference) == "ended"
    assert harness.bank.requests == []
    assert len(harness.receipts()) == 1


async def test_a_request_that_did_not_leave_may_leave_once_more(harness: MoneyHarness) -> None:
    """Nothing left the machine, so this is still the only request."""
    harness.bank.answers = [NotSent("refused")]
    reference = await harness.begin()
    with capture_logs():
        await harness.advance(9)
    assert harness.bank.requests == [reference, reference]
    assert await harness.standing(reference) == harness.SENT
    money = [outcome for call, outcome in await harness.calls() if call not in ("query", "status")]
    assert [outcome == "not_sent" for outcome in money] == [True, False]


# Concurrency


def counting(
    harness: MoneyHarness, under_way: list[int]
) -> Callable[[], Coroutine[Any, Any, None]]:
    """A wait of a second, which notes how many wait at once."""
    now = 0

    async def wait() -> None:
        nonlocal now
        now += 1
        under_way.append(now)
        await harness.clock.sleep(1)
        now -= 1

    return wait


async def test_more_than_may_be_called_at_once_all_get_done(harness: MoneyHarness) -> None:
    harness.limits = replace(harness.limits, sends_max=2)
    harness.start()
    under_way: list[int] = []
    harness.bank.before_answer = counting(harness, under_way)
    references = [await harness.begin() for _ in range(5)]
    await harness.advance(3)
    assert max(under_way) == 2
    assert Counter(harness.bank.requests) == Counter(references)


async def test_questions_beyond_their_number_wait_and_all_get_asked(
    harness: MoneyHarness,
) -> None:
    harness.limits = replace(harness.limits, queries_max=2)
    harness.start()
    under_way: list[int] = []
    harness.bank.before_status = counting(harness, under_way)
    with capture_logs():
        references = [await harness.begin_queried() for _ in range(5)]
        harness.bank.succeed()
        await harness.advance(25)
    assert max(under_way) == 2
    assert len(harness.bank.asked) == len(references)
    assert {await harness.standing(reference) for reference in references} == {"succeeded"}


async def test_questions_never_keep_a_request_waiting(harness: MoneyHarness) -> None:
    harness.limits = replace(harness.limits, queries_max=1)
    harness.start()
    harness.bank.before_status = never
    with capture_logs():
        for _ in range(2):
            await harness.begin_queried()
        await harness.advance(15)
    assert len(harness.bank.asked) == 1
    reference = await harness.begin_sent()
    assert await harness.standing(reference) == harness.SENT


async def test_one_that_the_bank_keeps_waiting_does_not_hold_up_the_others(
    harness: MoneyHarness,
) -> None:
    harness.bank.before_answer = never
    held = await harness.begin_sent()
    harness.bank.before_answer = at_once
    other = await harness.begin_sent()
    assert await harness.standing(held) == "sending"
    assert await harness.standing(other) == harness.SENT


async def test_a_scan_says_when_it_is_wanted_again(harness: MoneyHarness) -> None:
    assert await harness.worker.scan() is None
    with capture_logs():
        await harness.begin_queried()
    assert harness.due is not None
    assert harness.due > harness.clock.now()
