"""A view of personal data is in the audit log before it is answered."""

from __future__ import annotations

from bot.http.dashboard.site import Site
from bot.http.dashboard.visitor import Visitor
from services.domain.ledger import HOUSE


async def note_view(site: Site, visitor: Visitor, partner: str | None, what: str) -> None:
    """``what`` is a reference or a partner's code. It is named apart from acts on the same thing,
    which a timeline shows a limited number of."""
    await site.app.database.write(
        lambda tx: tx.audit.add(partner or HOUSE, visitor.actor, "dashboard_viewed", f"seen:{what}")
    )
