"""Each mistake with files of payouts is caught on the shortest way to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.simulation.daraja.payees import parse_payee
from bot.simulation.world import Home
from bot.storm.captured_log import captured_log
from bot.storm.crash_points import (
    FILE_ROWS,
    JOURNEYS,
    PAYEE,
    THIRD_PAYEE,
    JourneyRun,
    send_file,
)
from bot.storm.invariant_checker import InvariantChecker
from services.domain.payout_batch import BatchState
from services.ports import Tx
from tests.storm.batch_mistakes import BATCH_MISTAKES
from tests.storm.mistake import Mistake

Journey = Callable[[JourneyRun], Awaitable[None]]


async def _agreed_by_its_maker(play: JourneyRun) -> None:
    await play.send(*FILE_ROWS)
    await play.tap("yes")
    await play.say("/approve")
    await play.tap(play.newest("BA").lower(), "yes")


async def _by_another_code(play: JourneyRun) -> None:
    """Codes of the first ten minutes are not looked at."""
    await play.say(f"/pay {PAYEE} 300")
    await play.tap("yes")
    await play.say(play.codes()[-1])
    await play.world.advance(700)
    await play.say(f"/pay {PAYEE} 400")
    await play.tap("yes")
    (paid_with,) = play.codes()
    await play.send(*FILE_ROWS)
    await play.tap("yes")
    await play.say("/approve", who=play.colleague)
    await play.tap(play.newest("BA").lower(), "yes", who=play.colleague)
    await play.tap("yes")
    await play.say(paid_with)


async def _one_unheard_of(play: JourneyRun) -> None:
    play.world.daraja.set_payee(THIRD_PAYEE, parse_payee("late 5h"))
    await send_file(play, *FILE_ROWS)
    await play.world.advance(10)


async def _agreed_and_paid_otherwise(play: JourneyRun) -> str:
    """A payout like a row of the file, which is returned, waits for its code."""
    await play.send(*FILE_ROWS)
    await play.tap("yes")
    await play.say("/approve", who=play.colleague)
    file = play.newest("BA")
    await play.tap(file.lower(), "yes", who=play.colleague)
    await play.world.advance(1)
    await play.say(f"/pay {PAYEE} 1500")
    await play.tap("yes")
    return file


async def _go_on_with_the_file(play: JourneyRun, file: str) -> None:
    await play.world.advance(1)
    await play.say("/batches")
    await play.tap(file.lower(), "yes")
    await play.say(play.codes()[-1])
    await play.world.advance(1)


async def _paid_since_it_was_read(play: JourneyRun) -> None:
    file = await _agreed_and_paid_otherwise(play)
    await play.say(play.codes()[-1])
    await _go_on_with_the_file(play, file)


async def _paid_by_the_file_since(play: JourneyRun) -> None:
    file = await _agreed_and_paid_otherwise(play)
    (code,) = play.codes()
    await _go_on_with_the_file(play, file)
    await play.say("/pay")
    await play.tap("continue")
    await play.say(code)


WAYS: dict[str, Journey] = {
    "let the maker of a file agree to it": _agreed_by_its_maker,
    "run a file whose digest nobody compared": JOURNEYS["file"],
    "send a row after its file was stopped": JOURNEYS["file stopped"],
    "pay a row twice": JOURNEYS["file"],
    "keep what a stopped row holds": JOURNEYS["file stopped"],
    "run a file without its code": _by_another_code,
    "call a file done while rows are open": _one_unheard_of,
    "pay in a file what was paid since it was read": _paid_since_it_was_read,
    "pay what a file has paid since the quote": _paid_by_the_file_since,
    "hold another sum than the rows cost": JOURNEYS["file"],
}


@pytest.mark.parametrize("mistake", BATCH_MISTAKES, ids=lambda mistake: mistake.name)
async def test_a_mistake_with_files_is_caught_where_it_matters(
    world_home: Home, mistake: Mistake
) -> None:
    with mistake.make():
        found = await _invariants_broken_by(world_home, WAYS[mistake.name])
    assert found & mistake.caught_by, found


@pytest.mark.parametrize(
    "way",
    [
        JOURNEYS["file"],
        JOURNEYS["file stopped"],
        _by_another_code,
        _one_unheard_of,
        _paid_since_it_was_read,
        _paid_by_the_file_since,
    ],
    ids=["file", "stop", "code", "unheard of", "paid before", "paid after"],
)
async def test_the_same_way_breaks_nothing_without_the_mistake(
    world_home: Home, way: Journey
) -> None:
    assert await _invariants_broken_by(world_home, way) == set()


@pytest.mark.parametrize(
    ("journey", "state", "rows"),
    [
        ("file", BatchState.DONE, {"paid": 2, "returned": 1}),
        ("file stopped", BatchState.STOPPED, {"paid": 1, "cancelled": 2}),
    ],
)
async def test_a_journey_of_a_file_leads_where_it_says(
    world_home: Home, journey: str, state: BatchState, rows: dict[str, int]
) -> None:
    def look(tx: Tx) -> tuple[BatchState, list[str]]:
        (batch,) = tx.payout_batches.every()
        return batch.state, [one.status for one in tx.payout_batches.results(batch.reference)]

    play = JourneyRun(world_home)
    await play.open()
    await JOURNEYS[journey](play)
    found, ended = await play.world.app.database.read(look)
    assert found is state
    assert {status: ended.count(status) for status in set(ended)} == rows
    await play.world.close()


async def _invariants_broken_by(world_home: Home, journey: Journey) -> set[str]:
    play = JourneyRun(world_home)
    watch = InvariantChecker(play.world)
    with captured_log([], watch.errors):
        await play.open()
        broken = await watch.step()
        await journey(play)
        broken += await watch.step()
        await play.world.close()
    return {one.invariant for one in broken}
