"""A partner's wallet and float balance. Read-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from flows.engine.host import View
from services import balances
from services.domain.partner import Partner


def own_balance(turn: TurnContext, _: Mapping[str, Any], __: str | None) -> View:
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
