"""The wrong functions of ``tests.storm.batch_mistakes``. Each receives the right one first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.domain.payout_batch import Batch, BatchState
from services.ports import Tx

Right = Any


def anybody(right: Right, *args: Any) -> bool:
    return True


def of_the_maker_too(right: Right, store: Any, partner: str, but: int, *rest: Any) -> Any:
    return right(store, partner, -1, *rest)


def digest_forgotten(right: Right, store: Any, batch: Batch) -> None:
    right(store, replace(batch, approved_digest=None))


def nothing_against_it(right: Right, *args: Any) -> None:
    return None


def only_called_stopped(right: Right, tx: Tx, partner: Any, reference: str) -> Any:
    batch = tx.payout_batches.get(reference)
    assert batch is not None
    batch = batch.transition_to(BatchState.STOPPED, reason="stopped", settled_at=tx.now)
    tx.payout_batches.save(batch)
    return batch


def twice(right: Right, tx: Tx, random: Any, policy: Any, batch: Batch, row: Any) -> Any:
    right(tx, random, policy, batch, replace(row, number=row.number + 1_000))
    return right(tx, random, policy, batch, row)


def nothing(right: Right, *args: Any) -> tuple[()]:
    return ()


def no(right: Right, *args: Any) -> bool:
    return False


def twice_as_dear(right: Right, reference: str, partner: str, quote: Any) -> Any:
    return right(reference, partner, replace(quote, amount=quote.amount + quote.amount))
