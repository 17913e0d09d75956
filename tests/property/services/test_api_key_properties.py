"""A key opens its own scopes of its own partner while it is valid, and never anything else."""

from __future__ import annotations

import hmac
import random
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import api_keys, partners
from services.api_keys import LIVING_MAX, CreatedKey
from services.domain.api_key import ApiKey, Scope
from services.domain.partner import Partner
from services.domain.refusal import Refusal
from tests.kit.plain_store import PlainStore
from tests.kit.stored_rows import every_row, nothing_written

scopes = st.sets(st.sampled_from(Scope), min_size=1)


@pytest.fixture(scope="module")
def shared() -> Iterator[PlainStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = PlainStore(Path(folder) / "hazina.db")
        yield store
        store.close()


@pytest.fixture
def store(shared: PlainStore) -> PlainStore:
    shared.undo()
    shared.do(lambda tx: partners.add(tx, Partner("FINSAFE")))
    return shared


def make(store: PlainStore, wanted: set[Scope], days: int = 30, seed: int = 1) -> CreatedKey:
    made = store.do(
        lambda tx: api_keys.create(tx, random.Random(seed), "FINSAFE", wanted, days, "admin:t:1")
    )
    assert isinstance(made, CreatedKey)
    return made


def authenticate(store: PlainStore, key: str) -> ApiKey | None:
    return store.do(lambda tx: api_keys.authenticate(tx, key))


def opens(store: PlainStore, key: str, scope: Scope = Scope.READ) -> bool:
    found = authenticate(store, key)
    return found is not None and found.partner == "FINSAFE" and found.grants(scope)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    wanted=scopes,
    asked=st.sampled_from(Scope),
    days=st.integers(1, 365),
    passed=st.integers(0, 400),
    revoked=st.booleans(),
)
def test_it_opens_its_scopes_until_it_expires_or_is_taken_back(
    store: PlainStore, wanted: set[Scope], asked: Scope, days: int, passed: int, *, revoked: bool
) -> None:
    store.undo()
    store.do(lambda tx: partners.add(tx, Partner("FINSAFE")))
    made = make(store, wanted, days)
    if revoked:
        store.do(lambda tx: api_keys.revoke(tx, made.api_key.id))
    store.now += timedelta(days=passed)
    is_valid = not revoked and passed < days
    assert (authenticate(store, made.key) is not None) == is_valid
    assert opens(store, made.key, asked) == (is_valid and asked in wanted)


def test_another_ending_of_a_real_beginning_opens_nothing(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    for wrong in (f"{made.key[:-1]}!", made.key[:-1], f"{made.key}A", made.api_key.id, "", "hz_"):
        assert authenticate(store, wrong) is None
    other = make(store, {Scope.READ}, seed=2)
    mixed = f"{made.api_key.id}_{other.key.partition('_')[2].partition('_')[2]}"
    assert authenticate(store, mixed) is None


@pytest.mark.parametrize("known", [True, False])
def test_digests_are_compared_also_where_the_id_is_unknown(
    store: PlainStore, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    made = make(store, {Scope.READ})
    monkeypatch.setattr(api_keys, "hmac", SimpleNamespace(compare_digest=compare))
    authenticate(store, f"{made.key[:-1]}_" if known else f"hz_222222_{'A' * 43}")
    assert compared == [(64, 64)]


def test_the_key_itself_is_in_no_table(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    assert made.key.removeprefix(f"{made.api_key.id}_") not in every_row(store.conn)
    assert made.key not in repr(made)


def test_a_suspended_partners_key_still_authenticates(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    store.do(lambda tx: tx.people.add_partner(Partner("FINSAFE", suspended=True)))
    assert opens(store, made.key)


def use(store: PlainStore, key: str, address: str) -> ApiKey:
    """Use the key from this address, and return how it is stored then."""
    found = authenticate(store, key)
    assert found is not None
    if api_keys.wants_note(found, store.now):
        store.do(lambda tx: api_keys.note_use(tx, found, address))
    used = authenticate(store, key)
    assert used is not None
    return used


def test_last_use_is_noted_once_a_minute_with_its_address(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    first = store.now
    assert use(store, made.key, "192.0.2.1").used_at == first
    store.wait(seconds=59)
    again = use(store, made.key, "192.0.2.2")
    assert (again.used_at, again.used_from) == (first, "192.0.2.1")
    store.wait(seconds=1)
    later = use(store, made.key, "192.0.2.2")
    assert (later.used_at, later.used_from) == (store.now, "192.0.2.2")


def test_use_is_noted_although_the_clock_was_set_back(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    use(store, made.key, "192.0.2.1")
    store.wait(hours=-1)
    assert use(store, made.key, "192.0.2.2").used_at == store.now


def test_an_address_is_noted_up_to_its_greatest_length(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    assert use(store, made.key, "f" * 60).used_from == "f" * 45


def test_to_authenticate_writes_nothing(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    with nothing_written(store):
        authenticate(store, made.key)


def test_a_partner_has_ten_living_keys_at_most(store: PlainStore) -> None:
    keys = [make(store, {Scope.READ}, seed=n) for n in range(LIVING_MAX)]
    refused = store.do(
        lambda tx: api_keys.create(tx, random.Random(99), "FINSAFE", {Scope.READ}, 1, "admin:t:1")
    )
    assert refused == Refusal.of("api_keys_many", most=LIVING_MAX)
    store.do(lambda tx: api_keys.revoke(tx, keys[0].api_key.id))
    make(store, {Scope.READ}, seed=99)
