"""The worker that buys float: one request that may move money, ever, and what comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.context import AppContext as Parts
from bot.notify.notify import Notifier
from bot.outbox.durable_write import AGAIN_S
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.sessions import SessionCache
from bot.workers.float_purchases import LEASE, FloatPurchaseWorker
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services import float_purchases
from services.domain.bank import (
    FloatAnswer,
    NotSent,
    Ready,
    Rejected,
    Succeeded,
    Unknown,
)
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.float_purchases import CodeSent
from services.policy import Policy
from storage.sqlite.database import Database, DatabaseUnavailable
from storage.transaction import SqliteTx
from tests.kit.scripted_bank import ScriptedFloatBank, at_once
from tests.kit.worker_harness import AMINA, PHONE, WorkerHarness, add_finsafe

AMOUNT = Money(100_000)
S = PurchaseState


async def _never() -> None:
    await asyncio.Event().wait()


class FloatHarness(WorkerHarness):
    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.bank = ScriptedFloatBank()
        self.random = random.Random(1)
        self.parts = Parts(
            Texts.load(), self.random, Keyring({"1": b"1" * 32}), Policy(short_code="400187")
        )
        self.begun = 0
        self.start()

    def start(self) -> None:
        tell = Notifier(
            Engine(all_flows(), self.parts.texts), SessionCache(all_flows()), self.parts
        )
        self.worker: FloatPurchaseWorker = FloatPurchaseWorker(
            self.database, self.bank, self.clock, tell, self.committed, self.wake
        )

    async def begin(self) -> str:
        """One purchase whose code was right; returns its reference."""
        self.begun += 1

        def begin(tx: SqliteTx) -> str:
            person = tx.people.at("telegram", AMINA)
            assert person is not None
            keys, policy = self.parts.keys, self.parts.policy
            quoted = float_purchases.request(
                tx, self.random, policy, person, "telegram", AMINA, str(self.begun), AMOUNT
            )
            assert isinstance(quoted, Purchase)
            reference, price = quoted.reference, quoted.quote
            sent = float_purchases.confirm(
                tx, keys, self.random, policy, person, reference,
                price.amount, price.fees, price.total,
            )  # fmt: skip
            assert isinstance(sent, CodeSent)
            float_purchases.authorise(tx, keys, policy, person, reference, sent.issued.code)
            return reference

        reference = await self.database.write(begin)
        assert await self.state(reference) is S.AUTHORISED
        return reference

    async def get(self, reference: str) -> Purchase:
        purchase = await self.database.read(lambda tx: tx.purchases.get(reference))
        assert purchase is not None
        return purchase

    async def state(self, reference: str) -> PurchaseState:
        return (await self.get(reference)).state

    async def float(self) -> Money:
        return await self.posted(AccountKind.FLOAT)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[FloatHarness]:
    clock = VirtualClock()
    database = await Database.open(tmp_path / "hazina.db", clock.now)
    await database.write(lambda tx: add_finsafe(tx, wallet=Money(10_000_000)))
    harness = FloatHarness(database, clock)
    yield harness
    await harness.worker.stop(grace_s=0)
    await harness.settle()
    assert await database.read(lambda tx: tx.ledger.violations()) == []
    await database.close()


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
    harness.bank.before_token = _never
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


# What never left the machine


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
    """Nothing left the machine, so this is still the one request."""
    harness.bank.answers = [NotSent("refused"), Succeeded("B-1", "Success")]
    reference = await harness.begin()
    await harness.advance(10)
    assert harness.bank.answers == []
    assert await harness.state(reference) is S.SUCCEEDED
    assert await harness.calls() == [("float", "not_sent"), ("float", "succeeded")]


# Leases


async def test_when_the_lease_ends_without_an_answer_it_is_unknown(harness: FloatHarness) -> None:
    harness.bank.before_answer = _never
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
    harness.bank.before_answer = _never
    await harness.scan()
    harness.bank.before_answer = at_once
    other = await harness.begin()
    await harness.scan()
    assert (await harness.state(held), await harness.state(other)) == (S.SUBMITTING, S.SUCCEEDED)


# Stop and start, in each phase


async def test_a_stop_before_the_token_leaves_it_to_the_next_start(harness: FloatHarness) -> None:
    harness.bank.before_token = _never
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
    harness.bank.before_answer = _never
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
    harness.bank.before_status = _never
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


async def test_a_stopped_buyer_claims_nothing(harness: FloatHarness) -> None:
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
    hang = _hang_up(harness)  # a kill writes nothing down
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
    harness.bank.before_token = _never
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
