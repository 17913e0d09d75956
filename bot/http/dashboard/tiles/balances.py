"""What is held at the bank against what is owed, as our books have it, and how long it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from services.domain.ledger import AccountKind as Kind
from services.domain.money import Money
from services.ports import Tx

SPENT_FOR = timedelta(hours=24)
LASTS_MAX = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Pool:
    """One account at the bank. ``owed`` is to be paid out of it; ``spent`` left it within
    ``SPENT_FOR``."""

    name: str
    held: Money
    owed: Money
    spent: Money

    @property
    def left(self) -> Money:
        return self.held - self.owed

    @property
    def is_covered(self) -> bool:
        return self.left.cents >= 0

    @property
    def lasts_s(self) -> float | None:
        """At the rate of ``SPENT_FOR``, in seconds; ``None``: nothing was spent, or for longer than
        ``LASTS_MAX``."""
        if self.spent.cents <= 0:
            return None
        lasts = max(self.held.cents, 0) / self.spent.cents * SPENT_FOR
        return None if lasts > LASTS_MAX else lasts.total_seconds()


def _read(tx: Tx, desk: Desk) -> Facts:
    sums = tx.overview.balances()
    since = tx.now - SPENT_FOR
    wallets, suspense, float_ = (sums[kind] for kind in (Kind.WALLET, Kind.SUSPENSE, Kind.FLOAT))
    pools = [
        Pool(
            "Collection account",
            sums[Kind.COLLECTION].posted,
            wallets.posted + suspense.posted,
            tx.overview.spent(Kind.COLLECTION, since),
        ),
        Pool(
            "B2C utility account",
            sums[Kind.B2C_UTILITY].posted,
            float_.posted,
            tx.overview.spent(Kind.B2C_UTILITY, since),
        ),
    ]
    return {
        "pools": pools,
        "owed": [
            ("Wallets", wallets),
            ("Float", float_),
            ("Suspense: nobody's yet", suspense),
            ("M-PESA, for charges", sums[Kind.CHARGES_OWED]),
        ],
        "receivable": sums[Kind.RECEIVABLE].posted,
        "fees": sums[Kind.TRANSFER_FEE].posted + sums[Kind.PROCESSING_FEE].posted,
    }


BALANCES = Tile("balances", "Float and utility balances", _read)
