"""Corrections of a wallet, decided by two admins (``services.proposal_decisions``) and booked here.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from services.domain.adjustment import Adjustment
from services.domain.ledger import Account, AccountKind, wallet_adjustment
from services.domain.money import Money
from services.domain.proposal import Proposal, Resolution
from services.domain.refusal import Refusal
from services.ports import Tx


def check(tx: Tx, partner: str, outcome: Resolution, amount: Money) -> Refusal | None:
    """Whether the wallet can be corrected like this now: held money cannot be taken.

    Refusals: ``no_partner``, ``adjust_short`` (available).
    """
    if tx.people.partner(partner) is None:
        return Refusal("no_partner")
    available = tx.ledger.balance(Account(partner, AccountKind.WALLET)).available
    if outcome is Resolution.DEBIT and available < amount:
        return Refusal.of("adjust_short", available=available)
    return None


def book(tx: Tx, proposal: Proposal, channel: str, address: str) -> Adjustment:
    """Book what ``check`` has allowed; ``channel`` and ``address`` belong to the approving
    admin."""
    adjustment = Adjustment(
        reference=proposal.about,
        partner=proposal.partner,
        resolution=proposal.resolution,
        amount=proposal.amount,
        reason=proposal.reason,
        channel=channel,
        address=address,
        booked_at=tx.now,
    )
    tx.adjustments.add(adjustment, proposal.id)
    tx.ledger.book(
        wallet_adjustment(
            adjustment.reference,
            adjustment.partner,
            adjustment.amount,
            credit=adjustment.is_credit,
        )
    )
    return adjustment
