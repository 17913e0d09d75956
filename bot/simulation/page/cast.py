"""Whose phones the page can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.scripts.given import Given, GivenAdmin, GivenPerson
from services.domain.phone import Phone

ADMINS = "Admins"


@dataclass(frozen=True, slots=True)
class Member:
    """Admins have no phone of their own here, and belong to ``ADMINS``."""

    name: str
    group: str
    role: str
    phone: Phone | None = None
    email: str | None = None

    @property
    def is_admin(self) -> bool:
        return self.group == ADMINS


def cast(givens: Sequence[Given]) -> dict[str, Member]:
    """By name, in the order given."""
    members: dict[str, Member] = {}
    for given in givens:
        match given:
            case GivenPerson():
                phone = Phone(given.phone)
                members[given.name] = Member(
                    given.name, given.partner, given.role, phone, given.email
                )
            case GivenAdmin():
                members[given.name] = Member(given.name, ADMINS, "admin")
    return members


def groups(givens: Sequence[Given]) -> dict[str, list[Member]]:
    """By partner, and the admins."""
    found: dict[str, list[Member]] = {}
    for member in cast(givens).values():
        found.setdefault(member.group, []).append(member)
    return found
