"""Stored credentials."""

from __future__ import annotations

from typing import Protocol

from services.domain.stored_secret import StoredSecret


class Secrets(Protocol):
    """Credentials, sealed with keys that are kept elsewhere."""

    def every(self) -> list[StoredSecret]: ...

    def put(self, name: str, sealed: str) -> None:
        """Set a value now, in place of an earlier one."""
        ...

    def reseal(self, name: str, sealed: str) -> None:
        """Store the same value sealed with another key."""
        ...

    def remove(self, name: str) -> bool:
        """False if there was none."""
        ...
