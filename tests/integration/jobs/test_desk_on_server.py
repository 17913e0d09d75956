"""A desk whose database is on a server looks after no files: no backups, no drill, no watch over a
file, no disk that could be full."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot import readiness
from bot.bootstrap import Dependencies, open_app
from bot.channels.terminal import TerminalChannel
from bot.security.keyring import KeysFault, new_key
from bot.simulation.settings import SimulatedSettings
from bot.simulation.world import World
from storage.sqlite.simulated import in_memory
from tests.kit.dashboard_desk import ADMIN, DashboardDesk
from tests.kit.file_behind_server import SERVER, FileBehindServer, serve_file

ON_SERVER = SimulatedSettings(
    database=SERVER, hazina_keys=SecretStr(new_key("1")), backups_kept=30, backup_dir=Path("safe")
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileBehindServer:
    return serve_file(tmp_path / "served.db", monkeypatch)


def outside() -> Dependencies:
    return Dependencies(bank=httpx.AsyncClient(), channels={"terminal": TerminalChannel()})


async def test_it_starts_serves_and_leaves_no_file(
    folder: Path, server: FileBehindServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_disk(folder: Path) -> bool:
        raise AssertionError("looked at a disk")

    async with AsyncExitStack() as stack:
        app = await open_app(ON_SERVER, outside(), stack)
        monkeypatch.setattr(readiness, "_is_full", no_disk)
        await app.start()
        try:
            assert await app.readiness.faults(5.0) == []
            assert app.metrics.backup_at is None
            assert not {"backup", "drill"} & set(app.jobs.names)
            assert app._watches.file is None
        finally:
            await app.stop(grace_s=0)
    assert os.listdir(folder) == []


async def test_without_keys_the_database_is_not_even_opened(
    folder: Path, server: FileBehindServer
) -> None:
    settings = ON_SERVER.model_copy(update={"hazina_keys": None})
    async with AsyncExitStack() as stack:
        with pytest.raises(KeysFault, match="HAZINA_KEYS is missing"):
            await open_app(settings, outside(), stack)
    assert server.opened == 0
    assert not server.path.exists()


@pytest.fixture
async def desk() -> AsyncIterator[DashboardDesk]:
    with closing(in_memory()) as memory:
        world = World(memory, threads=False)
        own = {"dashboard": True, "admin_ids": frozenset({ADMIN}), "backups_kept": 30}
        world.settings = world.settings.model_copy(update={**own, "database": SERVER})
        await world.open()
        yield DashboardDesk(world)
        await world.close()


async def test_admins_see_the_jobs_that_there_are(desk: DashboardDesk) -> None:
    await desk.say("/jobs", ADMIN)
    listed = desk.said(ADMIN)[-1]
    assert "broadcast" in listed.lower()
    assert "backup" not in listed.lower()
    assert "drill" not in listed.lower()


async def test_the_dashboard_claims_no_backups(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    page = (await browser.get("/dashboard")).text
    await browser.aclose()
    assert "The desk makes none of a database on a server; pgbackrest can." in page
    assert "BACKUPS_KEPT is 0." not in page
    assert "Last restore drill" not in page
