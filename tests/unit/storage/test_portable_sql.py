"""What SQL must never contain: conflict clauses that affect triggers, and concatenated text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = sorted(ROOT.glob("storage/**/*.py"))
SQL = sorted(ROOT.glob("storage/**/*.sql"))
ROOMS = ("bot", "flows", "services")

# In an experiment these created money: they override the rules of the triggers on the books.
FORBIDDEN = re.compile(
    r"\bOR\s+(?:IGNORE|REPLACE|ROLLBACK|FAIL)\b|\bREPLACE\s+INTO\b"
    r"|\bON\s+CONFLICT\s+(?:IGNORE|REPLACE|ROLLBACK|FAIL)\b"
    r"|\bRAISE\s*\(\s*(?:IGNORE|ROLLBACK|FAIL)\b",
    re.IGNORECASE,
)
STATEMENT = re.compile(
    r"^\s*(?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|WITH|CREATE|ALTER|DROP|REPLACE)\b.*",
    re.DOTALL,
)
# What cannot be a literal: a shipped file's statements, and pragmas, which take no parameters.
NOT_WRITTEN_OUT = {
    ("migrate.py", "statement"),
    ("migrate.py", "_in_order_of_bytes(conn, migration.sql).encode()"),
    ("server.py", "statement.encode()"),  # a question that its callers write out
    ("connection.py", "pragma"),
    ("empty_database.py", "pragma"),
    ("clock_step.py", "statement"),  # one of a list of literals above
}


def _texts(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _built(tree: ast.AST) -> Iterator[str]:
    """Statements built with f-strings, ``%``, ``+``, ``format`` or ``join``."""
    for node in ast.walk(tree):
        is_built = (
            isinstance(node, ast.JoinedStr)
            or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod))
            or (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("format", "join", "replace", "format_map")
            )
        )
        if is_built:
            yield from (text for text in _texts(node) if STATEMENT.match(text))


def _executed(tree: ast.Module) -> Iterator[tuple[int, ast.expr]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("execute", "executemany", "executescript")
        ):
            yield node.lineno, node.args[0]


def _constants(tree: ast.Module) -> set[str]:
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_there_is_sql_to_look_at() -> None:
    assert SQL
    assert {"ledger.py", "topups.py"} <= {file.name for file in PYTHON}


@pytest.mark.parametrize("file", [*PYTHON, *SQL], ids=lambda file: file.name)
def test_no_conflict_rule_that_reaches_into_triggers(file: Path) -> None:
    assert FORBIDDEN.findall(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT OR IGNORE INTO a VALUES (1)",
        "insert or\n replace into a values (1)",
        "UPDATE OR FAIL a SET b = 1",
        "REPLACE INTO a VALUES (1)",
        "b INTEGER UNIQUE ON CONFLICT REPLACE",
        "SELECT RAISE(IGNORE)",
        "SELECT RAISE ( rollback, 'no')",
    ],
)
def test_the_forbidden_rules_are_recognised(sql: str) -> None:
    assert FORBIDDEN.search(sql)


# These name any table of a schema that is ours.
OF_ANY_TABLE = {"storage/copying.py", "storage/postgres/simulated.py"}
WRITTEN = [file for file in PYTHON if file.relative_to(ROOT).as_posix() not in OF_ANY_TABLE]


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_no_statement_is_put_together_from_pieces(file: Path) -> None:
    assert list(_built(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "python",
    [
        "f'SELECT * FROM {table}'",
        "'DELETE FROM a WHERE b = %s' % b",
        "'SELECT 1' + where",
        "'UPDATE a SET {}'.format(column)",
        "' AND '.join(['SELECT 1'])",
    ],
)
def test_statements_put_together_are_recognised(python: str) -> None:
    assert list(_built(ast.parse(python)))


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_what_is_executed_is_written_out_where_it_is_used(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    constants = _constants(tree)
    elsewhere = [
        f"{file.name}:{line} {ast.unparse(argument)}"
        for line, argument in _executed(tree)
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str))
        and ast.unparse(argument) not in constants
        and (file.name, ast.unparse(argument)) not in NOT_WRITTEN_OUT
    ]
    assert elsewhere == []


@pytest.mark.parametrize("room", ROOMS)
def test_only_storage_touches_the_tables(room: str) -> None:
    tables = re.findall(r"CREATE TABLE (\w+)", "".join(file.read_text("utf-8") for file in SQL))
    touches = re.compile(
        rf"\b(?:FROM|INTO|JOIN|UPDATE)\s+(?:{'|'.join(tables)})\b(?!\s*import)", re.DOTALL
    )
    found = [
        f"{file.name}: {text}"
        for file in sorted((ROOT / room).rglob("*.py"))
        if not {"bench", "storm"} & set(file.parts)  # which examine the program from outside
        for text in _texts(ast.parse(file.read_text(encoding="utf-8")))
        if touches.search(text)
    ]
    assert found == []
