"""What SQLite understands and PostgreSQL does not, found without PostgreSQL.

``make test-sql`` asks PostgreSQL itself; this names the usual mistakes at once.
"""

import re

import pytest

from tests.kit.shared_statements import (
    UnresolvedStatement,
    numbered,
    shared_files,
    shared_statements,
    statements_in,
)

SQLITE_ONLY = {
    "max or min of several values: use CASE": r"\b(?:max|min)\s*\([^()]*,",
    "IS between values: use coalesce": r"\bIS\s+(?:NOT\s+)?(?!NULL\b|NOT\b|DISTINCT\b)\S",
    "a parameter without a type: CAST(? AS TEXT) IS NULL": r"(?<!CAST\()\?\s+IS\b",
    "an integer of four bytes: CAST(? AS BIGINT)": r"\bAS\s+INT(?:EGER)?\b",
    "a parameter as a condition: ? = 1": r"\b(?:WHEN|WHERE|NOT)\s+\?\s+(?:THEN|AND|OR)\b",
    "a unary plus: use coalesce": r"(?:[(,=<>]|\b(?:WHERE|AND|OR|ON|BY|SELECT))\s*\+\s*\w",
    "a named parameter": r"(?<!:):\w+|@\w+|\?\d+",
    "a name in double quotes, backticks or brackets": r"[\"`\[]",
    "equality of C": r"==|!=",
    "a function of SQLite": r"\b(?:ifnull|iif|instr|printf|total|group_concat|strftime|datetime"
    r"|julianday|unixepoch|changes|last_insert_rowid|json_\w+|typeof|hex|char)\s*\(",
    "a table or word of SQLite": r"\b(?:rowid|sqlite_\w+|pragma\w*|GLOB|INDEXED|AUTOINCREMENT)\b",
    "LIMIT with a comma": r"\bLIMIT\s+\S+\s*,",
}
_QUOTED = re.compile(r"'(?:[^']|'')*'")


def found_in(sql: str) -> list[str]:
    bare = _QUOTED.sub("''", sql)
    return [name for name, pattern in SQLITE_ONLY.items() if re.search(pattern, bare, re.I)]


def test_no_shared_statement_is_for_sqlite_alone() -> None:
    found = [(where, why) for where, sql in shared_statements() for why in found_in(sql)]
    assert found == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(a, b) FROM t",
        "SELECT a FROM t WHERE b IS NOT c",
        "SELECT a FROM t WHERE b IS NOT 0",
        "SELECT a FROM t WHERE b IS ?",
        "SELECT a FROM t WHERE ? IS NULL OR b = ?",
        "SELECT a FROM t WHERE CAST(? AS INTEGER) IS NULL",
        "SELECT CASE WHEN ? THEN a ELSE b END FROM t",
        "SELECT a FROM t WHERE b > ? AND +c = ?",
        "SELECT a FROM t ORDER BY +a",
        "SELECT a FROM t WHERE b = :b",
        "SELECT a FROM t WHERE b = ?1",
        'SELECT "a" FROM t',
        "SELECT a FROM t WHERE b == 1",
        "SELECT ifnull(a, 0) FROM t",
        "SELECT rowid FROM t",
        "SELECT 1 FROM sqlite_master",
        "SELECT a FROM t LIMIT 5, 10",
    ],
)
def test_what_is_for_sqlite_alone_is_recognised(sql: str) -> None:
    assert found_in(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(a), min(coalesce(b, 0)) FROM t",
        "SELECT a FROM t WHERE b IS NOT NULL AND c IS NULL",
        "SELECT a + 1 FROM t WHERE b = '+ :at IS NOT [x]'",
        "SELECT a FROM t WHERE CAST(? AS TEXT) IS NULL OR b > ?",
        "UPDATE t SET a = a + ? WHERE b = ? AND c = ?",
    ],
)
def test_what_both_understand_is_left_alone(sql: str) -> None:
    assert found_in(sql) == []


# How statements are found --------------------------------------------------------------------


def test_statements_are_found_in_every_room_that_has_some() -> None:
    rooms = {statement.where.rpartition("/")[0] for statement in shared_statements()}
    assert rooms == {
        "bot/storm",
        "bot/storm/dialling",
        "storage",
        "storage/invariants",
        "storage/stores",
        "storage/time",
    }
    assert "storage/sqlite/database.py" not in {str(file) for file in shared_files()}


def test_literals_constants_and_loops_over_constants_are_resolved() -> None:
    source = """
ONE = "SELECT 1"
MORE = (("SELECT 2", "by"), ("SELECT" " 3", "by since"))
LAST = ("SELECT 4",)
def run(conn):
    conn.execute("SELECT " "0")
    conn.executemany(ONE, [])
    for statement, names in MORE + (LAST if conn else ()):
        conn.execute(statement, names)
"""
    found = sorted(sql for _, sql in statements_in(source, "it.py"))
    assert found == ["SELECT 0", "SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"]


@pytest.mark.parametrize(
    "line",
    [
        "conn.execute(sql)",
        "conn.execute('SELECT ' + column)",
        "conn.execute(f'SELECT {column}')",
        "conn.execute(*what)",
        "run = conn.execute",
        "for statement in those(): conn.execute(statement)",
    ],
)
def test_a_statement_that_cannot_be_read_is_an_error(line: str) -> None:
    with pytest.raises(UnresolvedStatement, match=r"it\.py:1"):
        list(statements_in(line, "it.py"))


def test_parameters_are_numbered_outside_of_quotes() -> None:
    assert numbered("SELECT '?', a FROM t WHERE b = ? AND c = 'it''s ?' AND d = ?") == (
        "SELECT '?', a FROM t WHERE b = $1 AND c = 'it''s ?' AND d = $2"
    )
