"""A plain store that can crash and be reopened."""

from __future__ import annotations

from pathlib import Path

from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore, connect


class Reopened(PlainStore):
    """Commits after each step, so that a crash loses only uncommitted work.

    On the server a savepoint stands for what was committed: the database is used again.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path
        if self.is_served:
            self.conn.execute("SAVEPOINT committed")
        else:
            self.commit()

    def commit(self) -> None:
        if self.is_served:
            self.conn.execute("RELEASE committed")
            self.conn.execute("SAVEPOINT committed")
        else:
            self.conn.execute("COMMIT")
            self.conn.execute("BEGIN IMMEDIATE")

    def crash(self) -> None:
        """Drop everything uncommitted and reopen the file."""
        if self.is_served:
            self.conn.execute("ROLLBACK TO committed")
        else:
            self.conn.execute("ROLLBACK")
            self.conn.close()
            self.conn = connect(self.path)
            self.conn.execute("BEGIN IMMEDIATE")
        self.tx = StoreTx(self.conn)
        self.tx.begin(self.now)
