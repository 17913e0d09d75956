"""Changing a number or mail address, and who owns the change."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bot.security.keyring import Keyring
from services import contacts
from services.domain.otp import OtpStatus
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.otp import Issued
from services.policy import Policy
from tests.kit.plain_store import OTHER_PHONE, PlainStore

KEYS = Keyring({"1": b"1" * 32})


@pytest.fixture
def amina(store: PlainStore) -> Person:
    store.undo()
    return store.person()


def ask(store: PlainStore, person: Person, new: contacts.Contact) -> Issued | Refusal:
    account = ("terminal", "1")
    return store.do(
        lambda tx: contacts.request_change(
            tx, KEYS, random.Random(1), Policy(), person, account, new
        )
    )


def test_what_a_person_has_already_is_no_change(store: PlainStore, amina: Person) -> None:
    assert ask(store, amina, amina.phone) == Refusal("contact_same")


def test_nobody_ends_another_persons_change(store: PlainStore, amina: Person) -> None:
    issued = ask(store, amina, OTHER_PHONE)
    assert isinstance(issued, Issued)
    change = issued.otp.binding.operation
    statuses = []
    for person in (replace(amina, id=amina.id + 100), amina):
        store.do(lambda tx, person=person: contacts.cancel(tx, person, change))
        newest = store.tx.otps.newest(change)
        assert newest is not None
        statuses.append(newest.status)
    assert statuses == [OtpStatus.PENDING, OtpStatus.REVOKED]
    store.do(lambda tx: contacts.cancel(tx, amina, "CH-222222"))
