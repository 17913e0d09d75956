"""Recipients under a name: each name is one phone, each phone one name, of one partner."""

from __future__ import annotations

import pytest

from services import recipients
from services.domain.partner import Person
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from tests.kit.payout_payer import OTHER_PAYEE, PAYEE
from tests.kit.plain_store import PlainStore


@pytest.fixture
def person(fresh_store: PlainStore) -> Person:
    return fresh_store.person()


def save(store: PlainStore, person: Person, name: str, phone: Phone = PAYEE) -> Refusal | None:
    return store.do(lambda tx: recipients.save(tx, person, name, phone))


def phone_of(store: PlainStore, person: Person, name: str) -> Phone | None:
    found = store.tx.recipients.of_name(person.partner.code, name)
    return None if found is None else found.phone


def test_a_name_is_found_however_it_is_written(fresh_store: PlainStore, person: Person) -> None:
    assert save(fresh_store, person, " Mama  Njeri ") is None
    for written in ("Mama Njeri", "mama njeri", "MAMA  NJERI"):
        assert phone_of(fresh_store, person, written) == PAYEE
    assert phone_of(fresh_store, person, "Mama") is None


def test_a_name_never_moves_to_another_phone(fresh_store: PlainStore, person: Person) -> None:
    save(fresh_store, person, "Njeri")
    refusal = save(fresh_store, person, "NJERI", OTHER_PAYEE)
    assert refusal == Refusal.of("recipient_name_taken", name="Njeri", phone=PAYEE)
    assert phone_of(fresh_store, person, "Njeri") == PAYEE


def test_a_phone_saved_again_goes_by_the_new_name(fresh_store: PlainStore, person: Person) -> None:
    save(fresh_store, person, "Njeri")
    assert save(fresh_store, person, "Wanjiku") is None
    assert phone_of(fresh_store, person, "Njeri") is None
    assert phone_of(fresh_store, person, "Wanjiku") == PAYEE


def test_another_partner_neither_sees_nor_deletes_it(
    fresh_store: PlainStore, person: Person
) -> None:
    other = fresh_store.person("OTHER")
    save(fresh_store, person, "Njeri")
    assert phone_of(fresh_store, other, "Njeri") is None
    assert fresh_store.tx.recipients.first("OTHER", 10) == []
    assert fresh_store.do(lambda tx: recipients.delete(tx, other, PAYEE)) is None
    assert save(fresh_store, other, "Njeri", OTHER_PAYEE) is None
    assert phone_of(fresh_store, person, "Njeri") == PAYEE


def test_it_is_deleted_once(fresh_store: PlainStore, person: Person) -> None:
    save(fresh_store, person, "Njeri")
    assert fresh_store.do(lambda tx: recipients.delete(tx, person, PAYEE)) == "Njeri"
    assert fresh_store.do(lambda tx: recipients.delete(tx, person, PAYEE)) is None


def test_no_more_are_saved_than_one_partner_may_have(
    fresh_store: PlainStore, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "SAVED_MAX", 1)
    save(fresh_store, person, "Njeri")
    assert save(fresh_store, person, "Asha", OTHER_PAYEE) == Refusal.of("recipients_full", most=1)
    assert save(fresh_store, person, "Wanjiku") is None
