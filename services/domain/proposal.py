"""What one admin proposes and another decides: money moved by hand needs two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain.money import Money

BY_ADMINS = "by_admins"  # the reason of what two admins called failed
ADMINS = "admins"  # the source of evidence that they brought
REASON_LEAST, REASON_MOST = 10, 300  # characters


class ProposalKind(StrEnum):
    RESOLVE = "resolve"  # say what became of an operation that the bank left unknown
    ADJUST = "adjust"  # correct a wallet
    ASSIGN = "assign"  # say whose a payment in suspense is, or which top-up it has paid
    DISMISS = "dismiss"  # somebody has looked, and no money moves


class Resolution(StrEnum):
    """The first two resolve, the next two adjust."""

    PAID = "paid"  # a top-up was paid, float was bought
    FAILED = "failed"
    CREDIT = "credit"  # the wallet gets more
    DEBIT = "debit"  # the wallet gets less
    ASSIGNED = "assigned"  # the payment is the partner's, or its top-up's
    DISMISSED = "dismissed"  # it need not be looked at any more


class ProposalStatus(StrEnum):
    OPEN = "open"
    DONE = "done"  # approved, and booked or settled in the same transaction
    DECLINED = "declined"
    OVERTAKEN = "overtaken"  # evidence settled it meanwhile


@dataclass(frozen=True, slots=True)
class Proposal:
    """``about`` is the operation, payment or finding that is resolved, or the adjustment's own
    reference; ``topup`` is what a payment is said to have paid. Admins are named as the audit log
    names them. What is dismissed may be of nobody (``HOUSE``), and of no amount that is known (0).
    """

    id: str
    kind: ProposalKind
    partner: str
    about: str
    resolution: Resolution
    amount: Money
    reason: str
    proposed_by: str
    proposed_at: datetime
    topup: str | None = None
    status: ProposalStatus = ProposalStatus.OPEN
    decided_by: str | None = None
    decided_at: datetime | None = None
