"""How either engine refuses a statement, and how a database is told to refuse nothing."""

from __future__ import annotations

import sqlite3

import psycopg

from tests.kit.plain_store import PlainStore

# For ``pytest.raises``: a trigger, a condition or a key of the database says no.
REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError)


def drop_trigger(store: PlainStore, name: str, table: str) -> None:
    store.conn.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if store.is_served else ""))


def drop_guards(store: PlainStore) -> None:
    """No trigger and no condition of a table refuses anything any more."""
    if store.is_served:
        guards = store.conn.execute(
            "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)"
            " FROM pg_trigger JOIN pg_class AS t ON t.oid = tgrelid"
            " WHERE NOT tgisinternal AND t.relnamespace = CAST(current_schema() AS regnamespace)"
            " UNION ALL SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass,"
            " conname) FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
            " AND connamespace = CAST(current_schema() AS regnamespace)"
        ).fetchall()
    else:
        guards = store.conn.execute(
            "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'"
            " UNION ALL SELECT 'PRAGMA ignore_check_constraints = ON'"
        ).fetchall()
    for (statement,) in guards:
        store.conn.execute(statement)
