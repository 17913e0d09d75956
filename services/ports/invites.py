"""Stored invitations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.invite import Invite


class Invites(Protocol):
    """Invitations, stored only by the digest of their token."""

    def add(self, invite: Invite, digest: str) -> bool:
        """False if the id is taken: draw another."""
        ...

    def get(self, invite_id: str) -> Invite | None: ...

    def of_digest(self, digest: str) -> Invite | None: ...

    def save(self, invite: Invite) -> None:
        """Write the mutable fields: status, and who claimed it."""
        ...

    def revoke_open(self, partner: str, name: str) -> Sequence[str]:
        """Revoke the person's earlier invitations, which a new one replaces; returns their ids."""
        ...

    def revoke_made_by(self, inviter: str) -> Sequence[str]:
        """Revoke the open invitations of an inviter who has lost the right to invite; returns their
        ids."""
        ...

    def open_names(self, partner: str) -> Sequence[str]:
        """Names in the partner's open invitations."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete invitations created before this; returns how many."""
        ...
