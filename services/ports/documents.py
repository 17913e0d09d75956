"""Stored statements, charts and QR codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.document import Document, DocumentRequests


class Documents(Protocol):
    def add(self, document: Document) -> bool:
        """False if the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> Document | None: ...

    def waiting(self, *, pictures: bool) -> list[tuple[str, str]]:
        """Documents to render, oldest first, each with the requester's partner (empty for an
        admin). ``pictures`` selects QR codes that pay a top-up, otherwise everything else."""
        ...

    def claim(self, references: Sequence[str]) -> list[Document]:
        """Claim these for rendering and count one more attempt each; skips those no longer
        needed."""
        ...

    def asked_for(self, channel: str, address: str, since: datetime) -> DocumentRequests:
        """Documents one account asked for, not counting QR codes that pay a top-up."""
        ...

    def asked_by_partner(self, partner: str, since: datetime) -> int:
        """How many the partner's own people asked for, without admins' exports and QR codes."""
        ...

    def made(self, reference: str, name: str, content: bytes) -> None: ...

    def failed(self, reference: str) -> None: ...

    def content(self, reference: str) -> tuple[str, bytes] | None:
        """File name and content, while they are kept."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete documents requested before this; returns how many."""
        ...
