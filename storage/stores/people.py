"""Partners, their people and accounts; cached, since every turn needs them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.partner import AddressTaken, Partner, PartnersPage, Person, Role
from services.domain.phone import MSISDN, Phone
from services.domain.ussd import CHANNEL as USSD
from storage import locks
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.stores.cache_version import CacheVersion, CacheVersions
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

CACHE_MAX = 100_000  # addresses


class PeopleStore:
    def __init__(
        self,
        conn: Connection,
        time: TransactionTime,
        versions: CacheVersions,
        locks: Locks,
    ) -> None:
        self._conn = conn
        self._time = time
        self._locks = locks
        self._cache: dict[tuple[str, str], Person | None] = {}
        self._partners: dict[str, Partner] = {}
        self._version = CacheVersion(versions, "people", self.forget)

    def at(self, channel: str, address: str) -> Person | None:
        """Also keeps writers in other processes off the partner, and so off its people's chats."""
        person = self._at(channel, address)
        if person is not None:
            self._locks.take(LockKind.PARTNER, person.partner.code)
            self._locks.cover(LockKind.CHAT, locks.chat(channel, address))
        return person

    def _at(self, channel: str, address: str) -> Person | None:
        self._version.check()
        key = (channel, address)
        if key in self._cache:
            return self._cache[key]
        person = self._dialling(address) if channel == USSD else self._linked(key)
        if len(self._cache) >= CACHE_MAX:
            self._cache.clear()
        self._cache[key] = person
        return person

    def _dialling(self, address: str) -> Person | None:
        if not MSISDN.fullmatch(address):
            return None  # M-PESA is Kenya's
        found = self.linked_with(Phone(address))
        return found[0] if len(found) == 1 else None

    def _linked(self, key: tuple[str, str]) -> Person | None:
        row = self._conn.execute(
            "SELECT p.id, p.name, p.role, p.phone, p.email, p.language, p.phone_changed_at,"
            " p.email_changed_at, p.code, p.suspended, p.currency, p.low_balance_cents,"
            " p.low_float_cents, p.approve_above_cents, p.payouts_frozen_at, a.rests_from"
            " FROM addresses AS a JOIN persons AS p ON p.id = a.person_id"
            " WHERE a.channel = ? AND a.address = ?",
            key,
        ).fetchone()
        return None if row is None else _person(row[:-1], from_ms(row[-1]))

    def owners(self, partner: str) -> list[Person]:
        """The partner's owners, in the order they were added."""
        rows = self._conn.execute(
            "SELECT id, name, role, phone, email, language, phone_changed_at, email_changed_at,"
            " code, suspended, currency, low_balance_cents, low_float_cents, approve_above_cents,"
            " payouts_frozen_at"
            " FROM persons WHERE code = ? AND role = 'owner' ORDER BY id",
            (partner,),
        )
        return [_person(row) for row in rows]

    def set_language(self, person_id: int, language: str) -> None:
        self._conn.execute("UPDATE people SET language = ? WHERE id = ?", (language, person_id))
        self._version.bump()

    def set_phone(self, person_id: int, phone: Phone) -> None:
        """Set a verified number; purchases are frozen from now."""
        self._conn.execute(
            "UPDATE people SET phone = ?, phone_changed_at = ? WHERE id = ?",
            (phone.msisdn, self._time.ms, person_id),
        )
        self._version.bump()

    def set_email(self, person_id: int, email: str | None) -> None:
        """Set a verified address, or remove it; purchases are frozen from now."""
        self._conn.execute(
            "UPDATE people SET email = ?, email_changed_at = ? WHERE id = ?",
            (email, self._time.ms, person_id),
        )
        self._version.bump()

    def forget_phone(self, person_id: int, phone: Phone) -> None:
        """Payments from this number until now no longer make it a suggested one."""
        self._conn.execute(
            "INSERT INTO forgotten_phones (person_id, phone, at) VALUES (?, ?, ?)"
            " ON CONFLICT (person_id, phone) DO UPDATE SET at = excluded.at",
            (person_id, phone.msisdn, self._time.ms),
        )

    def addresses(self, person_id: int) -> list[tuple[str, str]]:
        """(channel, address) of each account linked to the person."""
        rows = self._conn.execute(
            "SELECT channel, address FROM addresses WHERE person_id = ? ORDER BY channel, address",
            (person_id,),
        )
        return [(channel, address) for channel, address in rows]

    def linked_at(self, person_id: int) -> datetime | None:
        """When the person's newest account was linked; ``None`` without one."""
        row = self._conn.execute(
            "SELECT max(linked_at) FROM addresses WHERE person_id = ?", (person_id,)
        ).fetchone()
        linked_ms: int | None = row[0]
        return from_ms(linked_ms)

    def add_partner(self, partner: Partner) -> None:
        """Add the partner and its wallet's settings, or update them."""
        self._conn.execute(
            "INSERT INTO partners (code, suspended, created_at) VALUES (?, ?, ?)"
            " ON CONFLICT (code) DO UPDATE SET suspended = excluded.suspended",
            (partner.code, int(partner.suspended), self._time.ms),
        )
        self._conn.execute(
            "INSERT INTO partner_wallets (partner, currency, low_balance_cents, low_float_cents,"
            " approve_above_cents) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (partner) DO UPDATE SET low_balance_cents = excluded.low_balance_cents,"
            " low_float_cents = excluded.low_float_cents,"
            " approve_above_cents = excluded.approve_above_cents",
            (
                partner.code,
                partner.currency,
                partner.low_balance_cents,
                partner.low_float_cents,
                partner.approve_above_cents,
            ),
        )
        self._version.bump()

    def freeze_payouts(self, partner: str, *, frozen: bool) -> None:
        self._conn.execute(
            "UPDATE partner_wallets SET payouts_frozen_at = ? WHERE partner = ?",
            (self._time.ms if frozen else None, partner),
        )
        self._version.bump()

    def partner(self, code: str) -> Partner | None:
        self._version.check()
        if code in self._partners:
            return self._partners[code]
        row = self._conn.execute(
            "SELECT r.code, w.currency, w.low_balance_cents, r.suspended, w.low_float_cents,"
            " w.approve_above_cents, w.payouts_frozen_at FROM partners AS r"
            " JOIN partner_wallets AS w ON w.partner = r.code WHERE r.code = ?",
            (code,),
        ).fetchone()
        if row is None:
            return None
        partner = Partner(row[0], row[1], row[2], bool(row[3]), row[4], row[5], from_ms(row[6]))
        self._partners[code] = partner
        return partner

    def count_partners(self, up_to: str | None = None) -> int:
        """The number of partners, or of those up to that one by code."""
        row = self._conn.execute(
            "SELECT count(*) FROM partner_wallets WHERE CAST(? AS TEXT) IS NULL OR partner <= ?",
            (up_to, up_to),
        ).fetchone()
        return int(row[0])

    def partners_page(self, cursor: str | None, size: int) -> PartnersPage:
        """Partners by code; ``cursor`` comes from an earlier page."""
        if cursor is not None and cursor.startswith("<"):
            rows = self._conn.execute(
                "SELECT partner FROM partner_wallets WHERE partner < ?"
                " ORDER BY partner DESC LIMIT ?",
                (cursor[1:], size + 1),
            ).fetchall()
            codes = [code for (code,) in reversed(rows[:size])]
            before, after = len(rows) > size, True
        else:
            rows = self._conn.execute(
                "SELECT partner FROM partner_wallets WHERE partner > ? ORDER BY partner LIMIT ?",
                (cursor or "", size + 1),
            ).fetchall()
            codes = [code for (code,) in rows[:size]]
            before, after = cursor is not None, len(rows) > size
        found = [partner for code in codes if (partner := self.partner(code)) is not None]
        return PartnersPage(
            found,
            codes[-1] if codes and after else None,
            f"<{codes[0]}" if codes and before else None,
        )

    def has_phone(self, partner: str, phone: Phone) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM persons WHERE code = ? AND phone = ? LIMIT 1",
            (partner, phone.msisdn),
        ).fetchone()
        return row is not None

    def of(self, partner: str) -> list[Person]:
        """The partner's people, in the order they were added."""
        rows = self._conn.execute(
            "SELECT id, name, role, phone, email, language, phone_changed_at, email_changed_at,"
            " code, suspended, currency, low_balance_cents, low_float_cents, approve_above_cents,"
            " payouts_frozen_at"
            " FROM persons WHERE code = ? ORDER BY id",
            (partner,),
        )
        return [_person(row) for row in rows]

    def of_id(self, person_id: int) -> Person | None:
        row = self._conn.execute(
            "SELECT id, name, role, phone, email, language, phone_changed_at, email_changed_at,"
            " code, suspended, currency, low_balance_cents, low_float_cents, approve_above_cents,"
            " payouts_frozen_at"
            " FROM persons WHERE id = ?",
            (person_id,),
        ).fetchone()
        return None if row is None else _person(row)

    def linked_with(self, phone: Phone) -> list[Person]:
        """People with this registered number who have a linked account."""
        rows = self._conn.execute(
            "SELECT id, name, role, phone, email, language, phone_changed_at, email_changed_at,"
            " code, suspended, currency, low_balance_cents, low_float_cents, approve_above_cents,"
            " payouts_frozen_at"
            " FROM persons AS p WHERE p.phone = ?"
            " AND EXISTS (SELECT 1 FROM addresses AS a WHERE a.person_id = p.id) ORDER BY p.id",
            (phone.msisdn,),
        )
        return [_person(row) for row in rows]

    def of_name(self, partner: str, name: str) -> Person | None:
        """The partner's person of that name."""
        return next((person for person in self.of(partner) if person.name == name), None)

    def unlink(self, channel: str, address: str) -> None:
        """Unlink the account from its person."""
        self._conn.execute(
            "DELETE FROM addresses WHERE channel = ? AND address = ?", (channel, address)
        )
        self._version.bump()

    def named(self, partner: str, name: str) -> tuple[Role, str | None] | None:
        """Role and mail address of the partner's person of that name."""
        row = self._conn.execute(
            "SELECT role, email FROM people WHERE partner = ? AND name = ? AND invited = 0",
            (partner, name),
        ).fetchone()
        return None if row is None else (Role(row[0]), row[1])

    def add_person(
        self, partner: str, name: str, role: Role, phone: Phone, email: str | None, language: str
    ) -> int:
        """Add a person, or update the one of that name; returns the id."""
        row = self._conn.execute(
            "INSERT INTO people (partner, name, role, phone, email, language, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (partner, name) DO UPDATE"
            " SET role = excluded.role, phone = excluded.phone, email = excluded.email,"
            " language = excluded.language, invited = 0, phone_changed_at = CASE"
            " WHEN people.phone <> excluded.phone AND people.invited = 0 THEN ?"
            " ELSE people.phone_changed_at END"
            " RETURNING id",
            (
                partner,
                name,
                role,
                phone.msisdn,
                email,
                language,
                self._time.ms,
                self._time.ms,
            ),
        ).fetchone()
        self._version.bump()
        return int(row[0])

    def reserve_name(self, partner: str, name: str, role: Role, phone: Phone) -> int:
        """Reserve an id for an invited name that is not taken. The row is hidden from all lists
        until ``add_person``."""
        self._conn.execute(
            "INSERT INTO people (partner, name, role, phone, created_at, invited)"
            " VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (partner, name) DO NOTHING",
            (partner, name, role, phone.msisdn, self._time.ms),
        )
        row = self._conn.execute(
            "SELECT id FROM people WHERE partner = ? AND name = ?", (partner, name)
        ).fetchone()
        return int(row[0])

    def was_ever_linked(self, person_id: int) -> bool:
        """Whether an account was ever linked to the person."""
        row = self._conn.execute(
            "SELECT first_linked_at FROM people WHERE id = ?", (person_id,)
        ).fetchone()
        return row is not None and row[0] is not None

    def link(
        self,
        channel: str,
        address: str,
        person_id: int,
        *,
        since: datetime | None = None,
        frozen_since: datetime | None = None,
    ) -> None:
        """Link the address to the person, as of ``since`` (default: now).

        Raises ``AddressTaken`` when it belongs to a person of another partner.
        """
        linked_ms = self._time.ms if since is None else to_ms(since)
        taken = self._conn.execute(
            "SELECT 1 FROM addresses AS a JOIN people AS p ON p.id = a.person_id"
            " WHERE a.channel = ? AND a.address = ? AND p.partner <>"
            " (SELECT partner FROM people WHERE id = ?)",
            (channel, address, person_id),
        ).fetchone()
        if taken is not None:
            raise AddressTaken(f"{channel} account {address} belongs to another partner")
        self._conn.execute(
            "INSERT INTO addresses (channel, address, person_id, linked_at, rests_from)"
            " VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (channel, address) DO UPDATE SET person_id = excluded.person_id,"
            " linked_at = excluded.linked_at, rests_from = excluded.rests_from",
            (channel, address, person_id, linked_ms, to_ms(frozen_since)),
        )
        self._conn.execute(
            "UPDATE people SET first_linked_at = ? WHERE id = ? AND first_linked_at IS NULL",
            (linked_ms, person_id),
        )
        self._version.bump()

    def forget(self) -> None:
        self._cache.clear()
        self._partners.clear()


def _person(row: tuple[Any, ...], frozen_since: datetime | None = None) -> Person:
    person_id, name, role, phone, email, language, phone_changed_at, email_changed_at = row[:8]
    code, suspended, currency, low_balance, low_float, approve_above, frozen = row[8:]
    return Person(
        id=person_id,
        name=name,
        partner=Partner(
            code,
            currency,
            low_balance,
            bool(suspended),
            low_float,
            approve_above,
            from_ms(frozen),
        ),
        role=Role(role),
        phone=Phone(phone),
        email=email,
        language=language,
        phone_changed_at=from_ms(phone_changed_at),
        email_changed_at=from_ms(email_changed_at),
        frozen_since=frozen_since,
    )
