"""Notices about a batch of payouts: its live message while rows end, and its receipt.

One that a partner's system began is told to its maker in the chat, where it is gone on with.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.handlers.batch_words import exit_of, progress_line
from bot.handlers.outcomes import outcome_facts
from bot.notify.outcomes import OutcomeNotices, linked_initiator
from bot.notify.owners import notify_owners
from services.domain.outbox import OutboxRow
from services.domain.payout import Payout
from services.domain.payout_batch import Batch, BatchState
from services.ports import Tx

DRAWN_ALWAYS = 20  # rows of a file whose every row is shown at once
DRAWN_EVERY = timedelta(seconds=3)  # the live message, at most: a thousand rows end in minutes


def queue_batch_progress(
    tx: Tx, outcomes: OutcomeNotices, batch: Batch, *, is_over: bool
) -> list[OutboxRow]:
    """A row has ended: draw the live message anew, of a large file once in a while and when only
    what is unknown is left. Tell the end of the last row, also of a batch that was stopped."""
    if is_over:
        return _over(tx, outcomes, batch, exit_of(tx, batch))
    # One transaction can end several rows, and the batch with the last of them.
    current = tx.payout_batches.get(batch.reference)
    assert current is not None, "a row has its batch"
    if current.state is not BatchState.RUNNING:
        return []
    was_just_drawn = current.told_at is not None and tx.now < current.told_at + DRAWN_EVERY
    may_wait = was_just_drawn and current.rows > DRAWN_ALWAYS
    if may_wait and tx.payout_batches.has_rows_to_go(current.reference):
        return []
    tx.payout_batches.save(replace(current, told_at=tx.now))
    rows: list[OutboxRow] = []
    for told in outcomes.told_at(tx, current):
        rows += _live(tx, outcomes, told)
    return rows


def queue_row_owed(
    tx: Tx, outcomes: OutcomeNotices, batch: Batch, payout: Payout
) -> list[OutboxRow]:
    """A row was paid after its return: its maker hears of it as of a single payout's."""
    facts = outcome_facts(tx, outcomes.engine.texts, payout)
    rows: list[OutboxRow] = []
    for told in outcomes.told_at(tx, batch):
        account = outcomes.context.account_to_tell(tx, told.channel, told.address)
        if linked_initiator(tx, told) is None or account is None:
            began = tx.people.of_id(batch.person_id)
            first = [] if began is None else [began]
            rows += notify_owners(
                tx, outcomes.context, batch.partner, "pay.paid_late.ask", facts, first
            )
            continue
        text = outcomes.engine.texts.say(batch.language, "pay.paid_late.ask", facts)
        rows.append(tx.outbox.add(*account, kind="receipt", text=text, protect=True))
    return rows


def queue_batch_stopped(tx: Tx, outcomes: OutcomeNotices, batch: Batch) -> list[OutboxRow]:
    """Somebody else stopped it: its maker is told at once, also while rows are on their way."""
    return _over(tx, outcomes, batch, "stopped")


def _over(tx: Tx, outcomes: OutcomeNotices, batch: Batch, exit_name: str) -> list[OutboxRow]:
    rows: list[OutboxRow] = []
    for told in outcomes.told_at(tx, batch):
        session = outcomes.sessions.load(tx, told.channel, told.address)
        facts = outcome_facts(tx, outcomes.engine.texts, told)
        rows += outcomes.receipt(tx, "batch", told, session, exit_name, facts)
        rows += _live(tx, outcomes, told)
    return rows


def _live(tx: Tx, outcomes: OutcomeNotices, batch: Batch) -> list[OutboxRow]:
    session = outcomes.sessions.load(tx, batch.channel, batch.address)
    status = progress_line(outcomes.engine.texts, batch.language, tx, batch)
    facts = {"reference": batch.reference, "status": status, "rows": batch.rows}
    facts |= {"amount": batch.amount, "fees": batch.quote.fees, "total": batch.quote.total}
    return outcomes.live_message(tx, "batch", batch, session, "batch.run.ask", facts)
