"""Migrations run forward only, each completely or not at all, and never twice."""

import re
import sqlite3
from collections.abc import Iterator

import pytest

from services.domain.database import MigrationError
from storage.sqlite.migrate import (
    Migration,
    applied_migrations,
    migrate,
    pending_migrations,
    shipped,
)

ONE = Migration(1, "0001_one", "CREATE TABLE one (a INTEGER NOT NULL) STRICT;")
TWO = Migration(2, "0002_two", "CREATE TABLE two (a INTEGER NOT NULL) STRICT;")


THREE = Migration(3, "0003_three", "CREATE TABLE three (a INTEGER NOT NULL) STRICT;")


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    yield conn
    conn.close()


def _tables(conn: sqlite3.Connection) -> set[str]:
    rows = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows if not name.startswith(("sqlite_", "schema_"))}


def test_what_is_pending_is_applied_in_order_and_named(conn: sqlite3.Connection) -> None:
    assert migrate(conn, [ONE, TWO]) == ["0001_one", "0002_two"]
    assert _tables(conn) == {"one", "two"}


def test_applying_twice_does_nothing(conn: sqlite3.Connection) -> None:
    migrate(conn, [ONE, TWO])
    changes = conn.total_changes
    assert migrate(conn, [ONE, TWO]) == []
    assert conn.total_changes == changes


def test_only_what_is_missing_is_applied(conn: sqlite3.Connection) -> None:
    migrate(conn, [ONE])
    assert migrate(conn, [ONE, TWO]) == ["0002_two"]


def test_each_is_remembered_by_name_and_checksum(conn: sqlite3.Connection) -> None:
    migrate(conn, [ONE])
    assert applied_migrations(conn) == {1: ("0001_one", ONE.checksum)}


def test_the_checksum_is_that_of_the_text() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", ONE.checksum)
    assert Migration(1, "0001_one", ONE.sql).checksum == ONE.checksum
    assert Migration(1, "0001_one", ONE.sql + " ").checksum != ONE.checksum


def test_looking_at_what_is_pending_changes_nothing(conn: sqlite3.Connection) -> None:
    assert pending_migrations(conn, [ONE, TWO]) == [ONE, TWO]
    assert conn.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_broken_second_statement_leaves_nothing(conn: sqlite3.Connection) -> None:
    statements = (TWO.sql, "INSERT INTO one VALUES (1);", "INSERT INTO missing VALUES (1);")
    broken = Migration(2, "0002_broken", "\n".join(statements))
    with pytest.raises(MigrationError, match="0002_broken failed: no such table: missing"):
        migrate(conn, [ONE, broken])
    assert _tables(conn) == {"one"}
    assert conn.execute("SELECT count(*) FROM one").fetchone() == (0,)
    assert list(applied_migrations(conn)) == [1]


@pytest.mark.parametrize(
    "sql", ["INSERT INTO missing VALUES (1);", "CREATE TABLE two (a INTEGER NOT NULL) STRICT"]
)
def test_a_broken_one_leaves_no_transaction_open(conn: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(MigrationError, match="0001_broken"):
        migrate(conn, [Migration(1, "0001_broken", sql)])
    assert not conn.in_transaction


def test_a_mended_one_is_applied_after_all(conn: sqlite3.Connection) -> None:
    with pytest.raises(MigrationError):
        migrate(conn, [Migration(1, "0001_one", "INSERT INTO missing VALUES (1);")])
    assert migrate(conn, [ONE]) == ["0001_one"]


def test_one_that_was_changed_after_it_had_been_applied_is_refused(
    conn: sqlite3.Connection,
) -> None:
    migrate(conn, [ONE])
    changed = Migration(1, "0001_one", ONE.sql + "-- afterthought")
    with pytest.raises(MigrationError, match=r"0001_one was changed .* put the change into a new"):
        migrate(conn, [changed, TWO])
    assert _tables(conn) == {"one"}


def test_a_database_newer_than_the_program_is_refused(conn: sqlite3.Connection) -> None:
    migrate(conn, [ONE, TWO])
    with pytest.raises(MigrationError) as error:
        migrate(conn, [ONE])
    assert str(error.value) == (
        "the database is newer than this program (it has migration 0002, "
        "the program ends at 0001): install the newer hazina"
    )


def test_one_from_before_what_was_applied_is_refused(conn: sqlite3.Connection) -> None:
    migrate(conn, [ONE])
    conn.execute(
        "UPDATE schema_migrations SET number = 2, name = '0002_two', checksum = ?", [TWO.checksum]
    )
    with pytest.raises(MigrationError, match="0001_one comes before one that was applied already"):
        migrate(conn, [ONE, TWO])


def test_an_applied_one_that_the_program_does_not_know_is_refused(conn: sqlite3.Connection) -> None:
    migrate(conn, [ONE, TWO])
    with pytest.raises(MigrationError, match="0002_two, which this program does not know"):
        migrate(conn, [ONE, THREE])


def test_a_last_statement_without_its_semicolon_is_refused(conn: sqlite3.Connection) -> None:
    careless = Migration(1, "0001_one", f"{ONE.sql} CREATE TABLE two (a INTEGER NOT NULL) STRICT")
    with pytest.raises(MigrationError, match="a statement is not finished: CREATE TABLE two"):
        migrate(conn, [careless])
    assert list(applied_migrations(conn)) == []


def test_a_comment_may_come_last(conn: sqlite3.Connection) -> None:
    assert migrate(conn, [Migration(1, "0001_one", f"{ONE.sql}\n-- the end; nothing more\n")])


def test_a_semicolon_inside_text_or_comment_ends_no_statement(conn: sqlite3.Connection) -> None:
    sql = (
        "-- first; then\nCREATE TABLE notes (a TEXT NOT NULL, -- one; two\n b TEXT) STRICT;\n"
        "INSERT INTO notes (a) VALUES ('x; y');"
    )
    migrate(conn, [Migration(1, "0001_notes", sql)])
    assert conn.execute("SELECT a FROM notes").fetchall() == [("x; y",)]


def test_a_trigger_is_one_statement(conn: sqlite3.Connection) -> None:
    trigger = (
        "CREATE TRIGGER copy AFTER INSERT ON one BEGIN"
        " INSERT INTO two VALUES (CASE WHEN NEW.a > 1 THEN 1 ELSE 0 END);"
        " INSERT INTO two VALUES (NEW.a); END; INSERT INTO one VALUES (7);"
    )
    migrate(conn, [Migration(1, "0001_copy", ONE.sql + TWO.sql + trigger)])
    assert conn.execute("SELECT a FROM two").fetchall() == [(1,), (7,)]


# Our own migrations -------------------------------------------------------------------------


def test_our_numbers_follow_each_other_without_a_gap() -> None:
    assert [migration.number for migration in shipped()] == list(range(1, len(shipped()) + 1))


def test_our_names_begin_with_their_numbers() -> None:
    assert all(migration.name.startswith(f"{migration.number:04d}_") for migration in shipped())


def test_ours_apply_to_an_empty_database_and_fit_it_ever_after(conn: sqlite3.Connection) -> None:
    assert migrate(conn) == [migration.name for migration in shipped()]
    assert pending_migrations(conn) == []
    assert migrate(conn) == []


def test_all_our_tables_are_strict(conn: sqlite3.Connection) -> None:
    migrate(conn)
    lax = [
        row[1]
        for row in conn.execute("PRAGMA table_list")
        if row[2] == "table" and not row[1].startswith("sqlite_") and not row[5]
    ]
    assert lax == []


def test_no_constraint_of_ours_waits_for_the_commit() -> None:
    assert not [m.name for m in shipped() if re.search(r"\bDEFERR", m.sql, re.IGNORECASE)]


def test_every_refusal_in_a_trigger_aborts_only_its_statement() -> None:
    refusals = [how for m in shipped() for how in re.findall(r"RAISE\s*\(\s*(\w+)", m.sql)]
    assert set(refusals) == {"ABORT"}


def test_a_migrated_database_has_no_broken_reference(conn: sqlite3.Connection) -> None:
    migrate(conn)
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# Databases that differ from their version ---------------------------------------------------------

GUARD = "CREATE TRIGGER guard BEFORE DELETE ON one BEGIN SELECT RAISE(ABORT, 'no'); END;"
GUARDED = Migration(1, "0001_guarded", f"{ONE.sql}\n{GUARD}")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TRIGGER guard", "the trigger guard is not there"),
        ("DROP TABLE one", "the table one is not there, and 1 more"),
        ("ALTER TABLE one ADD COLUMN b INTEGER", "the table one is another"),
        ("CREATE UNIQUE INDEX strange ON one (a)", "the index strange is not this program's"),
        (
            "CREATE TRIGGER trap AFTER INSERT ON one BEGIN DELETE FROM schema_migrations; END",
            "the trigger trap is not this program's",
        ),
    ],
)
def test_a_database_whose_own_tables_were_changed_by_hand_is_not_opened(
    conn: sqlite3.Connection, sql: str, said: str
) -> None:
    migrate(conn, [GUARDED])
    conn.execute(sql)
    with pytest.raises(MigrationError, match=f"is not made as its version is: {said}"):
        migrate(conn, [GUARDED, TWO])
    assert list(applied_migrations(conn)) == [1]


def test_what_others_keep_beside_our_tables_is_their_own(conn: sqlite3.Connection) -> None:
    """Such as a program that replicates the database as it is written."""
    migrate(conn, [GUARDED])
    conn.executescript(
        "CREATE TABLE notes (n); CREATE INDEX notes_by_n ON notes (n);"
        " CREATE TRIGGER of_notes AFTER INSERT ON notes BEGIN SELECT 1; END;"
        " CREATE VIEW seen AS SELECT a FROM one; ANALYZE"
    )
    assert migrate(conn, [GUARDED, TWO]) == ["0002_two"]


@pytest.mark.parametrize("sql", ["CREATE TABLE kuku (n)", "CREATE TABLE schema_migrations (v)"])
def test_the_database_of_another_program_stays_as_it_is(conn: sqlite3.Connection, sql: str) -> None:
    conn.execute(sql)
    with pytest.raises(MigrationError, match="another program's"):
        migrate(conn)
    assert [row[0] for row in conn.execute("SELECT sql FROM sqlite_master")] == [sql]
