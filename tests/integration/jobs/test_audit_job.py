"""The audit log is checked each night, and a recorded head proves it later."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from bot.context import AppContext
from bot.jobs import audit as auditor
from bot.jobs.audit import AuditCheckJob
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from flows.engine.texts import Texts
from services.domain.outbox import OutboxRow
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file

NEXT = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)  # 03:00 in Nairobi


def act(tx: StoreTx, partner: str = "FINSAFE", about: str = "x") -> None:
    tx.audit.add(partner, "admin:telegram:1", "done", about)


class Nights:
    def __init__(self, database: Database, clock: VirtualClock, path: Path) -> None:
        self.database, self.clock, self.path = database, clock, path
        self.told: list[str] = []
        random = cast("Random", None)
        desk = AppContext(
            Texts.load(), random, Keyring({"1": bytes(32)}), NO_CODES, (("telegram", "1"),)
        )
        self.metrics = desk.metrics
        self.job = AuditCheckJob(database, clock, desk, self._committed, heads=True)

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.told += [row.text for row in rows]

    async def passes(self, **time: float) -> datetime | None:
        self.clock.jump(self.clock.now() + timedelta(**time))
        return await self.job.scan()

    def harm(self, sql: str) -> None:
        with closing(sqlite3.connect(self.path)) as conn:
            conn.executescript(
                "DROP TRIGGER IF EXISTS audit_log_no_update;"
                f" DROP TRIGGER IF EXISTS audit_log_no_delete; {sql}"
            )


@pytest.fixture
async def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Nights]:
    monkeypatch.setattr(auditor, "PAGE", 3)  # several pages per chain
    monkeypatch.setenv("DATABASE", str(tmp_path / "hazina.db"))
    monkeypatch.chdir(tmp_path)
    clock = VirtualClock()  # 2 March 2026, 09:00 in Nairobi
    database = await Database.open(blank_file(tmp_path / "hazina.db"), clock.now)

    def seed(tx: StoreTx) -> None:
        for n in range(10):
            act(tx, about=str(n))
        for _ in range(4):
            act(tx, "OTHER")

    await database.write(seed)
    yield Nights(database, clock, tmp_path / "hazina.db")
    await database.close()


def verify(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["audit", "verify", *args])
    return result.exit_code, result.output


async def test_a_whole_log_is_told_by_its_head_once_a_day(nights: Nights) -> None:
    assert nights.metrics.audit_breaks is None
    assert await nights.passes() == NEXT  # runs at once, because 03:00 today has passed
    assert nights.metrics.audit_breaks == 0
    assert await nights.passes(hours=1) == NEXT
    assert len(nights.told) == 1
    await nights.passes(hours=17)
    assert len(nights.told) == 2
    assert nights.told[1].startswith("Audit log until 2026-03-02T21:00:00+00:00: 14 rows.")


async def test_one_of_two_processes_tells_of_a_night(nights: Nights) -> None:
    """Both find that it is due before either has told."""
    tell = partial(nights.job._tell, date(2026, 3, 2), [])
    told = [await nights.database.write(tell) for _ in range(2)]
    assert [len(rows) for rows in told] == [1, 0]


async def test_a_noted_head_holds_while_rows_are_added_and_not_once_a_tail_is_cut(
    nights: Nights,
) -> None:
    await nights.passes(days=1)
    head = nights.told[0].partition("--head ")[2].split()[0]
    await nights.database.write(act)
    code, said = verify("--head", head)
    assert (code, said.splitlines()[-1]) == (0, "the audit log is whole, and 1 noted heads hold")
    nights.harm("DELETE FROM audit_log WHERE partner = 'OTHER' AND n = 4")
    assert verify()[0] == 0, "a tail that is cut off breaks no chain"
    code, said = verify("--head", head)
    assert code == 1
    assert "is not what it was when that head was told" in said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE audit_log SET about = 'y' WHERE partner = 'FINSAFE' AND n = 7", "row 7 was chang"),
        ("DELETE FROM audit_log WHERE partner = 'FINSAFE' AND n = 3", "row 3 is missing"),
        ("DELETE FROM audit_log WHERE partner = 'FINSAFE' AND n = 1", "row 1 is missing"),
        (
            "UPDATE audit_log SET previous = hash WHERE partner = 'OTHER' AND n = 2",
            "row 2 does not follow",
        ),
    ],
)
async def test_a_break_is_told_to_admins_and_on_the_command_line(
    nights: Nights, sql: str, said: str
) -> None:
    nights.harm(sql)
    await nights.passes()
    assert len(nights.told) == 1
    assert nights.told[0].startswith("The audit log is BROKEN in ")
    assert nights.metrics.audit_breaks
    assert said in nights.told[0]
    code, output = verify()
    assert code == 1
    assert said in output


def test_what_is_no_head_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE", str(tmp_path / "none.db"))
    for wrong in ("x", "2026-03-02T00:00:00+03:00", "2026-03-02T00:00:00=abc", "now=abc"):
        code, said = verify("--head", wrong)
        assert code == 2
        assert "TIME=HASH" in said
    assert verify()[0] == 2
