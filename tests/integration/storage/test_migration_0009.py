"""Everyone who had an account stays a person; those who were only invited do not count."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.partner import Role
from services.domain.phone import Phone
from storage.sqlite.migrate import migrate, shipped
from storage.transaction import StoreTx
from tests.kit.older_databases import NOW, fill, named
from tests.kit.plain_store import connect

BEFORE = [migration for migration in shipped() if migration.number < 9]
PEOPLE = ("invited", "asked", "unlinked", "buyer", "helped")


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = connect(tmp_path / "hazina.db")
    migrate(conn, shipped()[:1])
    fill(conn)
    migrate(conn, BEFORE)
    for name in PEOPLE:
        conn.execute(
            "INSERT INTO people (partner, name, role, phone, created_at)"
            " VALUES ('DEMO', ?, 'operator', '254733123456', ?)",
            (name, NOW + 1),
        )
    # Codes for invitations: of somebody new and of somebody who had left, among others.
    for name, operation in (
        ("invited", "IN-222222"),
        ("unlinked", "IN-222223"),
        ("asked", "CH-222222"),
        ("buyer", "IN-222224"),
    ):
        conn.execute(
            "INSERT INTO otp_validations (id, purpose, operation, partner, person_id, amount_cents,"
            " currency, destination, phone, pepper_id, digest, status, sent, created_at,"
            " expires_at, ended_at) SELECT 'OT-' || ?, 'link_phone', ?, 'DEMO', id, 0, 'KES',"
            " phone, phone, '1', 'd', 'expired', 1, ?, ?, ? FROM people WHERE name = ?",
            (name, operation, NOW, NOW + 1, NOW + 1, name),
        )
    conn.execute(
        "INSERT INTO audit_log SELECT 'DEMO', 1, ?, 'hazina', 'person_unlinked', 'person:' || id,"
        " '{}', '', 'h' FROM people WHERE name = 'unlinked'",
        (NOW,),
    )
    conn.execute(
        "UPDATE wallet_transactions SET person_id = (SELECT id FROM people WHERE name = 'buyer')"
        " WHERE reference = 'TU-222222'"
    )
    yield conn
    conn.close()


def test_nothing_that_was_known_of_anybody_changes(conn: sqlite3.Connection) -> None:
    people, addresses = named(conn, "people"), named(conn, "addresses")
    migrate(conn)
    for row, before in zip(named(conn, "people"), people, strict=True):
        assert {name: row[name] for name in before} == before
    assert named(conn, "addresses") == [{**row, "rests_from": None} for row in addresses]


def test_only_who_was_never_more_than_invited_is_nobody(conn: sqlite3.Connection) -> None:
    migrate(conn)
    there = [person.name for person in StoreTx(conn).people.of("DEMO")]
    assert there == ["amina", "asked", "unlinked", "buyer", "helped"]


def test_whoever_was_there_has_had_an_account_and_the_one_they_have_does_not_rest(
    conn: sqlite3.Connection,
) -> None:
    migrate(conn)
    people = StoreTx(conn).people
    amina = people.at("telegram", "DEMO")
    assert amina is not None
    assert amina.frozen_since is None
    had = {row["name"]: people.was_ever_linked(row["id"]) for row in named(conn, "people")}
    assert had == {"amina": True, "invited": False, **dict.fromkeys(PEOPLE[1:], True)}


def test_a_name_that_was_only_held_may_become_a_person(conn: sqlite3.Connection) -> None:
    migrate(conn)
    people = StoreTx(conn).people
    held = people.reserve_name("DEMO", "invited", Role.VIEWER, Phone("254722111222"))
    person_id = people.add_person("DEMO", "invited", Role.OWNER, Phone("254722111222"), None, "en")
    assert person_id == held
    person = people.of_id(person_id)
    assert person is not None
    assert (person.role, person.phone_changed_at) == (Role.OWNER, None)
