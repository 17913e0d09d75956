"""The link to the dashboard, for the admin who asks for it."""

from __future__ import annotations

from datetime import timedelta

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit
from services import dashboard_access
from services.domain.audit import by_admin
from services.domain.dashboard_session import LINK_LIFE
from services.domain.ledger import HOUSE
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()


@HANDLERS.use_case("open_dashboard", needs=Right.ADMIN)
def open_dashboard(turn: TurnContext) -> Exit | Refusal:
    """Exit ``sent``: the link is in a message of its own, sealed until it is sent."""
    base = turn.app.dashboard_url
    if base is None:
        return Refusal("dashboard_off")
    admin = by_admin(*turn.sender)
    token = dashboard_access.offer_link(turn.tx, turn.app.random, *turn.sender)
    facts = {
        "link": f"{base}/dashboard/login/{token}",
        "minutes": LINK_LIFE // timedelta(minutes=1),
    }
    turn.send_sealed(f"dashboard:{admin}", turn.say("dashboard.link", facts))
    turn.audit(HOUSE, "dashboard_link_made", admin)
    return Exit("sent")
