"""Two whole programs on one database: any takes what comes, one sends, no call is made twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

import psycopg
import pytest

from bot.app import App
from bot.bench.program import (
    NullChannel,
    Person,
    running_program,
    seed_people,
    simulated_bank,
)
from bot.bench.scripted_user import ScriptedUser
from bot.http.measurements import Measurements, backlog
from bot.simulation.ncba.bank import SimulatedBank
from services.ports import Tx
from storage import invariants
from storage.postgres import membership
from storage.postgres.database import Database
from storage.postgres.simulated import ServedDatabase
from storage.raw import connection

pytestmark = pytest.mark.postgres

PEOPLE = [Person(n) for n in range(0, 60, 10)]  # each of another partner


class Desk(NamedTuple):
    app: App
    channel: NullChannel


@asynccontextmanager
async def desks(served: ServedDatabase, bank: SimulatedBank) -> AsyncIterator[tuple[Desk, Desk]]:
    """The one that leads first."""
    one, two = NullChannel(), NullChannel()
    async with running_program(served.address, one, bank=bank) as first:
        await first.database.write(lambda tx: seed_people(tx, PEOPLE))
        async with running_program(served.address, two, bank=bank) as second:
            await until(lambda: first.database.leads and len(first.database.others) == 1)
            assert second.database.follows
            yield Desk(first, one), Desk(second, two)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it is about what other threads do
            await asyncio.sleep(0.02)


async def test_what_one_answers_the_leader_sends(served: ServedDatabase) -> None:
    async with desks(served, simulated_bank()) as (leader, follower):
        user = ScriptedUser(follower.app, PEOPLE[0], count(1))
        await user.perform("/balance")
        await until(lambda: leader.channel.sent == 1)
        assert follower.channel.sent == 0


async def test_a_conversation_goes_on_at_any_and_each_prompt_is_asked_for_once(
    served: ServedDatabase,
) -> None:
    bank, ids = simulated_bank(), count(1)
    async with desks(served, bank) as (leader, follower):
        apps = (leader.app, follower.app)

        async def tops_up(person: Person, first: int) -> None:
            users = [ScriptedUser(app, person, ids) for app in apps]
            for n, what in enumerate(("/topup", "1,500", "mine", "yes")):
                user = users[(first + n) % 2]
                await user.perform(what)
                for other in users:
                    other.at_turn(user._turn)

        await asyncio.gather(*(tops_up(person, n) for n, person in enumerate(PEOPLE)))
        await until(lambda: bank.calls("initiate") >= len(PEOPLE))
        await asyncio.sleep(2.5)  # both look at what is due meanwhile
        assert bank.calls("initiate") == len(PEOPLE)
        wrong = await leader.app.database.read(
            lambda tx: list(invariants.invariant_violations(connection(tx)))
        )
        assert wrong == []


async def test_a_job_asked_for_at_the_follower_is_run_by_the_leader(
    served: ServedDatabase,
) -> None:
    async with desks(served, simulated_bank()) as (leader, follower):
        states = leader.app.jobs.states
        await until(lambda: states["cleanup"].runs == 1)
        follower.app.context.wake_jobs([("cleanup", None)])
        await until(lambda: states["cleanup"].runs == 2)
        await until(lambda: follower.app.all_jobs.states["cleanup"] == states["cleanup"])
        await asyncio.sleep(2.5)
        assert states["cleanup"].runs == 2
        assert follower.app.jobs.states["cleanup"].runs == 0


async def test_figures_are_counted_where_they_are_asked_for(served: ServedDatabase) -> None:
    async with desks(served, simulated_bank()) as (_, follower):
        board = follower.app.context.board
        board.refresh_requested = True
        follower.app.context.wake_jobs([("stats", None)])
        await until(lambda: board.figures is not None)


async def test_what_waits_is_measured_once(served: ServedDatabase) -> None:
    async with desks(served, simulated_bank()) as (leader, follower):
        told = {}
        for desk in (leader, follower):
            waiting = await desk.app.database.read(backlog)
            measured = Measurements(desk.app, waiting, is_ready=True).collect()
            told[desk] = {one.name: [sample.value for sample in one.samples] for one in measured}
        once = {"hazina_outbox_queued", "hazina_reviews_open", "hazina_database_bytes"}
        assert once <= told[leader].keys()
        assert not once & told[follower].keys()
        for name, values in {
            "hazina_processes": (2, 2),
            "hazina_leads": (1, 0),
            "hazina_led": (1, 1),
        }.items():
            assert (*told[leader][name], *told[follower][name]) == values
        assert follower.app.context.gauges.processes() == 2


async def test_when_the_leader_ends_the_other_sends(served: ServedDatabase) -> None:
    follower_channel = NullChannel()
    async with running_program(served.address, NullChannel()) as first:
        await first.database.write(lambda tx: seed_people(tx, PEOPLE))
        await until(lambda: first.database.leads)
        second_program = running_program(served.address, follower_channel)
        second = await second_program.__aenter__()
    try:
        await until(lambda: second.database.leads)
        await ScriptedUser(second, PEOPLE[1], count(1)).perform("/balance")
        await until(lambda: follower_channel.sent == 1)
    finally:
        await second_program.__aexit__(None, None, None)


def hold(conn: psycopg.Connection[Any], owner: str) -> None:
    """As if a process of this name had claimed all that is due some time."""
    conn.execute(
        "UPDATE wallet_transactions SET attempt = attempt + 1, leased_by = %s,"
        " due_at = due_at + 3600000 WHERE due_at IS NOT NULL",
        (owner,),
    )


def accepted(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute(
        "SELECT count(*) FROM wallet_transactions WHERE standing = 'accepted'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def held(conn: psycopg.Connection[Any], owner: str) -> int:
    row = conn.execute(
        "SELECT count(*) FROM wallet_transactions WHERE leased_by = %s"
        " AND due_at > extract(epoch FROM clock_timestamp() + interval '30 minutes') * 1000",
        (owner,),
    ).fetchone()
    assert row is not None
    return int(row[0])


async def test_what_a_process_held_is_free_once_it_is_gone_or_has_left(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "GONE_AFTER_S", 3.0)
    bank, ids = simulated_bank(), count(1)
    with psycopg.connect(served.address.dsn, autocommit=True) as conn:
        async with running_program(served.address, NullChannel(), bank=bank) as stays:
            await stays.database.write(lambda tx: seed_people(tx, PEOPLE))
            async with running_program(served.address, NullChannel(), bank=bank) as leaves:
                user = ScriptedUser(leaves, PEOPLE[0], ids)
                for what in ("/topup", "1,500", "mine", "yes"):
                    await user.perform(what)
                await until(lambda: bank.calls("initiate") == 1)
                await until(lambda: accepted(conn) == 1)
                hold(conn, "killed")
                assert held(conn, "killed") == 1
                conn.execute(
                    "INSERT INTO processes (id, seen_at, says)"
                    " VALUES ('killed', now() - interval '1 minute', '')"
                )
                await until(lambda: held(conn, "killed") == 0)
                hold(conn, leaves.database.process)
                assert held(conn, leaves.database.process) == 1
            assert held(conn, leaves.database.process) == 0


async def test_of_two_that_open_a_restored_database_one_marks_what_it_cannot_know(
    served: ServedDatabase,
) -> None:
    with psycopg.connect(served.address.dsn, autocommit=True) as conn:
        conn.execute("INSERT INTO restores (made_at) VALUES (%s)", (1_772_431_200_000,))

    def now() -> datetime:
        return datetime.now(UTC)

    both = await asyncio.gather(
        *(Database.open(served.address, now, shared=True) for _ in range(2))
    )
    try:

        def marked(tx: Tx) -> list[object]:
            conn = connection(tx)
            return [
                *conn.execute("SELECT count(*) FROM restores WHERE begun_at IS NOT NULL"),
                *conn.execute("SELECT count(*) FROM audit_log WHERE act = 'restored'"),
                *conn.execute("SELECT count(*) FROM payout_pauses WHERE ended_at IS NULL"),
            ]

        assert await both[0].read(marked) == [(1,), (1,), (1,)]
    finally:
        for database in both:
            await database.close()
