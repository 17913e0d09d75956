"""The worker sends each prompt once, books what comes back and blocks nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.workers.bank_worker import LEASE
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NotSent,
    Paid,
    Prompt,
    Ready,
    Rejected,
    Unknown,
)
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.topup import NOT_SENT_EVERY, NOT_SENT_FOR, TopUpState
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


async def test_the_intent_is_committed_before_the_request_leaves(harness: TopUpHarness) -> None:
    reference = await harness.begin()
    seen: list[TopUpState] = []

    async def look() -> None:
        seen.append(await harness.state(reference))

    harness.bank.before_answer = look
    await harness.scan()
    assert seen == [TopUpState.SENDING]


async def test_nothing_is_locked_while_the_bank_thinks(harness: TopUpHarness) -> None:
    """A call in flight holds no transaction, so others can write meanwhile."""
    harness.bank.before_answer = asyncio.Event().wait
    await harness.begin()
    await harness.scan()
    other = await harness.begin()
    assert await harness.state(other) is TopUpState.CREATED


async def test_scans_while_a_call_is_out_ask_for_no_second_prompt(harness: TopUpHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    for _ in range(5):
        await harness.scan()
    answered.set()
    await harness.scan()
    assert len(harness.bank.prompts) == 1
    assert await harness.state(reference) is TopUpState.PENDING


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


async def test_what_did_not_leave_is_tried_again_until_it_does(harness: TopUpHarness) -> None:
    harness.bank.token = NotSent("no route")
    reference = await harness.begin()
    await harness.advance(12)
    assert (harness.bank.prompts, await harness.state(reference)) == ([], TopUpState.CREATED)
    harness.bank.token = Ready("token")
    await harness.advance(NOT_SENT_EVERY.total_seconds())
    assert len(harness.bank.prompts) == 1
    assert await harness.state(reference) is TopUpState.PENDING


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


async def test_a_request_that_did_not_leave_may_leave_once_more(harness: TopUpHarness) -> None:
    """Nothing left the machine, so this is still the only request."""
    answers: list[InitiateAnswer] = [NotSent("refused"), Accepted("STK-1", None, "ok")]
    harness.bank.answer = lambda prompt: answers.pop(0)
    reference = await harness.begin()
    await harness.advance(10)
    assert answers == []
    assert await harness.state(reference) is TopUpState.PENDING


# Claims and leases


async def test_a_worker_that_lost_its_claim_sends_nothing(
    harness: TopUpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workers.topups.LEASE", timedelta(seconds=20))
    harness.start()
    slow = asyncio.Event()
    harness.bank.before_token = slow.wait
    reference = await harness.begin()
    await harness.advance(19)
    assert harness.bank.tokens == 1  # nobody else takes it before the lease ends
    await harness.advance(1)
    assert (harness.bank.tokens, harness.bank.prompts) == (2, [])
    with capture_logs() as logs:
        slow.set()
        await harness.scan()
    assert len(harness.bank.prompts) == 1
    assert await harness.state(reference) is TopUpState.PENDING
    assert logs == []


async def test_a_late_worker_does_not_send_in_the_place_of_the_newer(
    harness: TopUpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has started yet: the claim decides whose turn it is, not who comes first."""
    monkeypatch.setattr("bot.workers.topups.LEASE", timedelta(seconds=20))
    harness.start()
    late, newer = asyncio.Event(), asyncio.Event()
    harness.bank.before_token = late.wait
    await harness.begin()
    await harness.advance(19)
    harness.bank.before_token = newer.wait
    await harness.advance(1)
    late.set()
    await harness.scan()
    assert harness.bank.prompts == []
    newer.set()
    await harness.scan()
    assert len(harness.bank.prompts) == 1


async def test_when_the_lease_ends_without_an_answer_it_is_unknown(harness: TopUpHarness) -> None:
    harness.bank.before_answer = asyncio.Event().wait
    reference = await harness.begin()
    with capture_logs() as logs:
        await harness.advance(LEASE.total_seconds() - 1)
        assert await harness.state(reference) is TopUpState.SENDING
        await harness.advance(1)
    assert await harness.state(reference) is TopUpState.SEND_UNKNOWN
    assert len(harness.bank.prompts) == 1
    assert [row.kind for row in harness.told] == ["receipt", "progress"]
    assert logs == []


async def test_an_id_that_comes_after_the_lease_is_taken(harness: TopUpHarness) -> None:
    answered = asyncio.Event()
    harness.bank.before_answer = answered.wait
    reference = await harness.begin()
    await harness.advance(LEASE.total_seconds())
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
    harness.clock.jump(harness.clock.now() + LEASE)
    await harness.scan()
    late.set()
    await harness.settle()
    assert len(harness.bank.asked) == 2
    assert await harness.state(reference) is TopUpState.PAID
    assert await harness.wallet() == Money(100)
    assert len(harness.receipts()) == 1


async def test_a_worker_that_fails_is_logged_and_tried_again_after_its_lease(
    harness: TopUpHarness,
) -> None:
    reference = await harness.begin()
    await harness.scan()

    async def breaks() -> None:
        raise ZeroDivisionError

    harness.bank.before_status = breaks
    with capture_logs() as logs:
        harness.clock.jump(harness.clock.now() + timedelta(seconds=10))
        await harness.scan()
    assert [log["event"] for log in logs] == ["bank worker failed; its lease will end"]
    assert await harness.state(reference) is TopUpState.PENDING
    harness.bank.before_status = at_once
    harness.bank.status = Paid("SUCCESS")
    await harness.advance(LEASE.total_seconds())
    assert await harness.state(reference) is TopUpState.PAID


# Concurrency


async def test_more_than_may_be_called_at_once_all_get_done(
    harness: TopUpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workers.topups.SENDS_MAX", 4)
    harness.start()
    out, most = 0, 0

    async def count() -> None:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await harness.clock.sleep(1)
        out -= 1

    harness.bank.before_answer = count
    references = [await harness.begin() for _ in range(11)]
    await harness.advance(4)
    assert most == 4
    assert Counter(prompt.reference for prompt in harness.bank.prompts) == Counter(references)


async def test_questions_beyond_their_number_wait_and_all_get_asked(
    harness: TopUpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = [await harness.begin() for _ in range(5)]
    await harness.scan()
    monkeypatch.setattr("bot.workers.topups.QUERIES_MAX", 2)
    harness.start()
    out, most = 0, 0

    async def count() -> None:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await harness.clock.sleep(1)
        out -= 1

    harness.bank.before_status = count
    harness.bank.status = Paid("SUCCESS")
    await harness.advance(20)
    assert most == 2
    assert sorted(harness.bank.asked) == sorted(f"STK-{reference}" for reference in references)


async def test_questions_never_keep_a_prompt_waiting(
    harness: TopUpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workers.topups.QUERIES_MAX", 1)
    harness.start()
    for _ in range(2):
        await harness.begin()
    harness.bank.before_status = asyncio.Event().wait
    await harness.advance(10)
    assert len(harness.bank.asked) == 1
    reference = await harness.begin()
    await harness.scan()
    assert await harness.state(reference) is TopUpState.PENDING


async def test_one_that_the_bank_keeps_waiting_does_not_hold_up_the_others(
    harness: TopUpHarness,
) -> None:
    held = await harness.begin()
    harness.bank.before_answer = asyncio.Event().wait
    await harness.scan()
    harness.bank.before_answer = at_once
    other = await harness.begin()
    await harness.scan()
    states = await harness.state(held), await harness.state(other)
    assert states == (TopUpState.SENDING, TopUpState.PENDING)


async def test_a_scan_says_when_it_is_wanted_again(harness: TopUpHarness) -> None:
    assert await harness.worker.scan() is None
    reference = await harness.begin()
    await harness.scan()
    assert harness.due == (await harness.get(reference)).due_at
    assert harness.due is not None
    assert harness.due > harness.clock.now()
