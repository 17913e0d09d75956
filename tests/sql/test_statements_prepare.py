"""PostgreSQL understands every statement that the engines share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from tests.kit.postgres_server import PostgresServer, postgres_server
from tests.kit.shared_statements import numbered, shared_statements
from tests.sql.postgres_schema import postgres_schema

pytestmark = pytest.mark.postgres

ERROR = re.compile(r"^psql:<stdin>:(\d+): ERROR:  (.*)$", re.MULTILINE)
# SQLite has no booleans: the program passes 0 and 1, which PostgreSQL takes for no boolean.
BOOLEANS = (
    "SELECT substr(name, 2) FROM pg_prepared_statements"
    " WHERE 'boolean'::regtype = ANY (parameter_types);"
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        made = server.psql(postgres_schema(), "--set=ON_ERROR_STOP=1")
        assert made.stderr == ""
        yield server


def refusals(server: PostgresServer, statements: Sequence[str]) -> dict[int, str]:
    """What PostgreSQL has against each statement, by its place in the list."""
    lines = [f"PREPARE s{place} AS {numbered(sql)};" for place, sql in enumerate(statements, 1)]
    assert not any("\n" in line for line in lines), "psql names errors by line"
    said = server.psql("\n".join(("\\set VERBOSITY terse", *lines, BOOLEANS)), "-At")
    found = {int(line) - 2: words for line, words in ERROR.findall(said.stderr)}
    assert len(found) == len(said.stderr.splitlines()), said.stderr
    found.update({int(place) - 1: "a parameter is a boolean" for place in said.stdout.split()})
    return found


def test_every_shared_statement_is_understood(server: PostgresServer) -> None:
    statements = shared_statements()
    refused = refusals(server, [statement.sql for statement in statements])
    assert [f"{statements[place].where}: {why}" for place, why in refused.items()] == []


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT max(debits_posted, ?) FROM accounts", "function max"),
        ("SELECT 1 FROM outbox WHERE delivered IS NOT turn", "syntax error"),
        ("SELECT 1 FROM partners WHERE ? IS NULL OR code = ?", "data type of parameter"),
        ("SELECT 1 FROM partners WHERE +code = ?", "operator does not exist"),
        ("SELECT 1 FROM partners WHERE code = :code", "syntax error"),
        ("SELECT code, max(suspended) FROM partners", "GROUP BY"),
        ("SELECT 1 FROM partners WHERE (suspended = 1) = ?", "boolean"),
        ("SELECT 1 FROM purses", "does not exist"),
    ],
)
def test_what_only_sqlite_understands_is_refused(
    server: PostgresServer, sql: str, why: str
) -> None:
    refused = refusals(server, ["SELECT code FROM partners WHERE code = ?", sql])
    assert list(refused) == [1]
    assert why in refused[1]
