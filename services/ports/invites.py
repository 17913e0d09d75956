"""Stored invitations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.invite import Invite


class Invites(Protocol):
    """Invitations, by the digest of their token only."""

    def add(self, invite: Invite, digest: str) -> bool:
        """False when the id is taken: draw another."""
        ...

    def get(self, invite_id: str) -> Invite | None: ...

    def of_digest(self, digest: str) -> Invite | None: ...

    def save(self, invite: Invite) -> None:
        """Write what may change: how far it is, and whose it has become."""
        ...

    def revoke_open(self, partner: str, name: str) -> Sequence[str]:
        """Another invitation of the same person takes the place of those before; returns these."""
        ...

    def revoke_made_by(self, inviter: str) -> Sequence[str]:
        """Who made them invites nobody any more; returns those that were still good."""
        ...

    def open_names(self, partner: str) -> Sequence[str]:
        """Whom the partner's invitations that are still good are for."""
        ...
