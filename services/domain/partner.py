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


MOVES_MONEY = frozenset({Role.OWNER, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class Partner:
    """``low_balance_cents`` marks the wallet as low below it, ``low_float_cents`` the float;
    0 switches a mark off."""

    code: str
    currency: str = "KES"
    low_balance_cents: int = 0
    suspended: bool = False
    low_float_cents: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """One human of one partner; ``phone`` is the registered M-PESA number, where codes go.

    ``phone_changed_at`` is when it last became another: purchases rest for a while then.
    """

    id: int
    name: str
    partner: Partner
    role: Role
    phone: Phone
    email: str | None
    language: str
    phone_changed_at: datetime | None = None
