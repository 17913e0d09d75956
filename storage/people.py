"""Partners, their people and the addresses these write from; cached, since every turn asks."""

from __future__ import annotations

import sqlite3
from typing import Any

from services.domain.partner import Partner, Person, Role
from services.domain.phone import Phone
from storage.moment import Moment
from storage.times import from_ms

CACHE_MAX = 100_000  # addresses


class AddressTaken(Exception):
    """The address belongs to a person of another partner already."""


class PeopleStore:
    def __init__(self, conn: sqlite3.Connection, moment: Moment) -> None:
        self._conn = conn
        self._moment = moment
        self._cache: dict[tuple[str, str], Person | None] = {}
        self._partners: dict[str, Partner] = {}

    def at(self, channel: str, address: str) -> Person | None:
        key = (channel, address)
        if key in self._cache:
            return self._cache[key]
        row = self._conn.execute(
            "SELECT p.id, p.name, p.role, p.phone, p.email, p.language, p.phone_changed_at,"
            " r.code, r.suspended, w.currency, w.low_balance_cents, w.low_float_cents"
            " FROM addresses AS a JOIN people AS p ON p.id = a.person_id"
            " JOIN partners AS r ON r.code = p.partner"
            " JOIN partner_wallets AS w ON w.partner = p.partner"
            " WHERE a.channel = ? AND a.address = ?",
            key,
        ).fetchone()
        person = None if row is None else _person(row)
        if len(self._cache) >= CACHE_MAX:
            self._cache.clear()
        self._cache[key] = person
        return person

    def owners(self, partner: str) -> list[Person]:
        """The partner's owners, in the order in which they were added."""
        rows = self._conn.execute(
            "SELECT p.id, p.name, p.role, p.phone, p.email, p.language, p.phone_changed_at,"
            " r.code, r.suspended, w.currency, w.low_balance_cents, w.low_float_cents"
            " FROM people AS p JOIN partners AS r ON r.code = p.partner"
            " JOIN partner_wallets AS w ON w.partner = p.partner"
            " WHERE p.partner = ? AND p.role = 'owner' ORDER BY p.id",
            (partner,),
        )
        return [_person(row) for row in rows]

    def set_language(self, person_id: int, language: str) -> None:
        self._conn.execute("UPDATE people SET language = ? WHERE id = ?", (language, person_id))
        self.forget()

    def forget_phone(self, person_id: int, phone: Phone) -> None:
        """Payments from it until now do not make it a usual one any more."""
        self._conn.execute(
            "INSERT INTO forgotten_phones (person_id, phone, at) VALUES (?, ?, ?)"
            " ON CONFLICT (person_id, phone) DO UPDATE SET at = excluded.at",
            (person_id, phone.msisdn, self._moment.ms),
        )

    def addresses(self, person_id: int) -> list[tuple[str, str]]:
        """(channel, address) of each account that is linked to the person."""
        rows = self._conn.execute(
            "SELECT channel, address FROM addresses WHERE person_id = ?", (person_id,)
        )
        return [(channel, address) for channel, address in rows]

    def add_partner(self, partner: Partner) -> None:
        """Add the partner and its wallet's settings, or bring those up to date."""
        self._conn.execute(
            "INSERT INTO partners (code, suspended, created_at) VALUES (?, ?, ?)"
            " ON CONFLICT (code) DO UPDATE SET suspended = excluded.suspended",
            (partner.code, int(partner.suspended), self._moment.ms),
        )
        self._conn.execute(
            "INSERT INTO partner_wallets (partner, currency, low_balance_cents, low_float_cents)"
            " VALUES (?, ?, ?, ?)"
            " ON CONFLICT (partner) DO UPDATE SET low_balance_cents = excluded.low_balance_cents,"
            " low_float_cents = excluded.low_float_cents",
            (partner.code, partner.currency, partner.low_balance_cents, partner.low_float_cents),
        )
        self.forget()

    def partner(self, code: str) -> Partner | None:
        if code in self._partners:
            return self._partners[code]
        row = self._conn.execute(
            "SELECT r.code, w.currency, w.low_balance_cents, r.suspended, w.low_float_cents"
            " FROM partners AS r"
            " JOIN partner_wallets AS w ON w.partner = r.code WHERE r.code = ?",
            (code,),
        ).fetchone()
        if row is None:
            return None
        partner = Partner(row[0], row[1], row[2], bool(row[3]), row[4])
        self._partners[code] = partner
        return partner

    def named(self, partner: str, name: str) -> tuple[Role, str | None] | None:
        """Role and mail address of the partner's person of that name."""
        row = self._conn.execute(
            "SELECT role, email FROM people WHERE partner = ? AND name = ?", (partner, name)
        ).fetchone()
        return None if row is None else (Role(row[0]), row[1])

    def add_person(
        self, partner: str, name: str, role: Role, phone: Phone, email: str | None, language: str
    ) -> int:
        """Add a person, or bring one of that name up to date; returns the id."""
        row = self._conn.execute(
            "INSERT INTO people (partner, name, role, phone, email, language, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (partner, name) DO UPDATE"
            " SET role = excluded.role, phone = excluded.phone, email = excluded.email,"
            " language = excluded.language, phone_changed_at = CASE"
            " WHEN phone <> excluded.phone THEN ? ELSE phone_changed_at END RETURNING id",
            (
                partner,
                name,
                role,
                phone.msisdn,
                email,
                language,
                self._moment.ms,
                self._moment.ms,
            ),
        ).fetchone()
        self.forget()
        return int(row[0])

    def link(self, channel: str, address: str, person_id: int) -> None:
        """Give the address to the person.

        Raises ``AddressTaken`` when somebody of another partner has it.
        """
        taken = self._conn.execute(
            "SELECT 1 FROM addresses AS a JOIN people AS p ON p.id = a.person_id"
            " WHERE a.channel = ? AND a.address = ? AND p.partner <>"
            " (SELECT partner FROM people WHERE id = ?)",
            (channel, address, person_id),
        ).fetchone()
        if taken is not None:
            raise AddressTaken(f"{channel} account {address} belongs to another partner")
        self._conn.execute(
            "INSERT INTO addresses (channel, address, person_id, linked_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (channel, address) DO UPDATE SET person_id = excluded.person_id,"
            " linked_at = excluded.linked_at",
            (channel, address, person_id, self._moment.ms),
        )
        self.forget()

    def forget(self) -> None:
        self._cache.clear()
        self._partners.clear()


def _person(row: tuple[Any, ...]) -> Person:
    person_id, name, role, phone, email, language, changed_at = row[:7]
    code, suspended, currency, low_balance, low_float = row[7:]
    return Person(
        id=person_id,
        name=name,
        partner=Partner(code, currency, low_balance, bool(suspended), low_float),
        role=Role(role),
        phone=Phone(phone),
        email=email,
        language=language,
        phone_changed_at=from_ms(changed_at),
    )
