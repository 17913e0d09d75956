"""Compares a database's schema with what its migrations create, to find missing guards and foreign
triggers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import TypeAlias

# (type, name) → (its table, its SQL), as SQLite stores it. A migration leaves the same text on
# SQLite 3.40 to 3.51, also after ALTER TABLE.
Schema: TypeAlias = dict[tuple[str, str], tuple[str, str | None]]

# The tables ANALYZE creates, recognised by their SQL, as SQLite does.
_STATISTICS = re.compile(r"CREATE TABLE sqlite_stat[1-4]\([a-z,]+\)")


def read(conn: sqlite3.Connection) -> Schema:
    """Raises ``sqlite3.Error`` when the file is no database."""
    try:
        rows = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    except UnicodeDecodeError:  # SQLite quotes bytes that Python cannot decode
        raise sqlite3.DatabaseError("malformed database schema") from None
    return {
        (kind, name): (table, sql)
        for kind, name, table, sql in rows
        if sql is None or not _STATISTICS.fullmatch(sql)
    }


def without_foreign_tables(found: Schema, meant: Schema) -> Schema:
    """``found`` without other programs' tables, which none of our statements touches."""
    tables = {table for table, _ in meant.values()}
    return {key: (table, sql) for key, (table, sql) in found.items() if table in tables}


def differences(found: Schema, meant: Schema) -> Iterator[str]:
    """In words; foreign objects come first, since they may do anything."""
    for kind, name in sorted(found.keys() - meant.keys()):
        yield f"the {kind} {name} is not this program's"
    for kind, name in sorted(meant.keys() - found.keys()):
        yield f"the {kind} {name} is not there"
    for kind, name in sorted(meant.keys() & found.keys()):
        if found[kind, name] != meant[kind, name]:
            yield f"the {kind} {name} is another"
