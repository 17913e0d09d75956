"""PostgreSQL has the tables, conditions, indexes, views, triggers and first rows of SQLite."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import product

import pytest

from tests.kit.postgres_server import postgres_server
from tests.postgres.databases import Connection, connect, create, migrations
from tests.postgres.schema_digest import Line, SqliteSchema, digest, rows

pytestmark = pytest.mark.postgres

# What several writers need, and one does not.
ONLY_POSTGRES_TABLES = {
    "leader",  # which of several processes does what only one may
    "processes",  # which there are
    "writers",  # tells whether a commit that was not answered took place
}
ONLY_POSTGRES_TRIGGERS = {
    "transfers_lock_accounts",  # counts the moves of accounts that others may be moving
}


@pytest.fixture(scope="module")
def sqlite() -> SqliteSchema:
    return SqliteSchema()


@pytest.fixture(scope="module")
def databases(sqlite: SqliteSchema) -> Iterator[tuple[Connection, Connection]]:
    """Connections to a migrated database, and to one with SQLite's tables."""
    with postgres_server() as server:
        create(server, "migrated", *migrations())
        create(server, "as_sqlite", sqlite.for_postgres())
        with connect(server, "migrated") as ours, connect(server, "as_sqlite") as theirs:
            yield ours, theirs


@pytest.fixture
def ours(databases: tuple[Connection, Connection]) -> Iterator[Connection]:
    """The migrated database, in a transaction that is rolled back."""
    with databases[0].transaction(force_rollback=True):
        yield databases[0]


@pytest.fixture(scope="module")
def wanted(sqlite: SqliteSchema, databases: tuple[Connection, Connection]) -> list[Line]:
    return digest(databases[1], asks_other_rows(sqlite))


def asks_other_rows(sqlite: SqliteSchema) -> set[str]:
    return {trigger.name for trigger in sqlite.triggers if trigger.asks_other_rows}


def shared(conn: Connection, sqlite: SqliteSchema) -> list[Line]:
    """What a database has, without what only PostgreSQL needs."""
    only = tuple(f"CREATE TRIGGER {name} " for name in ONLY_POSTGRES_TRIGGERS)
    return [
        line
        for line in digest(conn, asks_other_rows(sqlite))
        if line.table not in ONLY_POSTGRES_TABLES and not line.what.startswith(only)
    ]


def differences(found: list[Line], wanted: list[Line]) -> list[str]:
    missing, added = Counter(wanted), Counter(found)
    return [
        f"{word} {line.table}: {line.what}"
        for word, lines in (("lacks", missing - added), ("has", added - missing))
        for line in lines.elements()
    ]


def test_everything_is_as_in_sqlite(
    ours: Connection, sqlite: SqliteSchema, wanted: list[Line]
) -> None:
    assert differences(shared(ours, sqlite), wanted) == []


def test_a_fresh_database_has_the_rows_that_sqlites_has(
    ours: Connection, sqlite: SqliteSchema
) -> None:
    assert sqlite.rows["operation_states"]
    assert rows(ours, sqlite.tables) == sqlite.rows


def test_what_only_postgresql_has_is_there(ours: Connection) -> None:
    triggers = ours.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
    assert {name for (name,) in triggers} >= ONLY_POSTGRES_TRIGGERS
    tables = ours.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")
    assert {name for (name,) in tables} >= ONLY_POSTGRES_TABLES


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE purses (id bigint)",
        "DROP TABLE webhook_deliveries",
        "ALTER TABLE secrets SET UNLOGGED",
        "ALTER TABLE secrets ADD COLUMN colour text",
        "ALTER TABLE secrets DROP COLUMN set_at",
        "ALTER TABLE secrets ALTER COLUMN set_at TYPE integer",
        "ALTER TABLE secrets ALTER COLUMN set_at DROP NOT NULL",
        "ALTER TABLE people ALTER COLUMN language DROP DEFAULT",
        "ALTER TABLE people ALTER COLUMN language SET DEFAULT 'sw'",
        "ALTER TABLE people ALTER COLUMN id SET GENERATED ALWAYS",
        "ALTER TABLE trail ALTER COLUMN id DROP IDENTITY",
        "ALTER TABLE secrets DROP CONSTRAINT secrets_pkey",
        "ALTER TABLE people DROP CONSTRAINT people_partner_name_key",
        "ALTER TABLE people DROP CONSTRAINT people_role_check",
        "ALTER TABLE people DROP CONSTRAINT people_partner_fkey",
        "ALTER TABLE accounts DROP CONSTRAINT accounts_check",
        "ALTER TABLE secrets ADD CHECK (set_at > 0)",
        "ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_endpoint_fkey,"
        " ADD FOREIGN KEY (endpoint) REFERENCES webhook_endpoints (id)",
        "DROP INDEX outbox_queued",
        "DROP INDEX proposals_one_open; CREATE INDEX proposals_one_open ON proposals (about)"
        " WHERE status = 'open'",
        "DROP INDEX proposals_one_open; CREATE UNIQUE INDEX proposals_one_open"
        " ON proposals (about) WHERE status <> 'done'",
        "DROP INDEX trail_by_age; CREATE INDEX trail_by_time ON trail (at)",
        "DROP VIEW codes",
        "CREATE OR REPLACE VIEW pending_operations AS SELECT seq, reference, type, amount_cents,"
        " currency, state, created_at, partner FROM wallet_transactions"
        " WHERE standing IN ('ready', 'sending', 'accepted')",
        "DROP TRIGGER transfers_no_update ON transfers",
        "DROP TRIGGER transfers_move ON transfers",
        "ALTER TABLE transfers DISABLE TRIGGER transfers_no_update",
        "DROP TRIGGER transfers_no_update ON transfers;"
        " CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers"
        " FOR EACH ROW EXECUTE FUNCTION refuse('no')",
        "DROP TRIGGER pin_approvals_stay ON pin_approvals;"
        " CREATE TRIGGER pin_approvals_stay BEFORE UPDATE ON pin_approvals"
        " FOR EACH ROW WHEN (NEW.approved_at IS NOT NULL)"
        " EXECUTE FUNCTION refuse('what a PIN approved stays as it is')",
        "DROP TRIGGER payout_batches_approved_once ON payout_batches;"
        " CREATE TRIGGER payout_batches_approved_once BEFORE UPDATE OF digest ON payout_batches"
        " FOR EACH ROW WHEN (OLD.approved_digest IS NOT NULL"
        " AND NEW.approved_digest IS DISTINCT FROM OLD.approved_digest)"
        " EXECUTE FUNCTION refuse('what was approved stays as it is')",
        "DROP TRIGGER payouts_keep_order ON payouts;"
        " CREATE TRIGGER payouts_keep_order AFTER UPDATE ON payouts"
        " FOR EACH ROW EXECUTE FUNCTION payouts_keep_order('a confirmed payout is never edited')",
    ],
)
def test_a_difference_is_seen(
    ours: Connection, sqlite: SqliteSchema, wanted: list[Line], change: str
) -> None:
    ours.execute(change)
    assert differences(shared(ours, sqlite), wanted) != []


# Conditions ----------------------------------------------------------------------------------


def test_the_engines_agree_on_what_each_condition_allows(
    databases: tuple[Connection, Connection], sqlite: SqliteSchema
) -> None:
    """Also where nothing is known of a column: what is neither true nor false is allowed."""
    ours, _ = databases
    checks = [*sqlite.checks()]
    counted = ours.execute(
        "SELECT count(*) FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        " AND conrelid <> 'leader'::regclass"
    ).fetchone()
    assert counted == (len(checks),)
    with closing(sqlite3.connect(":memory:")) as theirs:
        disagreed = [
            f"{table}: {check}"
            for table, check in checks
            for sql in [over_its_values(ours, table, check)]
            if theirs.execute(sql).fetchall() != ours.execute(sql).fetchall()
        ]
    assert disagreed == []


def over_its_values(conn: Connection, table: str, check: str) -> str:
    """A statement that asks the condition of what may be in its columns: nothing, any text or
    number that it names, and others."""
    found = conn.execute(
        "SELECT a.attname, a.atttypid = 'text'::regtype FROM pg_attribute AS a"
        " WHERE a.attrelid = %s::regclass AND a.attnum > 0 ORDER BY a.attnum",
        (table,),
    ).fetchall()
    words = {*re.findall(r"'\w+'", check), "'other'"}
    numbers = {int(number) for number in re.findall(r"\b\d+\b", check)} | {0, 1}
    numbers |= {number + step for number in numbers for step in (-1, 1)}
    text = ["NULL", *sorted(words)]
    whole = ["NULL", *(str(number) for number in sorted(numbers))]
    named = [
        (name, text if is_text else whole)
        for name, is_text in found
        if re.search(rf"\b{name}\b", re.sub(r"'\w+'", "", check))
    ]
    assert named
    rows_of = ", ".join(f"({', '.join(row)})" for row in product(*(v for _, v in named)))
    columns = ", ".join(name for name, _ in named)
    return (
        f"WITH asked ({columns}) AS (VALUES {rows_of})"  # noqa: S608
        f" SELECT {columns}, CASE WHEN {check} THEN 'true' WHEN NOT ({check}) THEN 'false' END"
        " FROM asked"
    )
