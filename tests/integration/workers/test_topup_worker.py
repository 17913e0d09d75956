"""The worker that talks to the bank: one request that may move money, ever, and what comes back."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from bot.context import AppContext as At
from bot.notify.notify import Notifier
from bot.outbox.durable_write import AGAIN_S
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.sessions import SessionCache
from bot.workers.bank_worker import LEASE
from bot.workers.topups import TopUpWorker
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services import topups
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NotPaid,
    NotSent,
    Paid,
    Prompt,
    Ready,
    Rejected,
    Unknown,
)
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.topup import NOT_SENT_EVERY, NOT_SENT_FOR, TopUp, TopUpState
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database, DatabaseUnavailable
from storage.transaction import SqliteTx
from tests.kit.scripted_bank import ScriptedCollections, at_once
from tests.kit.worker_harness import AMINA, PHONE, WorkerHarness, add_finsafe

TEXTS = Texts.load()
KEYS = Keyring({"1": bytes(32)})
PATIENCE_S = 5.0  # after which a test that hangs fails instead


class TopUpHarness(WorkerHarness):
    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.bank = ScriptedCollections()
        self.random = cast("Random", random.Random(1))
        self.begun = 0
        self.start()

    def start(self) -> None:
        self.worker: TopUpWorker = TopUpWorker(
            self.database,
            self.bank,
            self.clock,
            self.random,
            Notifier(
                Engine(all_flows(), TEXTS),
                SessionCache(all_flows()),
                At(TEXTS, self.random, KEYS, NO_CODES),
            ),
            self.committed,
            self.wake,
        )

    async def begin(self) -> str:
        """Commit the intent of one top-up; returns its reference."""
        self.begun += 1

        def begin(tx: SqliteTx) -> str:
            person = tx.people.at("telegram", AMINA)
            assert person is not None
            amount = Money(self.begun * 100)
            topup = topups.start(
                tx, self.random, person, "telegram", AMINA, str(self.begun), amount, PHONE
            )
            assert isinstance(topup, TopUp)
            return topup.reference

        return await self.database.write(begin)

    async def get(self, reference: str) -> TopUp:
        topup = await self.database.read(lambda tx: tx.topups.get(reference))
        assert topup is not None
        return topup

    async def state(self, reference: str) -> TopUpState:
        return (await self.get(reference)).state

    async def wallet(self) -> Money:
        return await self.posted(AccountKind.WALLET)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[TopUpHarness]:
    clock = VirtualClock()
    database = await Database.open(tmp_path / "hazina.db", clock.now)
    await database.write(add_finsafe)
    harness = TopUpHarness(database, clock)
    yield harness
    await harness.worker.stop(grace_s=0)
    await database.close()


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
    """A call in flight holds no transaction: others write meanwhile."""
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


# What never left the machine


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
    """Nothing left the machine, so this is still the one request."""
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
    slow = asyncio.Event()
    harness.bank.before_token = slow.wait
    reference = await harness.begin()
    await harness.advance(19)
    assert harness.bank.tokens == 1  # nobody else takes it before the lease has ended
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
    """Both have yet to begin: the claim says whose turn it is, not who comes first."""
    monkeypatch.setattr("bot.workers.topups.LEASE", timedelta(seconds=20))
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


# Many at once


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
        await asyncio.sleep(0)  # the worker has the answer, and waits for the writer
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


async def test_a_stopped_collector_claims_nothing(harness: TopUpHarness) -> None:
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
    """The intent is committed, and its worker cancelled before it could act on it."""
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

    async def failing(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        nonlocal left
        if left and "Collector._note" in function.__qualname__:
            left -= 1
            raise DatabaseUnavailable("the disk is full")
        return await write(function, *rest)

    harness.database.write = failing  # type: ignore[assignment]
    with capture_logs():
        await harness.advance(failures * AGAIN_S)
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
