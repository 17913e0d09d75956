"""Partners, their people and rights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain.phone import Phone


class Role(StrEnum):
    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Right(StrEnum):
    """What a flow, or a step of one, may require of its person."""

    VIEW = "look"  # balances, history, statements; own language and numbers
    MOVE_MONEY = "move_money"  # top up, buy float, thresholds and notifications
    APPROVE = "approve"  # another person's large purchase
    INVITE = "invite"  # invite people to the own partner, and remove them
    # How much one person of the own partner may buy alone, and the keys of its own systems
    SET_RULES = "rule"
    ADMIN = "lead"  # administration: admins only, whatever their other roles


# docs/roles.md describes these in words.
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.VIEW}),
    Role.OPERATOR: frozenset({Right.VIEW, Right.MOVE_MONEY, Right.APPROVE}),
    Role.OWNER: frozenset(
        {Right.VIEW, Right.MOVE_MONEY, Right.APPROVE, Right.INVITE, Right.SET_RULES}
    ),
}
MOVES_MONEY = frozenset(role for role, rights in RIGHTS.items() if Right.MOVE_MONEY in rights)


@dataclass(frozen=True, slots=True)
class Partner:
    """The wallet is low below ``low_balance_cents``, the float below ``low_float_cents``; 0
    disables the alert. Float and payouts above ``approve_above_cents`` need a second person.
    Payouts that are not on their way wait from ``payouts_frozen_at`` until an owner thaws them."""

    code: str
    currency: str = "KES"
    low_balance_cents: int = 0
    suspended: bool = False
    low_float_cents: int = 0
    approve_above_cents: int | None = None
    payouts_frozen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One human of one partner; ``phone`` is the registered M-PESA number, where codes go.

    ``phone_changed_at`` and ``email_changed_at`` are the times of the last change: purchases are
    frozen for a while after it. ``frozen_since`` belongs to the acting account, if it is not the
    person's first one: actions that need a code are frozen from then.
    """

    id: int
    name: str
    partner: Partner
    role: Role
    phone: Phone
    email: str | None
    language: str
    phone_changed_at: datetime | None = None
    email_changed_at: datetime | None = None
    frozen_since: datetime | None = None

    @property
    def contact_changed_at(self) -> datetime | None:
        """When the contact that codes are sent to last changed."""
        moments = (self.phone_changed_at, self.email_changed_at)
        return max((moment for moment in moments if moment is not None), default=None)


class AddressTaken(Exception):
    """The address belongs to a person of another partner."""


@dataclass(frozen=True, slots=True)
class PartnersPage:
    """``more`` and ``newer`` are the cursors of the next and the previous page."""

    partners: list[Partner]
    more: str | None
    newer: str | None
