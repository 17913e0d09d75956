"""A plain store that can crash and be reopened from its file."""

from __future__ import annotations

from pathlib import Path

from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore, connect


class Reopened(PlainStore):
    """Commits after each step, so that a crash loses only uncommitted work."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path
        self.commit()

    def commit(self) -> None:
        self.conn.execute("COMMIT")
        self.conn.execute("BEGIN IMMEDIATE")

    def crash(self) -> None:
        """Drop everything uncommitted and reopen the file."""
        self.conn.execute("ROLLBACK")
        self.conn.close()
        self.conn = connect(self.path)
        self.conn.execute("BEGIN IMMEDIATE")
        self.tx = StoreTx(self.conn)
        self.tx.begin(self.now)
