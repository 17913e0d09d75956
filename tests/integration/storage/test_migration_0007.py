"""Messages are checked without a temporary table, and existing ones do not change."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.sqlite.migrate import migrate, shipped
from tests.kit.older_databases import fill, named
from tests.kit.plain_store import connect

WRITES = (
    "INSERT INTO outbox (channel, address, event_id, kind, edits, text, rows, turn, protect, state,"
    " due_at, created_at)"
    " VALUES ('sms', '1', 'e', 'answer', 0, 'words', '[]', 0, 0, 'queued', 1, 1)",
    "UPDATE outbox SET state = 'sent', message_id = 'm' WHERE id = 1",
)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, shipped()[:6])
    conn.execute(
        "INSERT INTO outbox (channel, address, kind, edits, text, rows, turn, protect, otp, target,"
        " state, due_at, created_at, message_id, delivered, silent, document) VALUES ('sms',"
        " '254712345678', 'code', 0, 'sealed', '[]', 0, 1, 'OT-1', 'm0', 'queued', 1, 2, 'm1', 1,"
        " 1, 'ST-7K3QF9')"
    )
    yield conn
    conn.close()


def test_every_message_is_there_and_says_what_it_said(conn: sqlite3.Connection) -> None:
    before = named(conn, "outbox")
    assert len(before) == 4
    assert migrate(conn, shipped()[:7]) == ["0007_outbox"]
    assert named(conn, "outbox") == before


def test_messages_go_on_behind_those_that_are_there(conn: sqlite3.Connection) -> None:
    migrate(conn)
    conn.execute(WRITES[0])
    assert [row for (row,) in conn.execute("SELECT id FROM outbox ORDER BY id")] == [1, 3, 4, 5, 6]


def test_the_indexes_and_triggers_are_those_that_were_there(conn: sqlite3.Connection) -> None:
    def laid() -> list[tuple[str, str, str]]:
        return conn.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type IN ('index', 'trigger')"
            " ORDER BY name"
        ).fetchall()

    before = laid()
    migrate(conn, shipped()[:7])
    assert laid() == before


@pytest.mark.parametrize(("column", "word"), [("kind", "shout"), ("state", "lost")])
def test_what_is_no_kind_and_no_state_is_refused(
    conn: sqlite3.Connection, column: str, word: str
) -> None:
    migrate(conn)
    known = {"kind": "answer", "state": "queued"}[column]
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        conn.execute(re.sub(f"'{known}'", f"'{word}'", WRITES[0]))


@pytest.mark.parametrize("statement", WRITES)
def test_a_message_is_written_without_a_temporary_table(
    conn: sqlite3.Connection, statement: str
) -> None:
    """A temporary table took as long as writing the row itself, twice per turn."""
    migrate(conn)
    steps = {step[1] for step in conn.execute(f"EXPLAIN {statement}")}
    assert steps & {"Insert", "IdxInsert"}
    assert "OpenEphemeral" not in steps
