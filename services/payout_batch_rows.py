"""Rows of running batches: taken up behind single payouts, fairly between partners, and counted as
they end.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from services import payout_freeze
from services.domain.ledger import payout_voided
from services.domain.payout import DESK, Payout, PayoutState
from services.domain.payout_batch import Batch, BatchState
from services.ports import Tx


def take_up(tx: Tx, spare: int) -> int:
    """Make at most ``spare`` more rows due: partners take turns, and a partner's batches too. Rows
    of what is frozen or paused wait. Returns how many."""
    if spare <= 0:
        return 0
    by_partner: dict[str, list[str]] = {}
    for code, reference in tx.payout_batches.running():
        if not payout_freeze.is_held_back(tx, code):
            by_partner.setdefault(code, []).append(reference)
    taken = 0
    for turn, batches in enumerate(by_partner.values()):
        share = -(-(spare - taken) // (len(by_partner) - turn))
        for place, reference in enumerate(batches):
            most = -(-share // (len(batches) - place))
            count = tx.payout_batches.release(reference, most) if most else 0
            share, taken = share - count, taken + count
    return taken


def is_stopped(tx: Tx, payout: Payout) -> bool:
    """Whether it is a row of a batch that sends nothing more."""
    batch = None if payout.batch is None else tx.payout_batches.get(payout.batch)
    return batch is not None and batch.state is BatchState.STOPPED


def cancel(tx: Tx, payout: Payout) -> Payout:
    """End a row that never left, and free its float; to be saved."""
    tx.evidence.add(payout.reference, "cancelled", DESK, f"{payout.batch} was stopped")
    tx.ledger.book(*payout_voided(payout.reference, payout.partner, payout.quote))
    return payout.transition_to(PayoutState.CANCELLED, settled_at=tx.now, due_at=None)


def after_row(tx: Tx, payout: Payout) -> tuple[Batch | None, bool]:
    """The batch whose row has reached an outcome, if it is one, and whether it was the last row to
    end: then the batch is done, if nobody has stopped it."""
    if payout.batch is None:
        return None, False
    batch = tx.payout_batches.get(payout.batch)
    assert batch is not None, "a row has its batch"
    is_last = not tx.payout_batches.has_open_rows(batch.reference)
    if is_last and batch.state is BatchState.RUNNING:
        batch = batch.transition_to(BatchState.DONE, settled_at=tx.now)
        tx.payout_batches.save(batch)
    return batch, is_last
