"""Whoever opens the schema reads what each column means, on its own line."""

import re
import sqlite3

import pytest

from storage.migrate import migrate, shipped

_TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n(.*?)^\) STRICT", re.DOTALL | re.MULTILINE)
_COLUMN = re.compile(r"^    ([a-z_]+) +(?:TEXT|INTEGER|REAL|BLOB)\b", re.MULTILINE)
_ENTRY = re.compile(r"^    (?=\S)", re.MULTILINE)  # a column or a constraint; its rest is indented


def _columns() -> list[tuple[str, str, str]]:
    """Table, column, and all its lines, of every column in our files."""
    found = []
    for migration in shipped():
        for table, body in _TABLE.findall(migration.sql):
            for entry in _ENTRY.split(body):
                if column := _COLUMN.match(f"    {entry}"):
                    found.append((table, column[1], entry))
    return found


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
