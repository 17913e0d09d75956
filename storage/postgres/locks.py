"""Locks of one connection's transactions: PostgreSQL's advisory locks, which end with them. A
number for the schema goes into each, since a database may hold several desks.

A group of functions holds what its functions have taken until it commits. If it waited for a lock
meanwhile, it could wait for a group that waits for it. So it waits only while it holds nothing: at
its beginning, for functions that have been put off before, in one order. All other locks must be
free; a function whose lock is not is put off to a later group.

Which locks a function takes is mostly known from the one before it of the same chat, system or
operation (``about``), so that a group can ask for all of them at once.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Set

from storage.locks import Lock, LockKind, LockNeeded
from storage.sql import Connection

KNOWN_MAX = 10_000  # of those whose locks are remembered


class PostgresLocks:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._held: set[Lock] = set()  # by the group, or by earlier functions of it
        self._own: set[Lock] = set()  # taken by the function that runs
        self._covered: set[Lock] = set()  # for the function that runs, by another lock
        self._asked: set[Lock] = set()  # by the function that runs, whoever has taken them
        self._known: dict[Hashable, Set[Lock]] = {}

    def known(self, about: Hashable) -> Set[Lock]:
        """What the newest function of these took."""
        return self._known.get(about, frozenset())

    def begin_transaction(self) -> None:
        self._held.clear()
        self._own.clear()

    def wait_for(self, locks: Iterable[Lock]) -> None:
        """Call before anything else in a transaction, which must hold nothing. Raises
        ``psycopg.Error`` when one is not free for too long."""
        for lock in sorted(locks):
            self._conn.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(?, hashtext(current_schema())))",
                (_name(lock),),
            )
            self._held.add(lock)

    def ask_for(self, wanted: Collection[Lock]) -> None:
        """Take those that are free."""
        by_name = {_name(lock): lock for lock in sorted(wanted) if lock not in self._held}
        if by_name:
            rows = self._conn.execute(
                "SELECT name, pg_try_advisory_xact_lock("
                " hashtextextended(name, hashtext(current_schema())))"
                " FROM unnest(string_to_array(?, chr(10))) AS name",
                ("\n".join(by_name),),
            )
            self._held |= {by_name[name] for name, free in rows if free}

    def holds(self, locks: Iterable[Lock]) -> bool:
        return self._held.issuperset(locks)

    def begin_function(self) -> None:
        self._asked.clear()
        self._covered.clear()

    def end_function(self, about: Hashable | None) -> None:
        self._held |= self._own
        self._own.clear()
        if about is not None:
            self._known.pop(about, None)
            self._known[about] = frozenset(self._asked)
            if len(self._known) > KNOWN_MAX:
                del self._known[next(iter(self._known))]

    def undo_function(self) -> None:
        """Going back to a savepoint ends the locks that were taken after it."""
        self._own.clear()

    def take(self, kind: LockKind, key: str) -> bool:
        lock = Lock(kind, key)
        if lock in self._covered:
            return False
        self._asked.add(lock)
        if lock in self._own or lock in self._held:
            return False
        (free,) = self._conn.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(?, hashtext(current_schema())))",
            (_name(lock),),
        ).fetchone()
        if not free:
            raise LockNeeded(lock)
        self._own.add(lock)
        return True

    def need(self, kind: LockKind, key: str) -> None:
        lock = Lock(kind, key)
        if lock not in self._own and lock not in self._held:
            raise LockNeeded(lock)

    def cover(self, kind: LockKind, key: str) -> None:
        self._covered.add(Lock(kind, key))


def _name(lock: Lock) -> str:
    return f"{lock.kind} {lock.key}".replace("\n", " ")
