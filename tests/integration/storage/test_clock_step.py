"""What the database does when somebody changes the clock."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from services.domain.clock_step import ClockStep
from services.domain.database import DatabaseUnavailable
from services.domain.money import Money
from services.domain.partner import Partner
from storage.sqlite.database import Database
from storage.sqlite.empty_database import in_memory
from storage.time.clock_step import MOVES, MOVES_BACK, STAYS
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file
from tests.kit.settable_clock import DAY, SettableClock

_MOMENT = re.compile(r"^at$|_at$|^until$|(^|_)day$|_from$")
_UPDATE = re.compile(r"UPDATE (\w+) SET (.*?)(?: WHERE |$)", re.DOTALL)


@pytest.fixture
def machine() -> SettableClock:
    return SettableClock()


async def opened(path: Path, machine: SettableClock) -> Database:
    return await Database.open(
        blank_file(path), lambda: machine.wall, monotonic=lambda: machine.passed
    )


@pytest.fixture
async def database(tmp_path: Path, machine: SettableClock) -> AsyncIterator[Database]:
    database = await opened(tmp_path / "hazina.db", machine)
    yield database
    await database.close()


def moved() -> Iterator[str]:
    for statement, _ in (*MOVES, *MOVES_BACK):
        table, assignments = _UPDATE.findall(statement)[0]
        for column in re.findall(r"(\w+) = ", assignments):
            yield f"{table}.{column}"


def test_every_moment_in_the_schema_is_moved_or_said_to_stay() -> None:
    with closing(in_memory()) as conn:
        tables = [
            name
            for (name,) in conn.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
        ]
        moments = {
            f"{table}.{column[1]}"
            for table in tables
            for column in conn.execute(f"PRAGMA table_info({table})")
            if _MOMENT.search(column[1])
        }
    named = set(moved())
    assert moments - named - set(STAYS) == set()
    assert set(STAYS) - moments == set(), "a column that is not there"
    assert named & set(STAYS) == set(), "moved, and said to stay"


def forget_until(tx: StoreTx) -> datetime:
    tx.floods.note("terminal", "a", tx.now + timedelta(minutes=1))
    return tx.now


@pytest.mark.parametrize("step", [3 * DAY, -3 * DAY])
async def test_what_waits_is_moved_before_the_function_that_noticed_sees_the_new_moment(
    database: Database, machine: SettableClock, step: timedelta
) -> None:
    before = await database.write(forget_until)
    machine.set_clock(step)

    def look(tx: StoreTx) -> tuple[datetime, timedelta]:
        flood = tx.floods.get("terminal", "a")
        assert flood is not None
        return tx.now, flood.until - tx.now

    assert await database.write(look) == (before + step, timedelta(minutes=1))
    assert await database.read(look) == (before + step, timedelta(minutes=1))


async def test_a_reader_goes_by_the_old_moment_until_what_waits_was_moved(
    database: Database, machine: SettableClock
) -> None:
    before = await database.write(forget_until)
    machine.set_clock(3 * DAY)
    assert await database.read(lambda tx: tx.now) == before
    await database.follow_clock()
    assert await database.read(lambda tx: tx.now) == before + 3 * DAY


async def test_a_function_that_raises_takes_no_move_back(
    database: Database, machine: SettableClock
) -> None:
    steps: list[ClockStep] = []
    database.stepped = steps.append
    before = await database.write(forget_until)
    machine.set_clock(3 * DAY)

    def fail(tx: StoreTx) -> None:
        raise RuntimeError("its own fault")

    with pytest.raises(RuntimeError):
        await database.write(fail)
    flood = await database.read(lambda tx: tx.floods.get("terminal", "a"))
    assert flood is not None
    assert flood.until == before + 3 * DAY + timedelta(minutes=1)
    assert steps == [ClockStep(3 * DAY, before + 3 * DAY)]


async def test_a_move_that_was_not_committed_is_made_again(
    database: Database, machine: SettableClock
) -> None:
    steps: list[ClockStep] = []
    database.stepped = steps.append
    before = await database.write(forget_until)
    machine.set_clock(-3 * DAY)
    with pytest.raises(DatabaseUnavailable):
        await database.write(lambda tx: tx.conn.execute("ROLLBACK"))
    assert steps == []
    flood = await database.write(lambda tx: tx.floods.get("terminal", "a"))
    assert flood is not None
    assert flood.until == before - 3 * DAY + timedelta(minutes=1)
    assert steps == [ClockStep(-3 * DAY, before - 3 * DAY)]


async def test_a_start_with_the_clock_set_back_moves_what_waits(
    tmp_path: Path, machine: SettableClock
) -> None:
    database = await opened(tmp_path / "hazina.db", machine)
    before = await database.write(forget_until)
    await database.close()
    machine.set_clock(-3 * DAY)
    database = await opened(tmp_path / "hazina.db", machine)
    steps: list[ClockStep] = []
    database.stepped = steps.append
    flood = await database.write(lambda tx: tx.floods.get("terminal", "a"))
    assert flood is not None
    assert flood.until == before - 3 * DAY + timedelta(minutes=1)
    assert [step.by for step in steps] == [-3 * DAY]
    await database.close()


async def test_a_start_after_the_clock_has_come_back_moves_nothing(
    tmp_path: Path, machine: SettableClock
) -> None:
    database = await opened(tmp_path / "hazina.db", machine)
    for step in (2 * DAY, -2 * DAY):
        machine.set_clock(step)
        before = await database.write(forget_until)
    await database.close()
    machine.pass_time(3)
    database = await opened(tmp_path / "hazina.db", machine)
    flood = await database.write(lambda tx: tx.floods.get("terminal", "a"))
    assert flood is not None
    assert flood.until == before + timedelta(minutes=1)
    await database.close()


async def test_a_standstill_is_known_over_starts_and_steps(
    tmp_path: Path, machine: SettableClock
) -> None:
    database = await opened(tmp_path / "hazina.db", machine)
    began = await database.write(forget_until)
    await database.close()
    machine.set_clock(3 * DAY)  # while the database is closed
    for _ in range(2):
        machine.pass_time(1)
        database = await opened(tmp_path / "hazina.db", machine)
        await database.write(lambda tx: None)
        still = await database.read(lambda tx: tx.clock.downtime_since(began))
        assert abs(still - 3 * DAY) < timedelta(seconds=5)
        await database.close()
    database = await opened(tmp_path / "hazina.db", machine)
    await database.write(lambda tx: None)
    machine.set_clock(-3 * DAY)
    await database.write(lambda tx: None)
    still = await database.read(lambda tx: tx.clock.downtime_since(began - 3 * DAY))
    assert abs(still - 3 * DAY) < timedelta(seconds=5)
    await database.close()


async def test_what_was_set_by_a_clock_that_was_ahead_is_in_force_by_the_right_one(
    database: Database, machine: SettableClock
) -> None:
    machine.set_clock(3 * DAY)
    await database.write(lambda tx: tx.limits.set_from_now("c2b.max", Money(500_000), "test"))
    machine.set_clock(-3 * DAY)
    assert await database.write(lambda tx: tx.limits.in_force("c2b.max")) == Money(500_000)


async def test_what_was_done_for_a_day_to_come_is_not_done_when_it_comes(
    database: Database, machine: SettableClock
) -> None:
    await database.write(lambda tx: tx.daily.done("audit", "2026-03-05"))
    await database.write(lambda tx: tx.daily.done("reconciliation", "2026-03-02"))
    machine.set_clock(timedelta(seconds=-10))
    last = await database.write(
        lambda tx: (tx.daily.last("audit"), tx.daily.last("reconciliation"))
    )
    assert last == ("2026-03-01", "2026-03-02")


async def test_what_has_happened_stands_as_it_was_written(
    database: Database, machine: SettableClock
) -> None:
    def happen(tx: StoreTx) -> None:
        tx.people.add_partner(Partner("FINSAFE"))
        tx.evidence.add("TU-7K3QF9", "paid", "test", "said")
        tx.audit.add("FINSAFE", "admin:1", "tested", "TU-7K3QF9")

    def history(tx: StoreTx) -> list[tuple[int, ...]]:
        return tx.conn.execute(
            "SELECT at FROM evidence UNION ALL SELECT at FROM audit_log"
            " UNION ALL SELECT created_at FROM partners WHERE code = 'FINSAFE'"
        ).fetchall()

    await database.write(happen)
    before = await database.read(history)
    machine.set_clock(-3 * DAY)
    await database.write(lambda tx: None)
    assert await database.read(history) == before
    assert await database.read(lambda tx: tx.audit.chain_breaks()) == []


async def test_a_start_with_the_clock_ahead_shortens_no_wait_nor_does_putting_it_right(
    tmp_path: Path, machine: SettableClock
) -> None:
    def left_of_a_day(since: datetime, tx: StoreTx) -> timedelta:
        return tx.clock.elapses_at(since, DAY) - tx.now

    def left(tx: StoreTx) -> timedelta:
        return tx.clock.elapses_at(tx.clock.ago(timedelta(hours=1)), timedelta(hours=2)) - tx.now

    database = await opened(tmp_path / "hazina.db", machine)
    began = await database.write(lambda tx: tx.now)
    await database.close()
    machine.set_clock(3 * DAY)
    machine.pass_time(60)
    database = await opened(tmp_path / "hazina.db", machine)
    for step in (timedelta(0), -3 * DAY, -DAY, DAY):
        machine.set_clock(step)
        began += step
        assert await database.write(left) == timedelta(hours=1)
        freeze = await database.write(partial(left_of_a_day, began))
        assert abs(freeze - DAY) < timedelta(seconds=5)
    await database.close()


async def test_every_reading_of_the_last_days_is_one_that_a_moment_may_have(
    tmp_path: Path, machine: SettableClock
) -> None:
    database = await opened(tmp_path / "hazina.db", machine)
    assert await database.write(lambda tx: tx.clock.possible_offsets()) == [timedelta(0)]
    machine.set_clock(3 * DAY)
    assert await database.write(lambda tx: tx.clock.possible_offsets()) == [timedelta(0), -3 * DAY]
    machine.set_clock(-3 * DAY)
    assert await database.write(lambda tx: tx.clock.possible_offsets()) == [timedelta(0), 3 * DAY]
    machine.set_clock(9 * DAY)
    assert await database.write(lambda tx: tx.clock.possible_offsets()) == [
        timedelta(0),
        -9 * DAY,
        -6 * DAY,
    ]
    await database.close()


async def test_a_clock_put_right_while_the_desk_is_down_leaves_the_right_reading_possible(
    tmp_path: Path, machine: SettableClock
) -> None:
    database = await opened(tmp_path / "hazina.db", machine)
    machine.set_clock(-3 * DAY)
    await database.write(lambda tx: None)
    await database.close()
    machine.pass_time(60)
    machine.set_clock(3 * DAY)
    database = await opened(tmp_path / "hazina.db", machine)
    readings = await database.write(lambda tx: tx.clock.possible_offsets())
    await database.close()
    assert 3 * DAY in readings
