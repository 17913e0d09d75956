"""The connection under a transaction, for checks and measurements that write SQL of their own."""

from __future__ import annotations

from storage.sql import Connection
from storage.transaction import StoreTx


def connection(tx: object) -> Connection:
    assert isinstance(tx, StoreTx), "this reads the tables themselves"
    return tx.conn
