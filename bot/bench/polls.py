"""``hazina bench polls``: many open prompts in real time, each settled soon after it could be."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

from bot.app import App
from bot.bench.program import (
    ACCOUNT_NUMBER,
    NullChannel,
    Person,
    running_program,
    seed_people,
    simulated_bank,
    temporary_folder,
)
from bot.bench.report import Case, Target, percentile
from bot.bench.scripted_user import ScriptedUser
from bot.channels.telegram.wire import CHANNEL
from bot.clock import system_random
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.handsets import Handset
from services import topup_settlement, topups
from services.domain.bank import Accepted
from services.domain.lease import Lease
from services.domain.money import Money
from services.domain.outbox import OutboxRow
from services.domain.topup import TopUp
from services.ports import Tx
from storage.raw import connection

TARGETS = (Target("unsettled", below=1), Target("late_max_s", below=2))
PAY_WITHIN_S = 60.0  # at a random moment after confirmation
PATIENCE_S = 60.0  # after the last payment; what is open then counts as unsettled
AMOUNT = "100"
LEASE = Lease("bench", timedelta(minutes=1))

# Records every poll time the program sets for an open prompt. A claim sets ``due_at`` to the end of
# its lease and increments ``attempt``; any other write schedules a poll.
_WATCH = """
CREATE TABLE bench_polls (reference TEXT NOT NULL, due_at INTEGER NOT NULL) STRICT;
CREATE TRIGGER bench_polls_watch AFTER UPDATE OF due_at ON wallet_transactions
WHEN NEW.state = 'PENDING' AND NEW.due_at IS NOT NULL AND NEW.attempt = OLD.attempt
BEGIN INSERT INTO bench_polls VALUES (NEW.reference, NEW.due_at); END;
"""
# The first poll due at or after the payment is the one that could see it.
_POLL_AFTER = "SELECT min(due_at) FROM bench_polls WHERE reference = ? AND due_at >= ?"


@dataclass
class _ReceiptTimes:
    """When the channel received each receipt, and how long after confirmation each phone rang."""

    receipt_at: dict[str, float] = field(default_factory=dict)
    all_told: asyncio.Event = field(default_factory=asyncio.Event)
    expected: int = 0

    def delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        if row.kind == "receipt":
            self.receipt_at[row.address] = time.time()
            if len(self.receipt_at) == self.expected:
                self.all_told.set()


async def measure(
    prompts: int, spread_s: float, latency_s: float, by_chat: bool, within: Path | None
) -> AsyncIterator[Case]:
    receipts = _ReceiptTimes(expected=prompts)
    bank = simulated_bank()
    bank.latency = lambda: random.uniform(0.5, 1.5) * latency_s
    with temporary_folder(within) as folder:
        database = Path(folder) / "polls.db"
        crowd = [Person(n) for n in range(prompts)]
        channel = NullChannel()
        async with running_program(
            database, channel, bank=bank, delivered=receipts.delivered
        ) as app:
            await app.database.write(lambda tx: seed_people(tx, crowd))
            await app.database.write(_watch)
            cpu, began = time.process_time(), time.perf_counter()
            begin = _by_chat if by_chat else _accepted
            await begin(app, bank, crowd, spread_s)
            try:
                async with asyncio.timeout(PAY_WITHIN_S + PATIENCE_S):
                    await receipts.all_told.wait()
            except TimeoutError:
                pass
            elapsed = time.perf_counter() - began
            cpu = time.process_time() - cpu
        figures = _figures(database, bank, receipts)
    figures |= {
        "took_s": elapsed,
        "cpu_share": cpu / elapsed,
        "queries": bank.calls("query"),
        "token_calls": bank.calls("token"),
    }
    yield Case(
        "polls",
        {
            "prompts": prompts,
            "begun_over_s": spread_s,
            "by_chat": by_chat,
            "bank_latency_s": latency_s,
        },
        figures,
        TARGETS,
    )


def _watch(tx: Tx) -> None:
    table, _, trigger = _WATCH.partition(";")
    connection(tx).execute(table)
    connection(tx).execute(trigger)


def _will_pay(bank: SimulatedBank, person: Person) -> None:
    """Pay at a random moment of the next minute."""
    loop = asyncio.get_running_loop()
    phone = person.phone.msisdn
    loop.call_later(random.uniform(0, PAY_WITHIN_S), bank.set_handset, phone, Handset.PAYS)


async def _accepted(app: App, bank: SimulatedBank, crowd: list[Person], spread_s: float) -> None:
    """Insert prompts just accepted by the bank, at an even pace, so that only polling is left."""
    amount = Money(100_00)
    chance = system_random()

    def accept(tx: Tx, person: Person) -> None:
        who = tx.people.at(CHANNEL, person.address)
        assert who is not None
        begun = topups.start(
            tx, chance, who, CHANNEL, person.address, f"bench:{person.n}", amount, person.phone
        )
        assert isinstance(begun, TopUp)
        sending = topup_settlement.begin_sending(tx, begun, LEASE)
        assert sending is not None
        account_no = f"{ACCOUNT_NUMBER}#{begun.account_reference}"
        prompt = bank.prompts.send(person.phone.msisdn, amount.whole_units, account_no)
        accepted = Accepted(prompt.transaction_id, prompt.reference_id, "Success")
        topup_settlement.record_initiate(tx, sending, accepted, 0, chance.uniform(-1, 1))

    start = time.monotonic()
    for person in crowd:
        await asyncio.sleep(start + spread_s * person.n / len(crowd) - time.monotonic())
        await app.database.write(partial(accept, person=person))
        app.jobs.wake("topups")
        _will_pay(bank, person)


async def _by_chat(app: App, bank: SimulatedBank, crowd: list[Person], spread_s: float) -> None:
    """Everybody tops up by chat at an even pace, which includes turns and prompt requests."""
    loop = asyncio.get_running_loop()
    update_ids = count(1)
    start = loop.time()

    async def top_up(person: Person, begins_at: float) -> None:
        await asyncio.sleep(begins_at - loop.time())
        walker = ScriptedUser(app, person, update_ids)
        for what in ("/topup", AMOUNT, "mine", "yes"):
            await walker.perform(what)
        _will_pay(bank, person)

    await asyncio.gather(
        *(top_up(person, start + spread_s * person.n / len(crowd)) for person in crowd)
    )


def _figures(
    database: Path, bank: SimulatedBank, receipts: _ReceiptTimes
) -> dict[str, float | int]:
    """Delay of each receipt after the first poll that could have seen the payment."""
    paid_at = {prompt.phone: prompt.ended_at for prompt in bank.paid()}
    late: list[float] = []
    rings: list[float] = []
    conn = sqlite3.connect(database)
    conn.execute("CREATE INDEX bench_polls_by ON bench_polls (reference, due_at)")
    rows = conn.execute(
        "SELECT w.reference, w.address, w.phone, w.state, w.created_at, p.answered_at"
        " FROM wallet_transactions AS w JOIN ncb_stk_push_logs AS p USING (reference)"
    ).fetchall()
    for reference, address, phone, state, created_at, answered_at in rows:
        receipt_at_s, paid = receipts.receipt_at.get(address), paid_at.get(phone)
        if answered_at is not None:
            rings.append((answered_at - created_at) / 1000)
        if state != "PAID" or receipt_at_s is None or paid is None:
            continue
        paid_ms = (paid - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000
        due_at = conn.execute(_POLL_AFTER, (reference, paid_ms)).fetchone()[0]
        # Paid after the last scheduled poll but still seen: that poll itself ran late by more.
        late.append(receipt_at_s - (paid_ms if due_at is None else due_at) / 1000)
    conn.close()
    return {
        "settled": len(late),
        "unsettled": receipts.expected - len(late),
        "late_p50_s": percentile(late, 0.5),
        "late_p99_s": percentile(late, 0.99),
        "late_max_s": percentile(late, 1.0),
        "yes_to_prompt_p50_s": percentile(rings, 0.5),
        "yes_to_prompt_p99_s": percentile(rings, 0.99),
        "yes_to_prompt_max_s": percentile(rings, 1.0),
    }
