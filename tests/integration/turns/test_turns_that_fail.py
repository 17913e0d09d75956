"""A turn that raises, or meets a failing database, leaves nothing behind."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.simulation.clock import VirtualClock
from flows.engine.event import EventKind
from services.domain.database import DatabaseUnavailable
from storage.sqlite.database import Database
from tests.kit.turns_on_database import (
    TurnRunner,
)

# A turn that raises


async def test_a_turn_that_raises_is_answered_with_a_reference_and_logged(
    runner: TurnRunner,
) -> None:
    with capture_logs() as logs:
        decided = await runner.say("boom")
    (row,) = decided.rows
    (log,) = [log for log in logs if log["event"] != "turn"]
    assert log["log_level"] == "error"
    assert row.text.startswith(f"Something went wrong on our side, ref {log['reference']}.")
    assert (row.rows, row.turn, row.event_id) == ("[]", 0, "1")
    assert runner.committed == [row]


async def test_a_turn_that_raises_leaves_nothing_of_its_work(runner: TurnRunner) -> None:
    await runner.to_confirm()
    before = await runner.row()
    with capture_logs():
        await runner.command("boom")  # parks, draws, and then raises
    assert await runner.row() == before


async def test_after_a_turn_that_raised_the_conversation_goes_on(runner: TurnRunner) -> None:
    await runner.to_confirm()
    with capture_logs():
        await runner.say("boom")
    decided = await runner.tap("yes")
    assert decided.operation is not None


async def test_a_poisoned_event_is_decided_for_good(runner: TurnRunner) -> None:
    event = runner.event(EventKind.TEXT, text="boom")
    with capture_logs() as logs:
        await runner.turns.handle(event)
        again = await runner.turns.handle(event)
    assert again.repeated
    assert [log["event"] for log in logs] == ["turn failed", "turn", "turn"]
    assert await runner.count_of("outbox") == 1


async def test_the_words_of_a_poisoned_event_are_not_logged_by_us(runner: TurnRunner) -> None:
    with capture_logs() as logs:
        await runner.say("boom")
    logged = {key: value for key, value in logs[0].items() if key != "exc_info"}
    assert set(logged) == {"event", "log_level", "reference", "kind"}


# A database that fails


async def test_an_event_is_not_decided_when_its_commit_failed(
    runner: TurnRunner, tmp_path: Path
) -> None:
    fails = [True]

    def probe(point: str) -> None:
        if point == "commit" and fails:
            fails.pop()
            raise sqlite3.OperationalError("disk I/O error")

    await runner.database.close()
    database = await Database.open(tmp_path / "hazina.db", VirtualClock().now, probe=probe)
    try:
        runner = TurnRunner(database)
        event = runner.event(EventKind.COMMAND, text="topup")
        with pytest.raises(DatabaseUnavailable):
            await runner.turns.handle(event)
        assert (runner.committed, runner.began) == ([], 0)
        assert await runner.count_of("events") == 0
        decided = await runner.turns.handle(event)
        assert (decided.repeated, len(decided.rows)) == (False, 1)
    finally:
        await database.close()


async def test_an_event_is_not_decided_when_its_apology_could_not_be_stored(
    runner: TurnRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    write = Database.write

    async def second_fails(self: Database, *args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise DatabaseUnavailable("gone")
        return await write(self, *args, **more)

    monkeypatch.setattr(Database, "write", second_fails)
    event = runner.event(EventKind.TEXT, text="boom")
    with capture_logs(), pytest.raises(DatabaseUnavailable):
        await runner.turns.handle(event)
    assert await runner.count_of("events") == 0


async def test_events_at_once_of_one_person_are_decided_one_after_the_other(
    runner: TurnRunner,
) -> None:
    """Only the first of many taps on one screen takes effect."""
    await runner.to_confirm()
    taps = [runner.event(EventKind.TAP, turn=3, option="yes") for _ in range(10)]
    decided = await asyncio.gather(*(runner.turns.handle(tap) for tap in taps))
    assert [one.operation is not None for one in decided] == [True] + [False] * 9
    assert await runner.count_of("wallet_transactions") == 1
