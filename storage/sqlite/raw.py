"""The connection under a transaction, for checks and measurements that write SQL of their own."""

from __future__ import annotations

import sqlite3

from storage.transaction import SqliteTx


def connection(tx: object) -> sqlite3.Connection:
    assert isinstance(tx, SqliteTx), "this reads SQLite's own tables"
    return tx.conn
