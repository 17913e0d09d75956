"""Each event is decided once, in one transaction."""

from __future__ import annotations

from flows.engine.event import EventKind
from tests.kit.turns_on_database import (
    AMINA,
    TurnRunner,
)


async def test_a_decided_event_has_committed_its_answer_its_place_and_its_trail(
    runner: TurnRunner,
) -> None:
    decided = await runner.command("topup")
    assert [row.text[:8] for row in decided.rows] == ["How much"]
    assert runner.committed == list(decided.rows)
    assert await runner.row() == (1, "topup.amount")
    assert [await runner.count_of(table) for table in ("events", "outbox", "trail")] == [1, 1, 1]


async def test_an_answer_carries_its_event_and_the_turn_of_its_buttons(runner: TurnRunner) -> None:
    await runner.command("topup")
    decided = await runner.say("1500")
    (row,) = decided.rows
    assert (row.event_id, row.turn, row.kind, row.address) == ("2", 2, "answer", AMINA)


async def test_the_same_yes_again_begins_no_second_top_up(runner: TurnRunner) -> None:
    await runner.to_confirm()
    event = runner.event(EventKind.TAP, turn=3, option="yes")
    await runner.turns.handle(event)
    await runner.turns.handle(event)
    assert (await runner.count_of("wallet_transactions"), runner.began) == (1, 1)


async def test_one_id_on_two_channels_is_two_events(runner: TurnRunner) -> None:
    event = runner.event(EventKind.COMMAND, text="balance")
    await runner.turns.handle(event)
    decided = await runner.turns.handle(event._replace(channel="terminal"))
    assert not decided.repeated
    assert len(decided.rows) == 1


async def test_a_stale_tap_is_decided_without_a_message(runner: TurnRunner) -> None:
    await runner.command("topup")
    decided = await runner.turns.handle(runner.event(EventKind.TAP, turn=0, option="cancel"))
    assert len(decided.rows) == 0
    assert decided.alert is not None
    assert await runner.row() == (1, "topup.amount")


async def test_yes_wakes_the_worker_after_its_commit(runner: TurnRunner) -> None:
    await runner.to_confirm()
    assert runner.began == 0
    decided = await runner.tap("yes")
    assert decided.operation is not None
    assert runner.begun == [decided.operation]
    assert await runner.row() == (4, "topup.push")


async def test_words_are_in_no_trail(runner: TurnRunner) -> None:
    await runner.command("topup")
    await runner.say("4321")
    lines = await runner.database.read(lambda tx: tx.trail.last(9))
    assert len(lines) == 2
    assert "4321" not in "".join(lines)
