"""Credentials set by the command line, and how the database stores them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from bot.cli.main import main
from bot.security.keyring import new_key

VALUE = "only-for-this-test-0712"
OTHER = "another-one-for-this-test"
OLD, NEW = new_key("1"), new_key("2")
PLAIN = {
    "NCBA_USERNAME": "hazina",
    "NCBA_ACCOUNT_NUMBER": "774451",
    "TELEGRAM_BOT_TOKEN": "123456:only-for-this-test",
}


def hazina(*words: str, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, words, input=typed)


def kept(name: str = "NCBA_PASSWORD", value: str = VALUE) -> None:
    result = hazina("secrets", "set", name, typed=value)
    assert result.exit_code == 0, result.output


def changed(database: Path, sql: str, *given: str) -> None:
    with closing(sqlite3.connect(database)) as conn, conn:
        conn.execute(sql, given)


def rows(database: Path) -> dict[str, str]:
    with closing(sqlite3.connect(database)) as conn:
        return dict(conn.execute("SELECT name, sealed FROM secrets"))
