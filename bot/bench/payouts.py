"""``hazina bench payouts``: a file of payouts from the file to the last receipt, beside float
purchases in the same run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median

from bot.app import App
from bot.bench.float import AT_ONCE, EACH, Deliveries, buy_float, read_balances, seed_wallets
from bot.bench.program import (
    NullChannel,
    Person,
    running_program,
    seed_people,
    simulated_bank,
    simulated_daraja,
    temporary_folder,
)
from bot.bench.report import Case, Comparison, Target, percentile
from bot.bench.scripted_user import ScriptedUser
from bot.channels.telegram.wire import CHANNEL
from bot.outbox.carriers import SMS, SmsChannel
from bot.scripts.payout_file import good_rows, written
from flows.engine.event import file_event
from services import approvals
from services.domain.approval import Decision
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.policy import Policy
from services.ports import Tx

FLOAT = Money(10_000_000_00)
POLICY = Policy(phone_freeze=timedelta(0))
RATE = Target("rows_per_purchase", at_least=0.8)
READS = Target("p99_ratio", at_most=1.3)
MEMORY = (Target("added_mb", below=20), Target("unpaid", below=1))


@dataclass
class _Arm:
    """Rates and read times of one round."""

    per_s: list[float] = field(default_factory=list)
    read_p99_ms: list[float] = field(default_factory=list)


async def measure(rows: int, rounds: int, within: Path | None) -> AsyncIterator[Case | Comparison]:
    """``rows`` of one file, and as many purchases, in turns."""
    floats, files = _Arm(), _Arm()
    added: list[float] = []
    longest: list[float] = []
    unpaid = 0
    for _ in range(rounds):
        deliveries = Deliveries()
        daraja = simulated_daraja()
        daraja.opening(FLOAT.cents)
        partners = -(-rows // EACH)
        buyers = [Person(10 * n) for n in range(partners)]
        maker, colleague, looker = (Person(10 * (partners + 1) + n) for n in (0, 1, 10))
        with temporary_folder(within) as folder:
            async with running_program(
                Path(folder) / "payouts.db",
                NullChannel(),
                bank=simulated_bank(),
                daraja=daraja,
                delivered=deliveries.delivered,
                more={SMS: SmsChannel(deliveries.sms)},
            ) as app:
                everybody = [*buyers, maker, colleague, looker]
                await app.database.write(lambda tx: _seed(tx, everybody, maker))  # noqa: B023
                queue, update_ids = iter(buyers), count(1)

                async def purchases() -> None:
                    await asyncio.gather(
                        *(
                            buy_float(app, deliveries, queue, update_ids)  # noqa: B023
                            for _ in range(AT_ONCE)
                        )
                    )

                await _timed(app, looker, floats, partners * EACH, purchases)
                before = _resident_mb()
                run = _File(app, deliveries, maker, colleague, rows)
                await _timed(app, looker, files, rows, run.pay)
                added.append(_resident_mb() - before)
                longest.append(run.start_ms)
                unpaid += rows - await app.database.read(_paid_rows)
    parameters = {"rows": rows, "rounds": rounds}
    yield Comparison(
        "payouts of a file against float purchases",
        parameters,
        median(files.per_s) / median(floats.per_s),
        RATE,
        {"rows_per_s": median(files.per_s), "purchases_per_s": median(floats.per_s)},
    )
    yield Comparison(
        "a balance read beside a file against beside purchases",
        parameters,
        median(files.read_p99_ms) / median(floats.read_p99_ms),
        READS,
        {"file_p99_ms": median(files.read_p99_ms), "float_p99_ms": median(floats.read_p99_ms)},
    )
    yield Case(
        "a file of payouts",
        parameters,
        {"added_mb": max(added), "unpaid": unpaid, "code_to_held_ms": median(longest)},
        MEMORY,
    )


async def _timed(
    app: App, looker: Person, arm: _Arm, made: int, work: Callable[[], Awaitable[None]]
) -> None:
    reads: list[float] = []
    reading = asyncio.create_task(read_balances(app, looker, reads))
    began = time.perf_counter()
    await work()
    arm.per_s.append(made / (time.perf_counter() - began))
    reading.cancel()
    arm.read_p99_ms.append(percentile(reads, 0.99) * 1000)


class _File:
    """One file, from its maker's chat to the receipt that says that all were paid."""

    def __init__(
        self, app: App, deliveries: Deliveries, maker: Person, colleague: Person, rows: int
    ) -> None:
        self._app = app
        self._deliveries = deliveries
        self._maker = maker
        self._colleague = colleague
        self._content = written(good_rows(rows, seed=1), None)
        self._rows = rows
        self.start_ms = 0.0

    async def pay(self) -> None:
        walker = ScriptedUser(self._app, self._maker, count(1_000_000))
        address = self._maker.address
        sent = file_event(CHANNEL, address, "999999", "staff.csv", self._content, None)
        decided = await self._app.handle(sent)
        walker.at_turn(decided.rows[-1].turn)
        await walker.perform("yes")
        await self._app.database.write(self._agree)
        await walker.perform("yes")
        code = await self._deliveries.code(self._maker.phone.msisdn)
        self.start_ms = await walker.perform(code) * 1000
        await self._deliveries.wait(address)

    def _agree(self, tx: Tx) -> None:
        second = tx.people.at(CHANNEL, self._colleague.address)
        assert second is not None
        (asked,) = approvals.undecided_for(tx, second)
        approvals.decide(tx, POLICY, second, asked.purchase, Decision.APPROVED)


def _seed(tx: Tx, people: list[Person], maker: Person) -> None:
    seed_wallets(tx, [one for one in people if one.partner != maker.partner])
    seed_people(tx, [one for one in people if one.partner == maker.partner])
    tx.ledger.book(opening_balance(maker.partner, AccountKind.FLOAT, FLOAT))


def _paid_rows(tx: Tx) -> int:
    reference = tx.payout_batches.newest()
    assert reference is not None
    return tx.payout_batches.counts(reference).paid


def _resident_mb() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1_000_000
