"""Notices about a float purchase: its live message and its receipt."""

from __future__ import annotations

from typing import Any

from bot.handlers import float as float_handlers
from bot.notify.low_balances import queue_low_balances
from bot.notify.outcomes import OutcomeNotices
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.outbox import OutboxRow
from services.float_settlement import PurchaseChange
from services.ports import Tx


def queue_purchase_change(
    tx: Tx, outcomes: OutcomeNotices, change: PurchaseChange
) -> list[OutboxRow]:
    """Queue the receipt, an edit of the live message, and alerts about balances now low."""
    purchase = change.purchase
    session = outcomes.sessions.load(tx, purchase.channel, purchase.address)
    exit_of = purchase.state.value.lower()
    rows = outcomes.receipt(
        tx, "float", purchase, session, exit_of, _purchase_facts(tx, outcomes, purchase)
    )
    live = {
        **_quote_facts(purchase),
        "status": float_handlers.status(outcomes.engine.texts, purchase.language, purchase),
    }
    rows.append(outcomes.live_message(tx, "float", purchase, session, "float.buy.ask", live))
    if purchase.state is PurchaseState.SUCCEEDED:
        rows += queue_low_balances(tx, outcomes.engine.texts, purchase)
    return rows


def queue_purchase_refused(tx: Tx, outcomes: OutcomeNotices, purchase: Purchase) -> list[OutboxRow]:
    """Queue the receipt of a purchase that ended before the bank was asked, with the reason."""
    session = outcomes.sessions.load(tx, purchase.channel, purchase.address)
    facts = _purchase_facts(tx, outcomes, purchase)
    return outcomes.receipt(tx, "float", purchase, session, "declined", facts)


def _purchase_facts(tx: Tx, outcomes: OutcomeNotices, purchase: Purchase) -> dict[str, Any]:
    return outcomes.facts(tx, purchase) | _quote_facts(purchase)


def _quote_facts(purchase: Purchase) -> dict[str, Any]:
    quote = purchase.quote
    return {
        "reference": purchase.reference,
        "amount": quote.amount,
        "fees": quote.fees,
        "total": quote.total,
    }
