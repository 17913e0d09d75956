"""``hazina talk --database``: each play in a schema of its own, which is gone afterwards."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bot.cli.talk import talk
from services.domain.database import DatabaseServer
from storage.postgres.server import connect
from storage.postgres.simulated import ServedDatabase
from tests.plays import FOLDER

pytestmark = pytest.mark.postgres

SCRIPT = FOLDER / "balance" / "balance.chat"
CHANNELS = ("terminal", "telegram")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[ServedDatabase]:
    """The databases that worlds have had."""
    databases: list[ServedDatabase] = []
    closes = ServedDatabase.close

    def close(database: ServedDatabase) -> None:
        assert _turns(database.address) > 0
        databases.append(database)
        closes(database)

    monkeypatch.setattr(ServedDatabase, "close", close)
    return databases


@pytest.mark.parametrize("options", [[], ["--restart-after-every-line"]])
def test_scripts_hold_on_a_server(
    server: DatabaseServer, made: list[ServedDatabase], options: list[str]
) -> None:
    for channel in CHANNELS:
        asked = [str(SCRIPT), "--channel", channel, "--database", server.dsn, *options]
        played = CliRunner().invoke(talk, asked)
        assert played.exit_code == 0, played.output
    assert len({database.address for database in made}) == len(CHANNELS)
    assert _worlds(server) == []


def _turns(address: DatabaseServer) -> int:
    with connect(address, "test") as conn:
        return int(conn.execute("SELECT count(*) FROM events").fetchall()[0][0])


def _worlds(server: DatabaseServer) -> list[str]:
    with connect(server, "test") as conn:
        names = conn.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'hazina_%'")
        return [name for (name,) in names.fetchall()]
