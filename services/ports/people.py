"""Partners, people and their linked accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.partner import Partner, PartnersPage, Person, Role
from services.domain.phone import Phone


class People(Protocol):
    def add_partner(self, partner: Partner) -> None:
        """Add the partner and its wallet settings, or update them."""
        ...

    def partner(self, code: str) -> Partner | None: ...

    def freeze_payouts(self, partner: str, *, frozen: bool) -> None:
        """Hold back the partner's payouts that are not on their way, or let them go on."""
        ...

    def at(self, channel: str, address: str) -> Person | None:
        """Who is linked to this address, with their current partner and role.

        On USSD it is the number that dials: known is whoever has joined and has it now. Nobody is,
        where several people have it: whose money they mean cannot be told.
        """
        ...

    def of_name(self, partner: str, name: str) -> Person | None: ...

    def of_id(self, person_id: int) -> Person | None: ...

    def has_phone(self, partner: str, phone: Phone) -> bool:
        """Whether it is of one of the partner's people."""
        ...

    def of(self, partner: str) -> Sequence[Person]:
        """Everyone of the partner, in the order they were added."""
        ...

    def add_person(
        self, partner: str, name: str, role: Role, phone: Phone, email: str | None, language: str
    ) -> int:
        """Add a person, or update the one with that name; returns the id."""
        ...

    def reserve_name(self, partner: str, name: str, role: Role, phone: Phone) -> int:
        """Reserve an id for an invited person with a new name. They appear in no list until
        ``add_person``."""
        ...

    def linked_with(self, phone: Phone) -> Sequence[Person]:
        """People with a linked account who are registered with this number."""
        ...

    def addresses(self, person_id: int) -> Sequence[tuple[str, str]]:
        """Channel and address of each account linked to the person."""
        ...

    def linked_at(self, person_id: int) -> datetime | None:
        """When the person's newest account was linked; ``None`` if there is none."""
        ...

    def was_ever_linked(self, person_id: int) -> bool:
        """Whether the person has ever had a linked account."""
        ...

    def link(
        self,
        channel: str,
        address: str,
        person_id: int,
        *,
        since: datetime | None = None,
        frozen_since: datetime | None = None,
    ) -> None:
        """Link the address to the person, since now unless ``since`` says otherwise.

        Raises ``AddressTaken`` if it belongs to a person of another partner.
        """
        ...

    def unlink(self, channel: str, address: str) -> None: ...

    def set_language(self, person_id: int, language: str) -> None: ...

    def set_phone(self, person_id: int, phone: Phone) -> None: ...

    def set_email(self, person_id: int, email: str | None) -> None: ...

    def forget_phone(self, person_id: int, phone: Phone) -> None:
        """Stop suggesting this number on account of payments made from it until now."""
        ...

    def owners(self, partner: str) -> list[Person]:
        """The partner's owners, in the order they were added."""
        ...

    def count_partners(self, up_to: str | None = None) -> int:
        """The number of partners, or of those up to that one by code."""
        ...

    def partners_page(self, cursor: str | None, size: int) -> PartnersPage:
        """Partners by code; ``cursor`` comes from an earlier page."""
        ...

    def named(self, partner: str, name: str) -> tuple[Role, str | None] | None:
        """Role and mail address of the partner's person of that name."""
        ...
