"""``hazina bench dashboard``: what each tile reads, beside a balance read in the same run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from bot.app import App
from bot.bench.operations import begin_today, reference, seed_database
from bot.bench.program import NullChannel, Person, running_program, temporary_folder
from bot.bench.report import Comparison, Target, percentile
from bot.bench.scans import scanned
from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.table import TILES
from bot.http.dashboard.tiles.tile import Tile
from services import balances
from services.domain.business_days import start_of_day_at
from services.domain.outbox import Rank
from services.ports import Tx

P99 = Target("ratio", at_most=3)
PEOPLE = 500  # of fifty partners
YEAR_DAYS = 365  # over which the operations are spread
STUCK, DEAD, CALLS = 500, 500, 1_000
# Tables that grow with every operation, message or turn.
GROWING = frozenset(
    (
        *("wallet_transactions", "transfers", "float_purchases", "ncb_stk_push_logs", "evidence"),
        *("provider_calls", "outbox", "trail", "audit_log", "events", "partner_events"),
        *("webhook_deliveries", "otp_validations", "external_payments", "statement_lines"),
    )
)


async def measure(
    operations: int, samples: int, pairs: int, within: Path | None
) -> AsyncIterator[Comparison]:
    """``samples`` reads of each tile and of a balance, in turn, ``pairs`` times."""
    people = [Person(n) for n in range(PEOPLE)]
    a_day = max(operations // YEAR_DAYS, 1)
    with temporary_folder(within) as folder:
        database = Path(folder) / "dashboard.db"
        await seed_database(database, people, operations)
        await asyncio.to_thread(_make_a_day_todays, database, a_day)
        async with running_program(database, NullChannel()) as app:
            await app.database.write(partial(_add_trouble, operations=operations))
            await asyncio.sleep(1.0)  # whatever the start has left to do
            for tile in TILES:
                parameters = {"operations": operations, "today": a_day}
                yield await _compare(app, tile, people[0].partner, samples, pairs, parameters)


def _make_a_day_todays(database: Path, number: int) -> None:
    """A whole day's operations are today's, whatever the hour of the run."""
    begin_today(database, number, start_of_day_at(datetime.now(UTC)))


def _add_trouble(tx: Tx, *, operations: int) -> None:
    """What a bad day leaves: much to look at, messages that never arrived, calls to the bank."""
    for n in range(min(STUCK, operations)):
        tx.evidence.open_review(reference(n), "unknown")
    for _ in range(DEAD):
        row = tx.outbox.add("telegram", "1", kind="notice", text="lost", rank=Rank.BULK)
        tx.outbox.mark_dead(row.id, "blocked")
    for n in range(min(CALLS, operations)):
        tx.evidence.call(reference(n), "query", 1, "paid", "Success", 20)


async def _compare(
    app: App,
    tile: Tile,
    partner: str,
    samples: int,
    pairs: int,
    parameters: Mapping[str, object],
) -> Comparison:
    desk = Desk(app, None)

    def look(tx: Tx) -> object:
        return tile.read(tx, desk)

    def balance(tx: Tx) -> object:
        known = tx.people.partner(partner)
        assert known is not None
        return balances.of(tx, known)

    runs = [await _times(app, look, balance, samples) for _ in range(pairs + 1)]
    runs = runs[1:]  # the first reads what is not in memory yet
    ratios = [percentile(ours, 0.99) / percentile(peer, 0.99) for ours, peer in runs]
    whole = await scanned(app.database, look)
    return Comparison(
        f"dashboard: {tile.name}, p99",
        {**parameters, "samples": samples, "pairs": pairs},
        median(ratios),
        P99,
        {
            "p50_ms": median(percentile(ours, 0.5) for ours, _ in runs) * 1000,
            "p99_ms": median(percentile(ours, 0.99) for ours, _ in runs) * 1000,
            "balance_p50_ms": median(percentile(peer, 0.5) for _, peer in runs) * 1000,
            "balance_p99_ms": median(percentile(peer, 0.99) for _, peer in runs) * 1000,
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
        },
        {"scans nothing that grows": GROWING.isdisjoint(whole)},
    )


async def _times(
    app: App, look: Callable[[Tx], object], peer: Callable[[Tx], object], samples: int
) -> tuple[list[float], list[float]]:
    """Seconds from the call on the event loop to its answer there, of both in turn, so that what
    else the machine does falls on both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(samples):
        for read, seconds in zip((look, peer), taken, strict=True):
            began = time.perf_counter()
            await app.database.read(read)
            seconds.append(time.perf_counter() - began)
    return taken
