"""Health routes and metrics show the program's state and nothing about any person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.simulation.ncba.handsets import Handset
from bot.simulation.world import World
from services.domain.database import DatabaseUnavailable
from storage.transaction import StoreTx
from tests.kit.measured_desk import PHONE, TOPUP, desk_in, get, type_in


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with desk_in(tmp_path) as world:
        yield world


async def test_it_lives_and_is_ready(world: World) -> None:
    assert (await get(world, "/healthz")).text == "ok\n"
    assert (await get(world, "/readyz")).status_code == 200


async def test_the_oldest_waiting_message_is_told(world: World) -> None:
    def put_off(tx: StoreTx) -> None:
        row = tx.outbox.add("terminal", "1", kind="receipt", text="received")
        tx.outbox.schedule_retry(row.id, 0, tx.now + timedelta(hours=1), "retry after 3600 s")

    await world.app.database.write(put_off)
    await world.advance(90)
    assert (await get(world, "/readyz")).json() == {
        "ready": True,
        "why": [],
        "oldest_message_s": 90.0,
    }
    assert "hazina_outbox_oldest_seconds 90.0" in (await get(world, "/metrics")).text


async def test_a_program_that_stops_is_not_ready(world: World) -> None:
    await world.app.jobs.stop()
    answer = await get(world, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["why"] == ["starting or stopping"]


async def test_a_database_that_fails_is_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(point: str) -> None:
        raise OSError(point)

    monkeypatch.setattr(world.app.database._batches, "_probe", fails)
    answer = await get(world, "/readyz")
    assert answer.status_code == 503
    assert (await get(world, "/healthz")).status_code == 200


async def test_nothing_is_measured_while_the_database_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(function: object) -> None:
        raise DatabaseUnavailable("the database is closed")

    monkeypatch.setattr(world.app.database, "read", fails)
    assert (await get(world, "/metrics")).status_code == 503


async def test_what_was_done_is_measured(world: World) -> None:
    await type_in(world, *TOPUP)
    await world.advance(30)
    measured = (await get(world, "/metrics")).text
    assert 'hazina_turns_total{exit="decided"} 4.0' in measured
    assert 'hazina_bank_calls_total{call="initiate",outcome="Accepted"} 1.0' in measured
    assert 'hazina_operations_open{kind="topup",state="PENDING"} 1.0' in measured
    assert 'hazina_operations_oldest_seconds{kind="topup",state="PENDING"} 30.0' in measured
    assert "hazina_turn_seconds_count 4.0" in measured
    assert 'hazina_bank_seconds_count{call="initiate"} 1.0' in measured
    assert 'hazina_messages_total{channel="terminal",outcome="accepted"} ' in measured
    assert "hazina_uptime_seconds 30.0" in measured
    assert "hazina_ready 1.0" in measured
    assert "hazina_audit_breaks 0.0" in measured
    assert "hazina_outbox_queued 0.0" in measured
    assert 'hazina_job_runs_total{name="audit"} 1.0' in measured
    assert 'hazina_job_failures{name="topups"} 0.0' in measured
    assert 'hazina_stuck{what="writer"} 0.0' in measured
    assert 'hazina_stuck{what="purchases"} 0.0' in measured
    assert "hazina_log_lines_lost_total 0.0" in measured
    assert PHONE not in measured
    assert "FINSAFE" not in measured


async def test_the_outcome_of_a_top_up_is_counted_once(world: World) -> None:
    world.bank.set_handset(PHONE, Handset.PAYS)
    await type_in(world, *TOPUP)
    await world.advance(60)
    measured = (await get(world, "/metrics")).text
    assert 'hazina_outcomes_total{kind="topup",state="PAID"} 1.0' in measured
    assert "hazina_operations_open{" not in measured


async def test_the_age_of_what_admins_must_look_at_is_measured(world: World) -> None:
    await world.app.database.write(lambda tx: tx.evidence.open_review("TU-AAAAAA", "unknown"))
    await world.advance(90)
    measured = (await get(world, "/metrics")).text
    assert "hazina_reviews_open 1.0" in measured
    assert "hazina_reviews_oldest_seconds 90.0" in measured


async def test_the_newest_backup_is_dated_where_backups_are_kept(world: World) -> None:
    assert "hazina_backup" not in (await get(world, "/metrics")).text
    world.app.metrics.backup_at = datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert "hazina_backup_timestamp_seconds 1.7724312e+09" in (await get(world, "/metrics")).text


async def test_a_desk_that_cannot_serve_says_so_in_its_metrics(world: World) -> None:
    world.app.database.mark_damaged("a page is malformed")
    assert "hazina_ready 0.0" in (await get(world, "/metrics")).text
