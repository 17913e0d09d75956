"""An event that comes again changes nothing, and is answered as before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs.housekeeping import EVENTS_KEPT
from bot.simulation.clock import VirtualClock
from bot.turns.turn import Decided
from flows.engine.event import Event, EventKind, from_text
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit import request_channel
from tests.kit.blank_file import blank_file
from tests.kit.channels import CHANNELS
from tests.kit.turns_on_database import AMINA, BARAKA, TurnRunner, seed

REQUESTS = request_channel.NAME
SERVED = {**CHANNELS, REQUESTS: request_channel.CAPABILITIES}
PHONE = "254712345678"  # Amina's, which is her address where requests are answered


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def runner(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[TurnRunner]:
    database = await Database.open(
        blank_file(tmp_path / "hazina.db"), clock.now, monotonic=clock.monotonic, threads=False
    )
    await database.write(seed)

    def link(tx: StoreTx) -> None:
        person = tx.people.at("telegram", AMINA)
        assert person is not None
        tx.people.link(REQUESTS, PHONE, person.id)

    await database.write(link)
    yield TurnRunner(database, SERVED)
    await database.close()


def request(request_id: str, text: str, address: str = PHONE) -> Event:
    return from_text(REQUESTS, address, request_id, text, request_id)


async def ask(runner: TurnRunner, request_id: str, text: str, address: str = PHONE) -> Decided:
    return await runner.turns.handle(request(request_id, text, address))


def text_of(decided: Decided) -> str:
    assert decided.answer is not None
    return decided.answer.text


# Channels that messages are sent to


async def test_what_was_never_sent_is_sent_when_the_event_comes_again(runner: TurnRunner) -> None:
    event = runner.event(EventKind.COMMAND, text="topup")
    first = await runner.turns.handle(event)
    before = await runner.everything()
    again = await runner.turns.handle(event)
    assert (again.repeated, [row.id for row in again.rows]) == (True, [first.rows[0].id])
    assert runner.committed == [*first.rows, *again.rows]
    assert again.rows[0].put_off  # so that the sender looks whether it has been sent meanwhile
    assert await runner.everything() == before


async def test_what_was_sent_is_not_sent_again(runner: TurnRunner) -> None:
    event = runner.event(EventKind.COMMAND, text="topup")
    (row,) = (await runner.turns.handle(event)).rows
    await runner.database.write(lambda tx: tx.outbox.mark_sent([("m1", row.id)]))
    assert await runner.turns.handle(event) == Decided([], repeated=True)


async def test_a_code_is_never_sent_again(runner: TurnRunner) -> None:
    event = runner.event(EventKind.COMMAND, text="topup")
    await runner.turns.handle(event)
    await runner.database.write(
        lambda tx: tx.outbox.add(
            *("telegram", AMINA),
            kind="code",
            text="sealed",
            event_id=event.event_id,
            n=2,
            otp="OT-1",
        )
    )
    again = await runner.turns.handle(event)
    assert [row.kind for row in again.rows] == ["answer"]


# Channels that only answer


async def test_the_answer_is_stored_and_never_queued(runner: TurnRunner) -> None:
    first = await ask(runner, "r1", "topup")
    assert text_of(first).startswith("How much")
    assert runner.committed == []
    assert await runner.database.read(lambda tx: tx.outbox.waiting(9)) == (0, None)


async def test_a_repeated_request_gets_the_stored_answer_and_changes_nothing(
    runner: TurnRunner,
) -> None:
    first = await ask(runner, "r1", "topup")
    second = await ask(runner, "r2", "1500")
    before = await runner.everything()
    for request_id, text, answer in (("r1", "topup", first), ("r2", "1500", second)):
        again = await ask(runner, request_id, text)
        assert again.repeated
        assert again.answer is not None
        assert answer.answer is not None
        assert again.answer[:11] == answer.answer[:11]  # text, options and their turn
    assert (await runner.everything(), runner.committed) == (before, [])


async def test_the_answer_outlives_a_restart(runner: TurnRunner) -> None:
    first = await ask(runner, "r1", "topup")
    restarted = TurnRunner(runner.database, SERVED)
    assert text_of(await ask(restarted, "r1", "topup")) == text_of(first)


async def test_the_same_request_twice_at_once_is_answered_twice(runner: TurnRunner) -> None:
    both = await asyncio.gather(*(ask(runner, "r1", "topup") for _ in range(2)))
    assert sorted(decided.repeated for decided in both) == [False, True]
    assert len({text_of(decided) for decided in both}) == 1


async def test_nobody_else_gets_the_answer(runner: TurnRunner) -> None:
    await ask(runner, "r1", "balance")
    for address in ("254733123456", BARAKA):
        assert (await ask(runner, "r1", "balance", address)).rows == ()


async def test_a_request_that_raised_gets_its_apology_again(runner: TurnRunner) -> None:
    first = await ask(runner, "r1", "boom")
    assert first.fault is not None
    again = await ask(runner, "r1", "boom")
    assert first.fault in text_of(again)
    assert (again.repeated, await runner.count_of("outbox")) == (True, 1)


async def test_who_writes_too_fast_gets_the_same_warning_again(runner: TurnRunner) -> None:
    decided = await ask(runner, "r0", "menu")
    count = 0
    while decided.exit != "flooded":
        count += 1
        decided = await ask(runner, f"r{count}", "menu")
    again = await ask(runner, f"r{count}", "menu")
    assert (again.repeated, text_of(again)) == (True, text_of(decided))
    assert "Please wait" in text_of(again)


async def test_who_is_not_linked_is_told_so_again(runner: TurnRunner) -> None:
    first = await ask(runner, "r1", "hello", "254700000000")
    again = await ask(runner, "r1", "hello", "254700000000")
    assert (again.repeated, text_of(again)) == (True, text_of(first))


async def test_an_alert_is_the_answer_where_there_are_no_alerts(runner: TurnRunner) -> None:
    await ask(runner, "r1", "topup")
    stale = request("r2", "")._replace(kind=EventKind.TAP, turn=0, option="yes")
    first = await runner.turns.handle(stale)
    assert (first.alert, text_of(first)[:23]) == (None, "That menu has moved on.")
    assert text_of(await runner.turns.handle(stale)) == text_of(first)


async def test_an_alert_stands_above_the_screen_that_comes_with_it(runner: TurnRunner) -> None:
    for n, text in enumerate(("topup", "1500", "1", "1")):
        await ask(runner, f"r{n}", text)
    checked = await ask(runner, "check", "1")
    assert text_of(checked).startswith("Asking the bank now.\n\nTop-up TU-")
    assert text_of(await ask(runner, "check", "1")) == text_of(checked)


async def test_after_three_days_a_request_with_this_id_is_a_new_one(
    runner: TurnRunner, clock: VirtualClock
) -> None:
    await ask(runner, "r1", "topup")
    clock.jump(clock.true_now() + EVENTS_KEPT + timedelta(hours=1))
    await runner.database.write(
        lambda tx: (
            tx.sessions.delete_before(tx.now - EVENTS_KEPT, tx.now - EVENTS_KEPT, 9),
            tx.outbox.delete_before(tx.now - EVENTS_KEPT, 9),
        )
    )
    decided = await ask(runner, "r1", "balance")
    assert (decided.repeated, text_of(decided)[:7]) == (False, "FINSAFE")
