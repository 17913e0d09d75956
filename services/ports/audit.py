"""The audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Audit(Protocol):
    """The audit trail of every action (docs/security.md)."""

    def add(
        self,
        partner: str,
        actor: str,
        act: str,
        about: str,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """``facts`` hold no secrets, and phones only masked."""
        ...
