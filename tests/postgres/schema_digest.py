"""A schema as lines that can be compared.

SQLite's own statements, in which only types and triggers are put otherwise, are run by PostgreSQL
too. So PostgreSQL reads both schemas and writes both down again in the same words.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Set
from contextlib import closing
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

from storage.sqlite.migrate import migrate
from tests.postgres.databases import Connection

# Their whole number is given by the program, and never drawn by the database.
GIVEN_NUMBERS = {"clock", "desk_pins"}

_COMMENT = re.compile(r"--[^\n]*")
_DRAWN = re.compile(r"\bINTEGER(?: NOT NULL)? PRIMARY KEY(?: AUTOINCREMENT)?")
_TRIGGER = re.compile(
    r"CREATE TRIGGER (?P<name>\w+) (?P<moment>BEFORE|AFTER)"
    r" (?P<event>INSERT|DELETE|UPDATE(?: OF [\w\s,]+?)?)\s+ON\s+\"?(?P<table>\w+)\"?\s+"
    r"(?:WHEN\s+(?P<when>.*?)\s+)?BEGIN\s+(?P<body>.*)\s+END",
    re.DOTALL,
)
_REFUSAL = re.compile(r"RAISE\(ABORT, ('[^']*')\)")
_IS_NOT = re.compile(r"\bIS NOT (?=NEW\.|OLD\.)")


class Line(NamedTuple):
    table: str  # or view
    what: str


class Trigger(NamedTuple):
    name: str
    moment: str
    event: str
    table: str
    when: str | None  # the condition, unless it asks other rows
    message: str | None  # what it refuses with, quoted
    asks_other_rows: bool


class SqliteSchema:
    """What SQLite's migrations create, and the rows that they leave."""

    def __init__(self) -> None:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
            migrate(conn)
            self.tables = _tables_in_order(conn)
            self._table_sql = {table: _sql(conn, "table", table) for table in self.tables}
            self._others = [
                sql
                for (sql,) in conn.execute(
                    "SELECT sql FROM sqlite_schema WHERE type IN ('index', 'view')"
                    " AND sql IS NOT NULL ORDER BY type, rowid"
                )
            ]
            self.triggers = [
                _trigger(sql)
                for (sql,) in conn.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
            ]
            self.rows = {table: _rows(conn, table) for table in self.tables}

    def for_postgres(self) -> str:
        """A script. Its triggers do nothing, and ask nothing of other rows."""
        return ";\n".join(
            (
                *(_postgres_table(table, sql) for table, sql in self._table_sql.items()),
                *self._others,
                "CREATE FUNCTION stand_in() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN RETURN NULL; END'",
                *(_postgres_trigger(trigger) for trigger in self.triggers),
            )
        )

    def checks(self) -> Iterator[tuple[str, str]]:
        """Each table with each of its conditions."""
        for table, sql in self._table_sql.items():
            text = _COMMENT.sub("", sql)
            for found in re.finditer(r"\bCHECK\s*\(", text):
                yield table, " ".join(_until_closed(text[found.end() :]).split())


def digest(conn: Connection, asks_other_rows: Set[str]) -> list[Line]:
    """Everything in a PostgreSQL database but functions and what the program notes of migrations.

    Of the triggers that ask other rows, PostgreSQL's do so in their functions: the conditions of
    these are left out.
    """
    lines = [
        Line(table, what)
        for query in (_TABLES, _COLUMNS, _CONSTRAINTS, _INDEXES, _VIEWS)
        for table, what in conn.execute(query)
    ]
    for table, name, enabled, text in conn.execute(_TRIGGERS):
        shown = re.sub(r"EXECUTE FUNCTION \w+", "EXECUTE FUNCTION …", text)
        if name in asks_other_rows:
            shown = re.sub(r" WHEN \(.*\) EXECUTE", " EXECUTE", shown)
        lines.append(Line(table, f"{shown} ({enabled})"))
    return sorted(line for line in lines if line.table != "schema_migrations")


def rows(conn: Connection, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    return {table: _rows(conn, table) for table in tables}


def _rows(conn: Connection | sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return sorted(conn.execute(f'SELECT * FROM "{table}"'))  # noqa: S608


# SQLite's statements -------------------------------------------------------------------------


def _sql(conn: sqlite3.Connection, kind: str, name: str) -> str:
    (sql,) = conn.execute(
        "SELECT sql FROM sqlite_schema WHERE type = ? AND name = ?", (kind, name)
    ).fetchone()
    return str(sql)


def _tables_in_order(conn: sqlite3.Connection) -> list[str]:
    """Each table behind those that it refers to."""
    names = conn.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name <> 'schema_migrations' ORDER BY name"
    ).fetchall()
    refers = {
        name: {
            other
            for (other,) in conn.execute('SELECT "table" FROM pragma_foreign_key_list(?)', (name,))
            if other != name
        }
        for (name,) in names
    }
    return [*TopologicalSorter(refers).static_order()]


def _postgres_table(table: str, sql: str) -> str:
    body, end, options = _COMMENT.sub("", sql).rpartition(")")
    if "WITHOUT ROWID" not in options and table not in GIVEN_NUMBERS:
        body = _DRAWN.sub("bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", body)
    body = re.sub(r"\bINTEGER\b", "bigint", body)
    return re.sub(r"\bBLOB\b", "bytea", body) + end


def _trigger(sql: str) -> Trigger:
    found = _TRIGGER.fullmatch(sql)
    assert found, sql
    when = found["when"]
    asks = when is not None and "SELECT" in when
    message = _REFUSAL.search(found["body"])
    return Trigger(
        found["name"],
        found["moment"],
        found["event"],
        found["table"],
        None if when is None or asks else _IS_NOT.sub("IS DISTINCT FROM ", when),
        message and message[1],
        asks,
    )


def _postgres_trigger(trigger: Trigger) -> str:
    when = "" if trigger.when is None else f"WHEN ({trigger.when}) "
    return (
        f"CREATE TRIGGER {trigger.name} {trigger.moment} {trigger.event} ON {trigger.table}"
        f" FOR EACH ROW {when}EXECUTE FUNCTION stand_in({trigger.message or ''})"
    )


def _until_closed(text: str) -> str:
    """Up to the parenthesis that closes what was opened before ``text``; no text has one quoted."""
    depth = 1
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return text[:at]
    raise ValueError(f"a parenthesis is not closed: {text[:60]}")


# PostgreSQL's catalogue ----------------------------------------------------------------------

_TABLES = """
SELECT relname, format('is %s, %s', relkind, relpersistence)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'S')
"""
_COLUMNS = """
SELECT c.relname, format('column %s is %s %s%s%s%s',
    row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
    format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN ' NOT NULL' END,
    ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
    CASE a.attidentity WHEN '' THEN '' ELSE format(' IDENTITY %s', a.attidentity) END)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
"""
_CONSTRAINTS = """
SELECT c.relname, pg_get_constraintdef(n.oid)
FROM pg_constraint AS n JOIN pg_class AS c ON c.oid = n.conrelid
WHERE n.connamespace = 'public'::regnamespace AND n.contype <> 't'
"""
_INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
WHERE c.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT 1 FROM pg_constraint AS n
                  WHERE n.conindid = i.indexrelid AND n.contype IN ('p', 'u', 'x'))
"""
_VIEWS = """
SELECT relname, pg_get_viewdef(oid)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
"""
_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid)
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
"""
