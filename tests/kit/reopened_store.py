"""A plain store that can crash and be opened again from its file."""

from __future__ import annotations

from pathlib import Path

from storage.transaction import SqliteTx
from tests.kit.plain_store import PlainStore, connect


class Reopened(PlainStore):
    """Commits what each step did, so that a crash can take back what was not committed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path
        self.commit()

    def commit(self) -> None:
        self.conn.execute("COMMIT")
        self.conn.execute("BEGIN IMMEDIATE")

    def crash(self) -> None:
        """What is not committed is gone, and everything is read anew from the file."""
        self.conn.execute("ROLLBACK")
        self.conn.close()
        self.conn = connect(self.path)
        self.conn.execute("BEGIN IMMEDIATE")
        self.tx = SqliteTx(self.conn)
        self.tx.begin(self.now)
