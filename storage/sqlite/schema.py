"""What a database is made of, compared with what its migrations make: guards that are gone, and
traps that nobody here has laid."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import TypeAlias

# (type, name) → (the table it is of, its SQL), as SQLite keeps it. The text that a migration leaves
# is the same from SQLite 3.40 to 3.51, also after ALTER TABLE.
Schema: TypeAlias = dict[tuple[str, str], tuple[str, str | None]]

# The tables that ANALYZE leaves. By their SQL: SQLite goes by it, whatever stands beside it.
_STATISTICS = re.compile(r"CREATE TABLE sqlite_stat[1-4]\([a-z,]+\)")


def read(conn: sqlite3.Connection) -> Schema:
    """Raises ``sqlite3.Error`` on a file that is no database."""
    try:
        rows = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    except UnicodeDecodeError:  # SQLite quotes what it cannot make out, and Python cannot either
        raise sqlite3.DatabaseError("malformed database schema") from None
    return {
        (kind, name): (table, sql)
        for kind, name, table, sql in rows
        if sql is None or not _STATISTICS.fullmatch(sql)
    }


def without_foreign_tables(found: Schema, meant: Schema) -> Schema:
    """``found`` without what others have put beside it: no statement of ours ever comes to that."""
    tables = {table for table, _ in meant.values()}
    return {key: (table, sql) for key, (table, sql) in found.items() if table in tables}


def differences(found: Schema, meant: Schema) -> Iterator[str]:
    """In words, what is strange first: it may do what nobody wants."""
    for kind, name in sorted(found.keys() - meant.keys()):
        yield f"the {kind} {name} is not this program's"
    for kind, name in sorted(meant.keys() - found.keys()):
        yield f"the {kind} {name} is not there"
    for kind, name in sorted(meant.keys() & found.keys()):
        if found[kind, name] != meant[kind, name]:
            yield f"the {kind} {name} is another"
