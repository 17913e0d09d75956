"""Counts the sessions of USSD that have ended: how they ended, and what they cost.

Nothing else ever follows from an event: some never come, and nobody signs them (facts: USSD 3).
"""

from __future__ import annotations

from bot.observe.metrics import Metrics
from services.domain.database import Priority
from services.domain.ussd import UssdEvent
from services.ports.database import Database

OTHER = "other"  # a network that has no name here: what a caller writes never becomes a label
NETWORKS = {
    "63902": "safaricom",
    "63903": "airtel",
    "63907": "telkom",
    "63999": "equitel",
    "99999": "sandbox",
}  # by its code (facts: USSD 1)


class SessionEvents:
    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    async def record(self, event: UssdEvent) -> None:
        """Committed when it returns. One that is known already changes and counts nothing."""
        if await self._database.write(lambda tx: tx.ussd_events.add(event), Priority.JOBS):
            network = NETWORKS.get(event.network, OTHER)
            self._metrics.ussd_session(event.status, network, event.cost_cents)
