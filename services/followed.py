"""What partners' systems follow until it is final: an operation, or a batch of payouts."""

from __future__ import annotations

from services.domain.payout_batch import is_batch
from services.domain.public_batch import Followed
from services.ports import Tx


def find(tx: Tx, reference: str) -> Followed | None:
    """Of whatever partner."""
    if is_batch(reference):
        return tx.public_batches.get(reference)
    return tx.public_operations.get(reference)
