"""A key opens its own scopes of its own partner while it is valid, and never anything else."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import api_keys, partners
from services.api_keys import LIVING_MAX, CreatedKey
from services.domain.api_key import ApiKey, Scope
from services.domain.partner import Partner
from services.domain.refusal import Refusal
from tests.kit.plain_store import PlainStore

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


def check(store: PlainStore, key: str, scope: Scope = Scope.READ) -> ApiKey | Refusal:
    return store.do(lambda tx: api_keys.check(tx, key, scope))


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
    answer = check(store, made.key, asked)
    opens = not revoked and passed < days and asked in wanted
    assert isinstance(answer, ApiKey) == opens
    if isinstance(answer, ApiKey):
        assert answer.partner == "FINSAFE"


def test_another_ending_of_a_real_beginning_opens_nothing(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    for wrong in (f"{made.key[:-1]}!", made.key[:-1], f"{made.key}A", made.api_key.id, "", "hz_"):
        assert check(store, wrong) == Refusal("api_key_unknown")
    other = make(store, {Scope.READ}, seed=2)
    mixed = f"{made.api_key.id}_{other.key.partition('_')[2].partition('_')[2]}"
    assert check(store, mixed) == Refusal("api_key_unknown")


def test_the_key_itself_is_in_no_table(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    assert made.key.removeprefix(f"{made.api_key.id}_") not in "\n".join(store.conn.iterdump())
    assert made.key not in repr(made)


def test_a_suspended_partners_key_opens_nothing(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    store.do(lambda tx: tx.people.add_partner(Partner("FINSAFE", suspended=True)))
    assert check(store, made.key) == Refusal.of("suspended", partner="FINSAFE")


def test_last_use_is_noted_once_a_minute(store: PlainStore) -> None:
    made = make(store, {Scope.READ})
    check(store, made.key)
    first = store.now
    store.wait(seconds=59)
    check(store, made.key)
    assert store.do(lambda tx: tx.api_keys.get(made.api_key.id)).used_at == first  # type: ignore[union-attr]
    store.wait(seconds=1)
    check(store, made.key)
    assert store.do(lambda tx: tx.api_keys.get(made.api_key.id)).used_at == store.now  # type: ignore[union-attr]


def test_a_partner_has_ten_living_keys_at_most(store: PlainStore) -> None:
    keys = [make(store, {Scope.READ}, seed=n) for n in range(LIVING_MAX)]
    refused = store.do(
        lambda tx: api_keys.create(tx, random.Random(99), "FINSAFE", {Scope.READ}, 1, "admin:t:1")
    )
    assert refused == Refusal.of("api_keys_many", most=LIVING_MAX)
    store.do(lambda tx: api_keys.revoke(tx, keys[0].api_key.id))
    make(store, {Scope.READ}, seed=99)
