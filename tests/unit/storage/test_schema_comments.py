"""Every column of the schema is explained by a comment on its own line."""

import re
import sqlite3

import pytest

from storage.sqlite.migrate import migrate, shipped

_STATEMENT = re.compile(
    r"^CREATE TABLE (?P<table>\w+) \(\n(?P<body>.*?)^\) STRICT"
    r"|^ALTER TABLE (?P<grown>\w+) ADD COLUMN (?P<added>[a-z_]+) (?P<lines>[^;]*;[^\n]*)$"
    r"|^ALTER TABLE (?P<old>\w+) RENAME TO (?P<new>\w+);"
    r"|^DROP TABLE (?P<gone>\w+);",
    re.DOTALL | re.MULTILINE,
)
_COLUMN = re.compile(r"^    ([a-z_]+) +(?:TEXT|INTEGER|REAL|BLOB)\b", re.MULTILINE)
_ENTRY = re.compile(r"^    (?=\S)", re.MULTILINE)  # a column or a constraint; its rest is indented


def _tables() -> dict[str, dict[str, str]]:
    """Table → column → all its lines, after all migrations have been applied."""
    tables: dict[str, dict[str, str]] = {}
    for migration in shipped():
        for found in _STATEMENT.finditer(migration.sql):
            if found["table"]:
                entries = (f"    {entry}" for entry in _ENTRY.split(found["body"]))
                columns = {match[1]: match.string for e in entries if (match := _COLUMN.match(e))}
                tables[found["table"]] = columns
            elif found["grown"]:
                tables[found["grown"]][found["added"]] = found["lines"]
            elif found["old"]:
                tables[found["new"]] = tables.pop(found["old"])
            else:
                del tables[found["gone"]]
    return tables


def _columns() -> list[tuple[str, str, str]]:
    return [(table, name, lines) for table, row in _tables().items() for name, lines in row.items()]


def test_the_files_are_read_whole() -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    migrate(conn)
    rows = conn.execute(
        "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c"
        " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'schema_%'"
    ).fetchall()
    conn.close()
    assert sorted((table, column) for table, column, _ in _columns()) == sorted(rows)


@pytest.mark.parametrize(
    ("table", "column", "lines"), _columns(), ids=[f"{t}.{c}" for t, c, _ in _columns()]
)
def test_every_column_says_what_it_is(table: str, column: str, lines: str) -> None:
    assert re.search(r"-- \S+", lines), f"{table}.{column} has no comment"
