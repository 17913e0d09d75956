"""Partners and their people: who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.domain.phone import Phone


class Role(StrEnum):
    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"


MOVES_MONEY = frozenset({Role.OWNER, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class Partner:
    """``low_balance_cents`` marks the wallet as low below it; 0 switches the mark off."""

    code: str
    currency: str = "KES"
    low_balance_cents: int = 0
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One human of one partner; ``phone`` is the registered M-PESA number."""

    id: int
    name: str
    partner: Partner
    role: Role
    phone: Phone
    email: str | None
    language: str
