"""Whose a database is and how far its time has come, asked before a simulation plays in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from storage.times import from_ms
from storage.transaction import SqliteTx


class NotOurs(Exception):
    """The file is a database, but none that this program made."""


def holds_others(path: Path, partner: str, channel: str) -> bool:
    """Whether there is any partner but this one, or an address on another channel.

    Only reads. Raises ``NotOurs`` and ``sqlite3.Error``.
    """
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as conn:
        tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master")}
        if not tables:
            return False
        if not {"partners", "addresses"} <= tables:
            raise NotOurs(f"{path} is not a database of Hazina's")
        other = conn.execute(
            "SELECT 1 FROM partners WHERE code NOT IN (?, 'HOUSE')"
            " UNION ALL SELECT 1 FROM addresses WHERE channel <> ? LIMIT 1",
            (partner, channel),
        ).fetchone()
        return other is not None


def newest_moment(tx: SqliteTx) -> datetime | None:
    """When the newest message was written."""
    newest: int | None = tx.conn.execute("SELECT max(created_at) FROM outbox").fetchone()[0]
    return from_ms(newest)
