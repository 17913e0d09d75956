"""Partners, people and their linked accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.partner import Partner, Person, Role
from services.domain.phone import Phone


class People(Protocol):
    def add_partner(self, partner: Partner) -> None:
        """Add the partner and its wallet's settings, or bring those up to date."""
        ...

    def partner(self, code: str) -> Partner | None: ...

    def at(self, channel: str, address: str) -> Person | None:
        """Whose address this is, with partner and role as they stand now."""
        ...

    def of_name(self, partner: str, name: str) -> Person | None: ...

    def of_id(self, person_id: int) -> Person | None: ...

    def of(self, partner: str) -> Sequence[Person]:
        """Everybody of the partner, in the order in which they were added."""
        ...

    def add_person(
        self, partner: str, name: str, role: Role, phone: Phone, email: str | None, language: str
    ) -> int:
        """Add a person, or bring one of that name up to date; returns the id."""
        ...

    def reserve_name(self, partner: str, name: str, role: Role, phone: Phone) -> int:
        """Keep an id for somebody who was invited under a name that nobody has: they are nobody,
        and no list knows them, until ``add_person``."""
        ...

    def linked_with(self, phone: Phone) -> Sequence[Person]:
        """Everybody with an account whose registered number it is."""
        ...

    def addresses(self, person_id: int) -> Sequence[tuple[str, str]]:
        """Channel and address of each account that is linked to the person."""
        ...

    def linked_at(self, person_id: int) -> datetime | None:
        """When the newest of the person's accounts was linked; ``None`` without one."""
        ...

    def was_ever_linked(self, person_id: int) -> bool:
        """Whether any account has ever been theirs."""
        ...

    def link(
        self,
        channel: str,
        address: str,
        person_id: int,
        *,
        frozen_since: datetime | None = None,
    ) -> None: ...

    def unlink(self, channel: str, address: str) -> None: ...

    def set_language(self, person_id: int, language: str) -> None: ...

    def set_phone(self, person_id: int, phone: Phone) -> None: ...

    def set_email(self, person_id: int, email: str | None) -> None: ...

    def forget_phone(self, person_id: int, phone: Phone) -> None:
        """Payments from it until now do not make it a usual one any more."""
        ...
