"""Notices about a payout: its live message, its receipt, and what admins must know."""

from __future__ import annotations

from bot.context import queue_admin_notices
from bot.handlers import pay
from bot.handlers.outcomes import outcome_facts
from bot.handlers.spendings import outcome_exit
from bot.notify.batches import queue_batch_progress, queue_row_owed
from bot.notify.low_balances import queue_low_balances
from bot.notify.needs_admin import queue_needs_admin
from bot.notify.outcomes import OutcomeNotices
from services.domain.outbox import OutboxRow
from services.domain.payout import Payout, PayoutState
from services.payout_settlement import PayoutChange
from services.ports import Tx


def queue_payout_change(tx: Tx, outcomes: OutcomeNotices, change: PayoutChange) -> list[OutboxRow]:
    """Queue the receipt, an edit of the live message, alerts about a float now low, and what only
    admins can mend. A row of a batch has neither: its batch has."""
    payout, batch = change.payout, change.batch
    rows: list[OutboxRow] = []
    if batch is not None and payout.state is PayoutState.PAID_AFTER_RETURN:
        rows += queue_row_owed(tx, outcomes, batch, payout)
    elif batch is not None:
        rows += queue_batch_progress(tx, outcomes, batch, is_over=change.ends_batch)
    elif not outcomes.reads_events(payout):
        rows += _told(tx, outcomes, payout)
    if payout.state is PayoutState.PAID:
        rows += queue_low_balances(tx, outcomes.context, payout, begun=batch or payout)
    rows += queue_needs_admin(tx, outcomes.context, payout)
    if change.pauses:
        facts = {"reference": payout.reference, "why": payout.reason}
        rows += queue_admin_notices(tx, outcomes.context, "notice.payouts_paused", facts)
    return rows


def _told(tx: Tx, outcomes: OutcomeNotices, payout: Payout) -> list[OutboxRow]:
    session = outcomes.sessions.load(tx, payout.channel, payout.address)
    texts, exit_of = outcomes.engine.texts, outcome_exit(payout)
    facts = outcome_facts(tx, texts, payout)
    rows = outcomes.receipt(tx, "pay", payout, session, exit_of, facts)
    live = {**facts, "status": pay.status(texts, payout.language, payout)}
    return [*rows, *outcomes.live_message(tx, "pay", payout, session, "pay.send.ask", live)]
