"""Tells the owners that events are no longer sent to one of their endpoints."""

from __future__ import annotations

from bot.context import AppContext
from bot.notify.owners import notify_owners
from services.domain.audit import HAZINA
from services.domain.outbox import OutboxRow
from services.domain.webhook import SWITCHED_OFF_GONE, Delivery
from services.domain.webhook_url import shown_url
from services.ports import Tx


def queue_switched_off(
    tx: Tx, context: AppContext, delivery: Delivery, why: str
) -> list[OutboxRow]:
    """Switch it off, unless it is off or gone: then nobody is told again."""
    partner, endpoint = delivery.event.partner, delivery.endpoint
    if not tx.webhooks.switch_off(endpoint, why):
        return []
    tx.audit.add(partner, HAZINA, "webhook_switched_off", endpoint, {"why": why})
    gone = why == SWITCHED_OFF_GONE
    key = "notice.webhook_gone" if gone else "notice.webhook_failing"
    facts = {"webhook": endpoint, "url": shown_url(delivery.url)}
    return notify_owners(tx, context, partner, key, facts)
