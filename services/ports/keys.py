"""Encryption and digest keys, which live outside the database."""

from __future__ import annotations

from typing import Protocol


class Keys(Protocol):
    """Keys that are not in the database; several, so that they can be changed one by one."""

    @property
    def pepper_id(self) -> str:
        """Which key new codes are digested with."""
        ...

    def pepper(self, pepper_id: str) -> bytes:
        """Of a key that is gone: bytes that match nothing."""
        ...

    def seal(self, text: str) -> str: ...

    def unseal(self, sealed: str) -> str | None:
        """``None`` where no key of ours opens it."""
        ...
