"""Restored backups, as long as admins have not been told."""

from __future__ import annotations

from typing import Protocol

from services.domain.restore import Restore


class Restores(Protocol):
    def unannounced(self) -> list[Restore]:
        """Restores not yet announced to admins, oldest first."""
        ...

    def told(self, restore_id: int) -> None: ...
