"""A partner's wallet and float balance. Read-only."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import View
from services import balances
from services.domain.partner import Partner, Right

HANDLERS = Handlers()


@HANDLERS.view(
    "balance", needs=Right.VIEW, shows=("at", "available", "float", "low", "partner", "wallet")
)
def own_balance(turn: TurnContext) -> View:
    return balance_of(turn, turn.person.partner, "balance.show")


def balance_of(turn: TurnContext, partner: Partner, node: str) -> View:
    """``node`` is the one whose texts say that the wallet is low."""
    held = balances.of(turn.tx, partner)
    low = turn.say(f"{node}.low", {"threshold": held.threshold}) if held.is_low else ""
    return View(
        {
            "partner": partner.code,
            "at": turn.tx.now,
            "wallet": held.wallet.posted,
            "available": held.wallet.available,
            "float": held.float.posted,
            "low": low,
        }
    )
