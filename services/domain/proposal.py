"""What one admin proposes and another decides: money moved by hand needs two admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain.money import Money

BY_ADMINS = "by_admins"  # the reason of an operation that two admins called failed
ADMINS = "admins"  # the source of evidence from two admins
REASON_LEAST, REASON_MOST = 10, 300  # characters


class ProposalKind(StrEnum):
    RESOLVE = "resolve"  # decide an operation that the bank left unknown
    ADJUST = "adjust"  # correct a wallet
    ASSIGN = "assign"  # give a payment in suspense to its owner, or to the top-up it paid
    DISMISS = "dismiss"  # reviewed, and no money moves


class Resolution(StrEnum):
    """The first two resolve, the next two adjust."""

    PAID = "paid"  # the top-up was paid, or the float bought
    FAILED = "failed"
    CREDIT = "credit"  # money is added to the wallet
    DEBIT = "debit"  # money is taken from the wallet
    ASSIGNED = "assigned"  # the payment belongs to the partner, or to its top-up
    DISMISSED = "dismissed"  # it needs no further review


class ProposalStatus(StrEnum):
    OPEN = "open"
    DONE = "done"  # approved, and booked or settled in the same transaction
    DECLINED = "declined"
    OVERTAKEN = "overtaken"  # settled by evidence in the meantime


@dataclass(frozen=True, slots=True)
class Proposal:
    """``about`` is the operation, payment or finding to be resolved, or the adjustment's own
    reference; ``topup`` is what a payment is said to have paid. Admins are named as in the audit
    log. A dismissed finding may have no partner (``HOUSE``) and no known amount (0)."""

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
