"""Notices about a float purchase: its live message and its receipt."""

from __future__ import annotations

from typing import Any

from bot.handlers import float as float_handlers
from bot.handlers.outcomes import outcome_facts
from bot.handlers.spendings import outcome_exit
from bot.notify.low_balances import queue_low_balances
from bot.notify.needs_admin import queue_needs_admin
from bot.notify.outcomes import OutcomeNotices, is_awaited_by
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.outbox import OutboxRow
from services.float_settlement import PurchaseChange
from services.ports import Tx


def queue_purchase_change(
    tx: Tx, outcomes: OutcomeNotices, change: PurchaseChange
) -> list[OutboxRow]:
    """Queue the receipt, an edit of the live message, and alerts about balances now low."""
    purchase = change.purchase
    if outcomes.reads_events(purchase):
        return [*_lows(tx, outcomes, purchase), *queue_needs_admin(tx, outcomes.context, purchase)]
    session = outcomes.sessions.load(tx, purchase.channel, purchase.address)
    facts = outcome_facts(tx, outcomes.engine.texts, purchase)
    exit_of = outcome_exit(purchase)
    is_bought = purchase.state is PurchaseState.SUCCEEDED
    reference = purchase.reference
    waiting = [flow for flow in ("pay", "batch") if is_awaited_by(session, flow, reference)]
    goes_on = waiting[0] if is_bought and waiting else None
    rows = outcomes.receipt(tx, "float", purchase, session, exit_of, facts, goes_on)
    live = {
        **_quote_facts(purchase),
        "status": float_handlers.status(outcomes.engine.texts, purchase.language, purchase),
    }
    rows += outcomes.live_message(tx, "float", purchase, session, "float.buy.ask", live)
    rows += _lows(tx, outcomes, purchase)
    rows += queue_needs_admin(tx, outcomes.context, purchase)
    return rows


def _lows(tx: Tx, outcomes: OutcomeNotices, purchase: Purchase) -> list[OutboxRow]:
    if purchase.state is not PurchaseState.SUCCEEDED:
        return []
    return queue_low_balances(tx, outcomes.context, purchase)


def _quote_facts(purchase: Purchase) -> dict[str, Any]:
    quote = purchase.quote
    return {
        "reference": purchase.reference,
        "amount": quote.amount,
        "fees": quote.fees,
        "total": quote.total,
    }
