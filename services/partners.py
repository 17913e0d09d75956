"""Add a partner and its accounts."""

from __future__ import annotations

from services.domain.ledger import AccountKind
from services.domain.partner import Partner
from services.ports import Tx


def add(tx: Tx, partner: Partner) -> None:
    """Add the partner with its settings and empty accounts; if it exists, update only the
    settings."""
    tx.people.add_partner(partner)
    tx.ledger.open_accounts(partner.code, AccountKind, partner.currency)
