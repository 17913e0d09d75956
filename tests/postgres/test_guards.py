"""What one engine refuses, the other refuses with the same words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.postgres_server import postgres_server
from tests.postgres.databases import connect, create, migrations
from tests.postgres.engines import GUARD, Engine, Postgres, Sqlite
from tests.postgres.guard_cases import ALLOWED, CONSTRAINED, REFUSED, Guarded
from tests.postgres.guarded_rows import ROWS
from tests.postgres.schema_digest import SqliteSchema

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as server:
        create(server, "guarded", *migrations())
        with connect(server, "guarded") as conn:
            yield Postgres(conn, ROWS)


@pytest.fixture(scope="module")
def sqlite() -> Iterator[Sqlite]:
    engine = Sqlite(ROWS)
    yield engine
    engine.close()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Either engine; what a test does to its rows is undone."""
    engine: Engine = request.getfixturevalue(request.param)
    with engine.undone():
        yield engine


def test_every_guard_is_tried() -> None:
    guards = {trigger.name: trigger.table for trigger in SqliteSchema().triggers if trigger.message}
    assert {case.guard: case.table for case in REFUSED} == guards


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.guard}: {case.sql[:70]}")
def test_it_is_refused_with_the_same_words(engine: Engine, case: Guarded) -> None:
    for guard in case.without:
        engine.drop(guard, case.table)
    assert engine.refusal(case.sql) == (GUARD, case.words)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.guard}: {case.sql[:70]}")
def test_nothing_but_its_guard_says_so(engine: Engine, case: Guarded) -> None:
    for guard in (*case.without, case.guard):
        engine.drop(guard, case.table)
    assert engine.refusal(case.sql) != (GUARD, case.words)


@pytest.mark.parametrize("sql", ALLOWED)
def test_it_is_allowed(sqlite: Sqlite, postgres: Postgres, sql: str) -> None:
    with sqlite.undone(), postgres.undone():
        changed = sqlite.change(sql)
        assert changed > 0 or sql.endswith("DO NOTHING")
        assert postgres.change(sql) == changed


@pytest.mark.parametrize(("kind", "sql"), CONSTRAINED)
def test_a_constraint_refuses_it(engine: Engine, kind: str, sql: str) -> None:
    assert engine.refusal(sql) == (kind, "")


# What triggers do, and what views show ------------------------------------------------------


def test_the_engines_have_moved_their_accounts_alike(sqlite: Sqlite, postgres: Postgres) -> None:
    accounts = "SELECT * FROM accounts"
    transfers = "SELECT seq, id, debit_move, credit_move FROM transfers"
    assert ("DEMO", "wallet", "KES", "credit", 1, 30000, 2000, 0, 100000, 4, 4) in sqlite.rows(
        accounts
    )
    assert postgres.rows(accounts) == sqlite.rows(accounts)
    assert postgres.rows(transfers) == sqlite.rows(transfers)


@pytest.mark.parametrize("status", ["used", "expired", "locked", "killed"])
def test_a_sealed_text_is_wiped_with_its_code(engine: Engine, status: str) -> None:
    sealed = [(1, "queued", "sealed"), (2, "sent", "sealed"), (3, "queued", "hello")]
    messages = "SELECT id, state, text FROM outbox"
    assert engine.refusal("UPDATE otp_validations SET attempts = 1 WHERE id = 'c2'") is None
    assert engine.refusal("UPDATE otp_validations SET status = status WHERE id = 'c2'") is None
    assert engine.rows(messages) == sealed
    ended = f"UPDATE otp_validations SET status = '{status}' WHERE id = 'c2'"  # noqa: S608
    assert engine.refusal(ended) is None
    assert engine.rows(messages) == [(1, "dead", ""), *sealed[1:]]
    assert engine.rows("SELECT error FROM outbox WHERE id = 1") == [("the code has ended",)]


@pytest.mark.parametrize("deleted", ["webhook_endpoints", "partner_events"])
def test_deliveries_go_with_what_they_deliver(engine: Engine, deleted: str) -> None:
    assert engine.refusal(f"DELETE FROM {deleted}") is None  # noqa: S608
    assert engine.rows("SELECT * FROM webhook_deliveries") == []


VIEWS = {  # with how many rows each shows
    "b2c_float_balance": 2,
    "batch_payouts": 1,
    "codes": 2,
    "disbursements": 4,
    "operations_under_way": 4,
    "pending_operations": 4,
    "persons": 2,
    "public_operations": 13,
    "purchases": 3,
    "topups": 2,
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_the_same(sqlite: Sqlite, postgres: Postgres, view: str) -> None:
    shown = sqlite.rows(f"SELECT * FROM {view}")  # noqa: S608
    assert len(shown) == VIEWS[view]
    assert postgres.rows(f"SELECT * FROM {view}") == shown  # noqa: S608


def test_every_view_is_looked_at(sqlite: Sqlite) -> None:
    views = sqlite.rows("SELECT name FROM sqlite_schema WHERE type = 'view'")
    assert views == [(view,) for view in VIEWS]
