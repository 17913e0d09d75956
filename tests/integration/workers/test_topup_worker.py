"""The worker that talks to the bank: one request that may move money, ever, and what comes back."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from bot.context import AppContext as At
from bot.notify.notifier import Notifier
from bot.outbox.durable_write import AGAIN_S
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.sessions import SessionCache
from bot.workers.bank_worker import LEASE, BankWorker
from bot.workers.topups import TopUpWorker
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.texts import Texts
from services import partners, topups
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NotPaid,
    NotSent,
    Paid,
    Prompt,
    QueryAnswer,
    Ready,
    Rejected,
    StillOpen,
    Unknown,
)
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.topup import NOT_SENT_EVERY, NOT_SENT_FOR, TopUp, TopUpState
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database, DatabaseUnavailable
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

TEXTS = Texts.load()
KEYS = Keyring({"1": bytes(32)})
AMINA = "77"
PHONE = Phone("254712345678")
PATIENCE_S = 5.0  # after which a test that hangs fails instead


class Teller:
    """``services.ports.Collections`` that says what it is told to say, when it is told to."""

    def __init__(self) -> None:
        self.token: Ready | NotSent = Ready("token")
        self.answer: Callable[[Prompt], InitiateAnswer] = lambda prompt: Accepted(
            f"STK-{prompt.reference}", None, "accepted"
        )
        self.status: QueryAnswer = StillOpen("open")
        self.prompts: list[Prompt] = []
        self.asked: list[str] = []
        self.before_token: Callable[[], Awaitable[object]] = _at_once
        self.before_answer: Callable[[], Awaitable[object]] = _at_once
        self.before_status: Callable[[], Awaitable[object]] = _at_once
        self.tokens = 0

    async def prepare(self) -> Ready | NotSent:
        self.tokens += 1
        await self.before_token()
        return self.token

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        self.prompts.append(prompt)
        await self.before_answer()
        return self.answer(prompt)

    async def query(self, bank_id: str) -> QueryAnswer:
        self.asked.append(bank_id)
        await self.before_status()
        return self.status


async def _at_once() -> None:
    return


class Desk:
    """A collector on a database that outlives it, woken by its own wish and by the clock."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        self.database = database
        self.clock = clock
        self.bank = Teller()
        self.told: list[OutboxRow] = []
        self.random = cast("Random", random.Random(1))
        self.due: datetime | None = None
        self.begun = 0
        self.start()

    def start(self) -> None:
        self.woken = False
        self.collector = TopUpWorker(
            self.database,
            self.bank,
            self.clock,
            self.random,
            Notifier(
                Engine(all_flows(), TEXTS),
                SessionCache(all_flows()),
                At(TEXTS, self.random, KEYS, NO_CODES),
            ),
            self._committed,
            self._wake,
        )

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.told += rows

    def _wake(self, due: datetime | None) -> None:
        if due is None:
            self.woken = True
        elif self.due is None or due < self.due:
            self.due = due

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

    async def scan(self) -> None:
        """Scan, and again as long as the collector asks for it."""
        while True:
            self.woken = False
            self.due = await self.collector.scan()
            await self.settle()
            if not self.woken:
                return

    async def advance(self, seconds: float) -> None:
        """Move the clock, scanning whenever something is due, as the scheduler would."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while True:
            await self.scan()
            moments = [m for m in (self.due, self.clock.next_due()) if m is not None and m <= end]
            if not moments:
                break
            self.clock.jump(min(moments))
            await self.settle()
        self.clock.jump(end)
        await self.scan()

    async def settle(self) -> None:
        """Until nothing can run but by time, or by what the test lets go."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while True:
            await asyncio.sleep(0)
            if not ready and self.database.in_flight == 0:
                return
            if not ready:
                await asyncio.sleep(0.0002)

    async def get(self, reference: str) -> TopUp:
        topup = await self.database.read(lambda tx: tx.topups.get(reference))
        assert topup is not None
        return topup

    async def state(self, reference: str) -> TopUpState:
        return (await self.get(reference)).state

    async def wallet(self) -> Money:
        account = Account("FINSAFE", AccountKind.WALLET)
        return (await self.database.read(lambda tx: tx.ledger.balance(account))).posted

    async def calls(self) -> list[tuple[str, str]]:
        """What was noted of each call to the bank, in order."""

        def read(tx: SqliteTx) -> list[tuple[str, str]]:
            return list(tx.conn.execute("SELECT call, outcome FROM provider_calls ORDER BY id"))

        return await self.database.read(read)

    def receipts(self) -> list[str]:
        return [row.text for row in self.told if row.kind == "receipt"]


def seed(tx: SqliteTx) -> None:
    partners.add(tx, Partner("FINSAFE"))
    amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "en")
    tx.people.link("telegram", AMINA, amina)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = VirtualClock()
    database = await Database.open(tmp_path / "hazina.db", clock.now)
    await database.write(seed)
    desk = Desk(database, clock)
    yield desk
    await desk.collector.stop(grace_s=0)
    await database.close()


# One request


async def test_a_prompt_is_asked_for_once_and_its_payment_credited_once(desk: Desk) -> None:
    reference = await desk.begin()
    await desk.advance(20)
    desk.bank.status = Paid("SUCCESS")
    await desk.advance(86_400)
    assert [prompt.reference for prompt in desk.bank.prompts] == [reference]
    assert await desk.state(reference) is TopUpState.PAID
    assert await desk.wallet() == Money(100)
    assert len(desk.receipts()) == 1


async def test_the_bank_is_asked_for_what_was_committed(desk: Desk) -> None:
    reference = await desk.begin()
    await desk.scan()
    assert desk.bank.prompts == [Prompt(reference, PHONE, Money(100))]


async def test_the_intent_is_committed_before_the_request_leaves(desk: Desk) -> None:
    reference = await desk.begin()
    seen: list[TopUpState] = []

    async def look() -> None:
        seen.append(await desk.state(reference))

    desk.bank.before_answer = look
    await desk.scan()
    assert seen == [TopUpState.SENDING]


async def test_nothing_is_locked_while_the_bank_thinks(desk: Desk) -> None:
    """A call in flight holds no transaction: others write meanwhile."""
    desk.bank.before_answer = asyncio.Event().wait
    await desk.begin()
    await desk.scan()
    other = await desk.begin()
    assert await desk.state(other) is TopUpState.CREATED


async def test_scans_while_a_call_is_out_ask_for_no_second_prompt(desk: Desk) -> None:
    answered = asyncio.Event()
    desk.bank.before_answer = answered.wait
    reference = await desk.begin()
    for _ in range(5):
        await desk.scan()
    answered.set()
    await desk.scan()
    assert len(desk.bank.prompts) == 1
    assert await desk.state(reference) is TopUpState.PENDING


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Rejected("bank_refused", "no"), TopUpState.REJECTED),
        (Unknown("HTML"), TopUpState.SEND_UNKNOWN),
    ],
)
async def test_what_was_refused_or_not_understood_is_never_sent_again(
    desk: Desk, answer: InitiateAnswer, state: TopUpState
) -> None:
    desk.bank.answer = lambda prompt: answer
    reference = await desk.begin()
    with capture_logs():
        await desk.advance(86_400)
    assert (len(desk.bank.prompts), desk.bank.asked) == (1, [])
    assert await desk.state(reference) is state
    assert len(desk.receipts()) == 1


# What never left the machine


async def test_what_did_not_leave_is_tried_again_until_it_does(desk: Desk) -> None:
    desk.bank.token = NotSent("no route")
    reference = await desk.begin()
    await desk.advance(12)
    assert (desk.bank.prompts, await desk.state(reference)) == ([], TopUpState.CREATED)
    desk.bank.token = Ready("token")
    await desk.advance(NOT_SENT_EVERY.total_seconds())
    assert len(desk.bank.prompts) == 1
    assert await desk.state(reference) is TopUpState.PENDING


async def test_what_did_not_leave_for_a_minute_is_rejected(desk: Desk) -> None:
    desk.bank.token = NotSent("no route")
    reference = await desk.begin()
    with capture_logs():
        await desk.advance(NOT_SENT_FOR.total_seconds() - 1)
        assert await desk.state(reference) is TopUpState.CREATED
        await desk.advance(1)
    topup = await desk.get(reference)
    assert (topup.state, topup.reason) == (TopUpState.REJECTED, Reason.BANK_DOWN)
    assert desk.bank.prompts == []


async def test_a_request_that_did_not_leave_may_leave_once_more(desk: Desk) -> None:
    """Nothing left the machine, so this is still the one request."""
    answers: list[InitiateAnswer] = [NotSent("refused"), Accepted("STK-1", None, "ok")]
    desk.bank.answer = lambda prompt: answers.pop(0)
    reference = await desk.begin()
    await desk.advance(10)
    assert answers == []
    assert await desk.state(reference) is TopUpState.PENDING


# Claims and leases


async def test_a_worker_that_lost_its_claim_sends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workers.topups.LEASE", timedelta(seconds=20))
    slow = asyncio.Event()
    desk.bank.before_token = slow.wait
    reference = await desk.begin()
    await desk.advance(19)
    assert desk.bank.tokens == 1  # nobody else takes it before the lease has ended
    await desk.advance(1)
    assert (desk.bank.tokens, desk.bank.prompts) == (2, [])
    with capture_logs() as logs:
        slow.set()
        await desk.scan()
    assert len(desk.bank.prompts) == 1
    assert await desk.state(reference) is TopUpState.PENDING
    assert logs == []


async def test_a_late_worker_does_not_send_in_the_place_of_the_newer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have yet to begin: the claim says whose turn it is, not who comes first."""
    monkeypatch.setattr("bot.workers.topups.LEASE", timedelta(seconds=20))
    late, newer = asyncio.Event(), asyncio.Event()
    desk.bank.before_token = late.wait
    await desk.begin()
    await desk.advance(19)
    desk.bank.before_token = newer.wait
    await desk.advance(1)
    late.set()
    await desk.scan()
    assert desk.bank.prompts == []
    newer.set()
    await desk.scan()
    assert len(desk.bank.prompts) == 1


async def test_when_the_lease_ends_without_an_answer_it_is_unknown(desk: Desk) -> None:
    desk.bank.before_answer = asyncio.Event().wait
    reference = await desk.begin()
    with capture_logs() as logs:
        await desk.advance(LEASE.total_seconds() - 1)
        assert await desk.state(reference) is TopUpState.SENDING
        await desk.advance(1)
    assert await desk.state(reference) is TopUpState.SEND_UNKNOWN
    assert len(desk.bank.prompts) == 1
    assert [row.kind for row in desk.told] == ["receipt", "progress"]
    assert logs == []


async def test_an_id_that_comes_after_the_lease_is_taken(desk: Desk) -> None:
    answered = asyncio.Event()
    desk.bank.before_answer = answered.wait
    reference = await desk.begin()
    await desk.advance(LEASE.total_seconds())
    answered.set()
    desk.bank.status = Paid("SUCCESS")
    await desk.advance(60)
    assert await desk.state(reference) is TopUpState.PAID
    assert await desk.wallet() == Money(100)


async def test_a_payment_that_a_late_worker_brings_counts_once(desk: Desk) -> None:
    reference = await desk.begin()
    await desk.scan()
    late = asyncio.Event()
    desk.bank.status = Paid("SUCCESS")
    desk.bank.before_status = late.wait
    desk.clock.jump(desk.clock.now() + timedelta(seconds=10))
    await desk.scan()
    desk.bank.before_status = _at_once
    desk.clock.jump(desk.clock.now() + LEASE)
    await desk.scan()
    late.set()
    await desk.settle()
    assert len(desk.bank.asked) == 2
    assert await desk.state(reference) is TopUpState.PAID
    assert await desk.wallet() == Money(100)
    assert len(desk.receipts()) == 1


async def test_a_worker_that_fails_is_logged_and_tried_again_after_its_lease(desk: Desk) -> None:
    reference = await desk.begin()
    await desk.scan()

    async def breaks() -> None:
        raise ZeroDivisionError

    desk.bank.before_status = breaks
    with capture_logs() as logs:
        desk.clock.jump(desk.clock.now() + timedelta(seconds=10))
        await desk.scan()
    assert [log["event"] for log in logs] == ["bank worker failed; its lease will end"]
    assert await desk.state(reference) is TopUpState.PENDING
    desk.bank.before_status = _at_once
    desk.bank.status = Paid("SUCCESS")
    await desk.advance(LEASE.total_seconds())
    assert await desk.state(reference) is TopUpState.PAID


# Many at once


async def test_more_than_may_be_called_at_once_all_get_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workers.topups.SENDS_MAX", 4)
    desk.start()
    out, most = 0, 0

    async def count() -> None:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await desk.clock.sleep(1)
        out -= 1

    desk.bank.before_answer = count
    references = [await desk.begin() for _ in range(11)]
    await desk.advance(4)
    assert most == 4
    assert Counter(prompt.reference for prompt in desk.bank.prompts) == Counter(references)


async def test_questions_beyond_their_number_wait_and_all_get_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = [await desk.begin() for _ in range(5)]
    await desk.scan()
    monkeypatch.setattr("bot.workers.topups.QUERIES_MAX", 2)
    desk.start()
    out, most = 0, 0

    async def count() -> None:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await desk.clock.sleep(1)
        out -= 1

    desk.bank.before_status = count
    desk.bank.status = Paid("SUCCESS")
    await desk.advance(20)
    assert most == 2
    assert sorted(desk.bank.asked) == sorted(f"STK-{reference}" for reference in references)


async def test_questions_never_keep_a_prompt_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workers.topups.QUERIES_MAX", 1)
    desk.start()
    for _ in range(2):
        await desk.begin()
    desk.bank.before_status = asyncio.Event().wait
    await desk.advance(10)
    assert len(desk.bank.asked) == 1
    reference = await desk.begin()
    await desk.scan()
    assert await desk.state(reference) is TopUpState.PENDING


async def test_one_that_the_bank_keeps_waiting_does_not_hold_up_the_others(desk: Desk) -> None:
    held = await desk.begin()
    desk.bank.before_answer = asyncio.Event().wait
    await desk.scan()
    desk.bank.before_answer = _at_once
    other = await desk.begin()
    await desk.scan()
    states = await desk.state(held), await desk.state(other)
    assert states == (TopUpState.SENDING, TopUpState.PENDING)


async def test_a_scan_says_when_it_is_wanted_again(desk: Desk) -> None:
    assert await desk.collector.scan() is None
    reference = await desk.begin()
    await desk.scan()
    assert desk.due == (await desk.get(reference)).due_at
    assert desk.due is not None
    assert desk.due > desk.clock.now()


# Stop and start


async def test_a_call_that_is_cancelled_is_unknown(desk: Desk) -> None:
    desk.bank.before_answer = asyncio.Event().wait
    reference = await desk.begin()
    await desk.scan()
    await desk.collector.stop(grace_s=0)
    assert await desk.state(reference) is TopUpState.SEND_UNKNOWN
    assert await desk.calls() == [("initiate", "unknown")]


async def test_an_answer_in_hand_is_committed_although_its_worker_is_cancelled(
    desk: Desk,
) -> None:
    answered, writing = asyncio.Event(), threading.Event()
    desk.bank.before_answer = answered.wait
    reference = await desk.begin()
    await desk.scan()
    busy = asyncio.ensure_future(desk.database.write(lambda tx: writing.wait(PATIENCE_S)))
    await asyncio.sleep(0)
    answered.set()
    for _ in range(10):
        await asyncio.sleep(0)  # the worker has the answer, and waits for the writer
    stopping = asyncio.ensure_future(desk.collector.stop(grace_s=0))
    await asyncio.sleep(0)
    writing.set()
    await asyncio.gather(busy, stopping)
    assert await desk.state(reference) is TopUpState.PENDING


async def test_a_stop_gives_a_call_in_flight_its_grace(desk: Desk) -> None:
    answered = asyncio.Event()
    desk.bank.before_answer = answered.wait
    reference = await desk.begin()
    await desk.scan()
    stopping = asyncio.ensure_future(desk.collector.stop(grace_s=600))
    await desk.settle()
    assert not stopping.done()
    answered.set()
    await stopping
    assert await desk.state(reference) is TopUpState.PENDING


async def test_grace_has_an_end(desk: Desk) -> None:
    desk.bank.before_answer = asyncio.Event().wait
    reference = await desk.begin()
    await desk.scan()
    await desk.collector.stop(grace_s=0.01)
    assert await desk.state(reference) is TopUpState.SEND_UNKNOWN


async def test_a_stopped_collector_claims_nothing(desk: Desk) -> None:
    await desk.collector.stop(grace_s=0)
    reference = await desk.begin()
    assert await desk.collector.scan() is None
    assert (await desk.get(reference)).attempt == 0


async def test_a_stop_before_anything_was_sent_leaves_it_to_the_next_start(desk: Desk) -> None:
    desk.bank.before_token = asyncio.Event().wait
    reference = await desk.begin()
    await desk.scan()
    await desk.collector.stop(grace_s=0)
    assert await desk.state(reference) is TopUpState.CREATED
    desk.bank.before_token = _at_once
    desk.start()
    await desk.collector.recover()
    await desk.scan()
    assert len(desk.bank.prompts) == 1
    assert await desk.state(reference) is TopUpState.PENDING


async def test_a_stop_while_the_token_is_fetched_begins_no_request(desk: Desk) -> None:
    token = asyncio.Event()
    desk.bank.before_token = token.wait
    reference = await desk.begin()
    await desk.scan()
    stopping = asyncio.ensure_future(desk.collector.stop(grace_s=PATIENCE_S))
    await desk.settle()
    token.set()
    await stopping
    assert desk.bank.prompts == []
    assert await desk.state(reference) is TopUpState.CREATED


async def test_cancelled_before_the_request_it_was_not_sent(desk: Desk) -> None:
    """The intent is committed, and its worker cancelled before it could act on it."""
    reference = await desk.begin()
    write = desk.database.write
    reached, going_on = asyncio.Event(), asyncio.Event()

    async def held(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        result = await write(function, *rest)
        if isinstance(result, TopUp) and result.state is TopUpState.SENDING:
            reached.set()
            await going_on.wait()
        return result

    desk.database.write = held  # type: ignore[assignment]
    await desk.collector.scan()
    await reached.wait()
    stopping = asyncio.ensure_future(desk.collector.stop(grace_s=0))
    await asyncio.sleep(0)
    going_on.set()
    await stopping
    assert desk.bank.prompts == []
    assert await desk.state(reference) is TopUpState.CREATED


@pytest.mark.parametrize("failures", [1, 3])
async def test_the_banks_id_outlives_a_database_that_fails(desk: Desk, failures: int) -> None:
    reference = await desk.begin()
    write = desk.database.write
    left = failures
    commit = BankWorker._commit.__qualname__

    async def failing(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        nonlocal left
        if left and function.__qualname__.startswith(commit):
            left -= 1
            raise DatabaseUnavailable("the disk is full")
        return await write(function, *rest)

    desk.database.write = failing  # type: ignore[assignment]
    with capture_logs():
        await desk.advance(failures * AGAIN_S)
    assert left == 0
    assert await desk.state(reference) is TopUpState.PENDING
    assert len(desk.bank.prompts) == 1


async def test_a_commit_that_was_reported_as_failed_is_not_taken_in_twice(desk: Desk) -> None:
    reference = await desk.begin()
    write = desk.database.write
    lost = False

    async def losing(function: Callable[[SqliteTx], object], *rest: Any) -> object:
        nonlocal lost
        result = await write(function, *rest)
        if desk.bank.prompts and not lost:
            lost = True
            raise DatabaseUnavailable("the answer of the disk was lost")
        return result

    desk.database.write = losing  # type: ignore[assignment]
    with capture_logs():
        await desk.advance(AGAIN_S)
    assert await desk.state(reference) is TopUpState.PENDING
    assert await desk.calls() == [("initiate", "accepted")]


async def test_a_start_finds_what_was_being_sent_unknown_at_once(desk: Desk) -> None:
    desk.bank.before_answer = asyncio.Event().wait
    reference = await desk.begin()
    await desk.scan()
    desk.collector.abort()
    desk.start()
    with capture_logs():
        await desk.collector.recover()
        await desk.scan()
    assert await desk.state(reference) is TopUpState.SEND_UNKNOWN
    assert len(desk.bank.prompts) == 1
    assert len(desk.receipts()) == 1


async def test_a_start_goes_on_asking_about_what_is_open(desk: Desk) -> None:
    reference = await desk.begin()
    await desk.scan()
    desk.collector.abort()
    desk.start()
    await desk.collector.recover()
    desk.bank.status = Paid("SUCCESS")
    await desk.advance(LEASE.total_seconds())
    assert await desk.state(reference) is TopUpState.PAID


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
    desk: Desk, answer: InitiateAnswer, level: str
) -> None:
    desk.bank.answer = lambda prompt: answer
    reference = await desk.begin()
    with capture_logs() as logs:
        await desk.scan()
    (log,) = logs
    assert (log["log_level"], log["reference"]) == (level, reference)
    assert PHONE.msisdn not in str(log)


async def test_a_soft_failure_is_told_and_still_asked_about(desk: Desk) -> None:
    reference = await desk.begin()
    desk.bank.status = NotPaid(Reason.UNREACHABLE, False, "DS timeout")
    with capture_logs():
        await desk.advance(10)
        assert await desk.state(reference) is TopUpState.NOT_PAID
        desk.bank.status = Paid("SUCCESS")
        await desk.advance(60)
    assert await desk.state(reference) is TopUpState.PAID_LATE
    assert await desk.wallet() == Money(100)
    assert len(desk.receipts()) == 2
