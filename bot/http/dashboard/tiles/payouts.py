"""Payouts begun today by state, what was paid and charged, and how long all floats last."""

from __future__ import annotations

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from bot.http.dashboard.tiles.today import STANDINGS, kind_of_today
from services.domain.business_days import business_day, start_of_day_at
from services.domain.ledger import AccountKind
from services.domain.operation import OperationType
from services.domain.runway import PAID_FOR, Runway
from services.ports import Tx


def _read(tx: Tx, desk: Desk) -> Facts:
    since = start_of_day_at(tx.now)
    states = tx.overview.states(since)
    available = tx.overview.balances()[AccountKind.FLOAT].available
    return {
        "day": business_day(tx.now),
        "standings": STANDINGS,
        "kind": kind_of_today(tx, OperationType.PAYOUT, "Payouts", states, since),
        "paid": tx.overview.paid_out(since),
        "runway": Runway(available, tx.overview.paid_out(tx.now - PAID_FOR)),
        "pause": tx.payout_pauses.standing(),
    }


PAYOUTS = Tile("payouts", "Payouts", _read)
