"""A partner's wallet and float balance. Read-only."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import View
from services import balances
from services.domain.partner import Partner, Right

HANDLERS = Handlers()


@HANDLERS.view(
    "balance",
    needs=Right.VIEW,
    shows=("at", "available", "float", "held", "low", "partner", "wallet"),
)
def own_balance(turn: TurnContext) -> View:
    return balance_of(turn, turn.person.partner, "balance.show")


def balance_of(turn: TurnContext, partner: Partner, node: str) -> View:
    """``node`` is the one whose texts say that the wallet is low, and what payouts hold of the
    float."""
    seen = balances.of(turn.tx, partner)
    low = turn.say(f"{node}.low", {"threshold": seen.threshold}) if seen.is_low else ""
    held = ""
    if seen.float.held.cents:
        facts = {"available": seen.float.available, "held": seen.float.held}
        held = turn.say(f"{node}.held", facts)
    return View(
        {
            "partner": partner.code,
            "at": turn.tx.now,
            "wallet": seen.wallet.posted,
            "available": seen.wallet.available,
            "float": seen.float.posted,
            "held": held,
            "low": low,
        }
    )
