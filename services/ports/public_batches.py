"""Batches of payouts as their partner's systems see them."""

from __future__ import annotations

from typing import Protocol

from services.domain.public_batch import PublicBatch


class PublicBatches(Protocol):
    """What nobody confirmed is not among them."""

    def get(self, reference: str) -> PublicBatch | None:
        """Of whatever partner."""
        ...
