"""Keeps writers in other processes off what a function reads, decides on and then writes.

A function takes the lock of each partner, and of each chat that is no partner's, before it reads
what it may change. Where there is one writer, there is nothing to take.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol


class LockKind(StrEnum):
    """In the order in which they are taken when several are."""

    CHAT = "chat"
    PARTNER = "partner"


class Lock(NamedTuple):
    kind: LockKind
    key: str


class LockNeeded(Exception):
    """The function must run again, from its beginning, with this lock."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(f"{lock.kind} {lock.key} may have been changed meanwhile")
        self.lock = lock


class Locks(Protocol):
    def take(self, kind: LockKind, key: str) -> bool:
        """Keep others off until the end of the transaction. True if it was taken only now: what was
        read before may have changed meanwhile. May raise ``LockNeeded``."""
        ...

    def need(self, kind: LockKind, key: str) -> None:
        """Call before writing. Raises ``LockNeeded`` if it was not taken before reading."""
        ...

    def cover(self, kind: LockKind, key: str) -> None:
        """Whoever writes this has taken another lock that the transaction holds."""
        ...


class NoLocks:
    """Of one writer, and of readers."""

    def take(self, kind: LockKind, key: str) -> bool:
        return False

    def need(self, kind: LockKind, key: str) -> None:
        pass

    def cover(self, kind: LockKind, key: str) -> None:
        pass


NO_LOCKS = NoLocks()


def chat(channel: str, address: str) -> str:
    """The key of a chat's lock."""
    return f"{channel} {address}"
