"""What partners' systems follow until it is final: an operation, or a batch of payouts."""

from __future__ import annotations

from typing import TypeAlias

from services.domain.payout_batch import is_batch
from services.domain.public_batch import PublicBatch
from services.domain.public_operation import PublicOperation
from services.ports import Tx

Followed: TypeAlias = PublicOperation | PublicBatch


def find(tx: Tx, reference: str) -> Followed | None:
    """Of whatever partner."""
    if is_batch(reference):
        return tx.public_batches.get(reference)
    return tx.public_operations.get(reference)
