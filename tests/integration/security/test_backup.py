"""Backups are whole, sealed if a key is set, and refused if anything is wrong with them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from bot.context import AppContext
from bot.jobs.backup import RETRY_DELAY, BackupJob, BackupPlan
from bot.security import backup
from bot.security.backup_file import BackupFault
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from flows.engine.texts import Texts
from services import partners
from services.domain.database import DatabaseInUse
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner
from services.policy import NO_CODES
from services.ports import Random
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
KEYS = {"vault": b"v" * 32}


def seed(tx: StoreTx) -> None:
    partners.add(tx, Partner("FINSAFE"))
    tx.ledger.book(opening_balance("FINSAFE", AccountKind.WALLET, Money(500_00)))
    for n in range(3):
        tx.audit.add("FINSAFE", "admin:telegram:1", "partner_added", f"no {n}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    return folder / "hazina.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    clock = VirtualClock()
    database = await Database.open(blank_file(path), clock.now)
    await database.write(seed)
    yield database
    await database.close()


def harm(path: Path, sql: str) -> None:
    """Change data that triggers protect: drop the triggers, run ``sql``, restore them."""
    with closing(sqlite3.connect(path)) as conn:
        triggers = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        guards = triggers.fetchall()
        for name, _ in guards:
            conn.execute(f"DROP TRIGGER {name}")
        conn.executescript(sql)
        for _, guard in guards:
            conn.execute(guard)
        conn.commit()


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def wallet(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        row = conn.execute(
            "SELECT credits_posted - debits_posted FROM accounts"
            " WHERE partner = 'FINSAFE' AND kind = 'wallet'"
        ).fetchone()
        return int(row[0])


@pytest.mark.parametrize("keys", [{}, KEYS])
async def test_what_is_made_can_be_restored(
    database: Database, path: Path, tmp_path: Path, keys: dict[str, bytes]
) -> None:
    made = backup.make(path, tmp_path / "backups", keys, AT)
    assert made.name == f"hazina-20260302T060000Z.db{'.sealed' if keys else ''}"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert (b"FINSAFE" in made.read_bytes()) == (not keys)
    assert backup.verify(made, keys, tmp_path) == []
    to = tmp_path / "new" / "hazina.db"
    assert backup.restore(made, to, keys, AT, replace=False) is None
    assert wallet(to) == 500_00
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert names(to.parent) == {"hazina.db", "hazina.db.lock"}
    assert names(made.parent) == {made.name}
    assert not [name for name in names(path.parent) if name.startswith(".hazina-")]


async def test_it_is_one_moment_while_the_desk_goes_on_writing(
    database: Database, path: Path, tmp_path: Path
) -> None:
    async def writes() -> int:
        count = 0
        while not done.is_set():
            await database.write(
                lambda tx: tx.audit.add("FINSAFE", "admin:telegram:1", "written", str(tx.now))
            )
            count += 1
        return count

    done = asyncio.Event()
    writing = asyncio.create_task(writes())
    files = []
    for n in range(5):
        at = AT + timedelta(seconds=n)
        files.append(await asyncio.to_thread(backup.make, path, tmp_path / "backups", {}, at))
    done.set()
    assert await writing > 0
    for file in files:
        assert backup.verify(file, {}, tmp_path) == []


async def test_what_is_not_whole_is_refused_and_nothing_is_done(
    database: Database, path: Path, tmp_path: Path
) -> None:
    sealed = backup.make(path, tmp_path / "backups", KEYS, AT)
    plain = backup.make(path, tmp_path / "backups", {}, AT)
    cut = tmp_path / "cut.db.sealed"
    cut.write_bytes(sealed.read_bytes()[:-1])
    half = tmp_path / "half.db"
    half.write_bytes(plain.read_bytes()[: 3 * 4096])
    foreign = tmp_path / "foreign.db"
    foreign.write_text("not a database, however long this line may be" * 100)
    to = tmp_path / "new.db"
    for file, keys in ((cut, KEYS), (sealed, {}), (half, {}), (foreign, {}), (tmp_path / "no", {})):
        with pytest.raises(BackupFault):
            backup.restore(file, to, keys, AT, replace=True)
    assert not to.exists()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "UPDATE accounts SET credits_posted = credits_posted + 1 WHERE kind = 'wallet'",
            "wallet",
        ),
        ("UPDATE audit_log SET act = 'nothing' WHERE n = 2", "row 2 was changed"),
        ("DELETE FROM audit_log WHERE n = 2", "row 2 is missing"),
    ],
)
async def test_broken_books_and_chains_are_found_and_not_restored(
    database: Database, path: Path, tmp_path: Path, sql: str, said: str
) -> None:
    made = backup.make(path, tmp_path / "backups", {}, AT)
    harm(made, sql)
    assert any(said in line for line in backup.verify(made, {}, tmp_path))
    with pytest.raises(BackupFault, match="nothing was done"):
        backup.restore(made, tmp_path / "new.db", {}, AT, replace=False)


async def test_a_database_in_the_way_is_kept_beside_the_restored_one(
    database: Database, path: Path, tmp_path: Path
) -> None:
    made = backup.make(path, tmp_path / "backups", {}, AT)
    with pytest.raises(DatabaseInUse):
        backup.restore(made, path, {}, AT, replace=True)
    await database.write(
        lambda tx: tx.ledger.book(opening_balance("FINSAFE", AccountKind.FLOAT, Money(7)))
    )
    await database.close()
    with pytest.raises(BackupFault, match="--replace"):
        backup.restore(made, path, {}, AT, replace=False)
    old = backup.restore(made, path, {}, AT, replace=True)
    assert old == path.with_name("hazina.db.before-20260302T060000Z")
    assert wallet(path) == wallet(old) == 500_00
    with closing(sqlite3.connect(old)) as conn:
        assert conn.execute("SELECT count(*) FROM transfers").fetchone() == (2,)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for n in range(40):
        (tmp_path / f"hazina-{AT + timedelta(days=n):%Y%m%dT%H%M%SZ}.db").touch()
    strange = tmp_path / "hazina-holiday.db"
    strange.touch()
    gone = backup.prune(tmp_path, 30)
    assert [file.name[7:15] for file in gone[:2]] == ["20260302", "20260303"]
    assert len(gone) == 10
    assert len(backup.list_backups(tmp_path)) == 30
    assert strange.exists()


class Nights:
    def __init__(self, database: Database, clock: VirtualClock, plan: BackupPlan) -> None:
        self.clock = clock
        self.plan = plan
        self.told: list[OutboxRow] = []
        random = cast("Random", None)
        desk = AppContext(
            Texts.load(), random, Keyring({"1": bytes(32)}), NO_CODES, (("telegram", "1"),)
        )
        self.metrics = desk.metrics
        self.job = BackupJob(database, clock, desk, self._committed, plan)

    def _committed(self, rows: Sequence[OutboxRow]) -> None:
        self.told += rows

    async def passes(self, **time: float) -> datetime | None:
        self.clock.jump(self.clock.now() + timedelta(**time))
        return await self.job.scan()

    @property
    def names(self) -> list[str]:
        return [file.name for _, file in backup.list_backups(self.plan.folder)]


@pytest.fixture
async def nights(path: Path, tmp_path: Path) -> AsyncIterator[Nights]:
    clock = VirtualClock()  # 2 March 2026, 09:00 in Nairobi
    database = await Database.open(blank_file(path), clock.now)
    await database.write(seed)
    yield Nights(database, clock, BackupPlan(path, tmp_path / "backups", {}, time(2, 30), 2))
    await database.close()


async def test_one_is_made_a_night_also_when_that_comes_late(nights: Nights) -> None:
    next_at = await nights.passes()
    assert nights.names == ["hazina-20260302T060000Z.db"]
    assert next_at == datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    await nights.passes(hours=1)
    assert len(nights.names) == 1
    await nights.passes(hours=17)
    assert nights.names[1:] == ["hazina-20260303T000000Z.db"]
    await nights.passes(days=1)
    assert nights.names == ["hazina-20260303T000000Z.db", "hazina-20260304T000000Z.db"]
    assert nights.told == []


async def test_admins_hear_once_a_day_that_it_cannot_be_made(nights: Nights) -> None:
    nights.plan.folder.write_text("a file where the folder should be")
    assert await nights.passes() == nights.clock.now() + RETRY_DELAY
    await nights.passes(hours=1)
    assert [row.text for row in nights.told] == [
        "Last night's backup could NOT be made. It is tried again every hour; the log says more."
    ]
    nights.plan.folder.unlink()
    await nights.passes(hours=1)
    assert len(nights.names) == 1


async def test_none_is_made_where_none_are_kept(nights: Nights) -> None:
    nights.job._plan = replace(nights.plan, kept=0)
    assert await nights.passes() is None
    assert nights.names == []


async def test_the_command_line_backs_up_checks_and_restores(
    database: Database, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE", str(path))
    await database.close()
    run = CliRunner().invoke

    def say(*args: str) -> tuple[int, str]:
        result = run(main, list(args))
        return result.exit_code, result.output

    code, made = say("backup")
    assert code == 0
    file = made.strip()
    assert Path(file).parent == path.parent / "backups"
    assert say("restore", file, "--verify") == (
        0,
        f"{file} is sound: file, books and audit log\n",
    )
    assert say("restore", file)[0] == 2
    code, said = say("restore", file, "--replace")
    assert code == 0
    assert "what was there is now" in said
    assert say("restore", str(tmp_path / "none.db"), "--verify")[0] == 2
    harmed = tmp_path / "harmed.db"
    shutil.copy(file, harmed)
    harm(harmed, "UPDATE audit_log SET act = 'nothing' WHERE n = 2")
    assert say("restore", str(harmed), "--verify")[0] == 1


async def test_the_age_of_the_newest_is_measured_and_grows_while_none_can_be_made(
    nights: Nights,
) -> None:
    assert nights.metrics.backup_at == backup.NEVER
    await nights.passes()
    made_at = nights.clock.now()
    assert nights.metrics.backup_at == made_at
    nights.plan.folder.rename(nights.plan.folder.with_name("elsewhere"))
    nights.plan.folder.write_text("a file where the folder should be")
    await nights.passes(hours=1)
    assert nights.metrics.backup_at == backup.NEVER
