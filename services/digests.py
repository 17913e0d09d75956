"""What a partner's wallet did between two moments."""

from __future__ import annotations

from datetime import datetime

from services.domain.digest import Digest, digest
from services.domain.ledger import AccountKind
from services.ports import Tx


def of(tx: Tx, partner: str, since: datetime, until: datetime) -> Digest:
    """From ``since`` until just before ``until``. Read in one transaction, so it adds up."""
    wallet = partner, AccountKind.WALLET
    return digest(
        tx.statements.balance_at(*wallet, since),
        tx.statements.balance_at(*wallet, until),
        tx.statements.totals(*wallet, since, until),
    )
