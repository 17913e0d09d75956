"""Encryption and digest keys, which live outside the database."""

from __future__ import annotations

from typing import Protocol


class Keys(Protocol):
    """Keys kept outside the database; several at once, so that they can be rotated."""

    @property
    def pepper_id(self) -> str:
        """The key that digests new codes."""
        ...

    def pepper(self, pepper_id: str) -> bytes:
        """For a key that is gone: bytes that match nothing."""
        ...

    def seal(self, text: str) -> str: ...

    def unseal(self, sealed: str) -> str | None:
        """``None`` if none of our keys opens it."""
        ...
