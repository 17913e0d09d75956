"""Partners and their people: who may do what."""

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
    """What a flow, or a step of one, may ask of its person."""

    VIEW = "look"  # balances, history, statements; the own language and numbers
    MOVE_MONEY = "move_money"  # top up, buy float, marks and notices
    APPROVE = "approve"  # another person's large purchase
    INVITE = "invite"  # people of the own partner, and let them go
    SET_RULES = "rule"  # how much a single person of the own partner may buy
    ADMIN = "lead"  # the desk: admins only, whoever else they are


# Who may do what; docs/roles.md says it in words.
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
    """``low_balance_cents`` marks the wallet as low below it, ``low_float_cents`` the float;
    0 switches a mark off. Float above ``approve_above_cents`` needs a second person."""

    code: str
    currency: str = "KES"
    low_balance_cents: int = 0
    suspended: bool = False
    low_float_cents: int = 0
    approve_above_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One human of one partner; ``phone`` is the registered M-PESA number, where codes go.

    ``phone_changed_at`` and ``email_changed_at`` are when that last became another: purchases
    rest for a while then. ``rests_from`` is of the account that acts, where it is not the first
    one of the person: what needs a code rests from then.
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
        """When codes last began to go elsewhere."""
        moments = (self.phone_changed_at, self.email_changed_at)
        return max((moment for moment in moments if moment is not None), default=None)
