"""What a partner's wallet or float did between two moments."""

from __future__ import annotations

from datetime import datetime

from services.domain.digest import Digest, digest
from services.domain.ledger import AccountKind
from services.ports import Tx


def of(
    tx: Tx,
    partner: str,
    since: datetime,
    until: datetime,
    account: AccountKind = AccountKind.WALLET,
) -> Digest:
    """From ``since`` until just before ``until``. Read in one transaction, so it adds up."""
    return digest(
        account,
        tx.statements.balance_at(partner, account, since),
        tx.statements.balance_at(partner, account, until),
        tx.statements.totals(partner, account, since, until),
    )
