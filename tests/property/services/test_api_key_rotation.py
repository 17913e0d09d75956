"""A rotated key is valid for a day more at most, beside the one that took over from it."""

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
from services.api_keys import ACTIVE_MAX, LIVING_MAX, CreatedKey
from services.domain.api_key import Scope
from services.domain.partner import Partner
from services.domain.refusal import Refusal
from tests.kit.plain_store import PlainStore

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def shared() -> Iterator[PlainStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = PlainStore(Path(folder) / "hazina.db")
        yield store
        store.close()


@pytest.fixture
def store(shared: PlainStore) -> PlainStore:
    begin(shared)
    return shared


def begin(store: PlainStore) -> None:
    store.undo()
    store.do(lambda tx: partners.add(tx, Partner("FINSAFE")))


def make(store: PlainStore, days: int = 30, seed: int = 1) -> CreatedKey:
    scopes = {Scope.READ, Scope.PAYOUT}
    made = store.do(
        lambda tx: api_keys.create(tx, random.Random(seed), "FINSAFE", scopes, days, "admin:t:1")
    )
    assert isinstance(made, CreatedKey)
    return made


def try_to_rotate(store: PlainStore, key: CreatedKey, seed: int = 1_000) -> CreatedKey | Refusal:
    key_id, dice = key.api_key.id, random.Random(seed)
    return store.do(lambda tx: api_keys.rotate(tx, dice, key_id, 30, "person:1"))


def rotate(store: PlainStore, key: CreatedKey, seed: int = 1_000) -> CreatedKey:
    made = try_to_rotate(store, key, seed)
    assert isinstance(made, CreatedKey)
    return made


def is_valid(store: PlainStore, key: CreatedKey) -> bool:
    return store.do(lambda tx: api_keys.authenticate(tx, key.key)) is not None


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(days=st.integers(1, 365), used=st.integers(0, 365 * 24), passed=st.integers(0, 60))
def test_the_old_one_ends_a_day_later_or_when_it_would_have_anyway(
    store: PlainStore, days: int, used: int, passed: int
) -> None:
    begin(store)
    old = make(store, days)
    store.now += used * HOUR
    made = try_to_rotate(store, old)
    if used >= days * 24:
        assert made == Refusal("api_key_over")
        return
    assert isinstance(made, CreatedKey)
    store.now += passed * HOUR
    assert is_valid(store, old) == (passed < min(24, days * 24 - used))
    assert is_valid(store, made)


def test_the_new_one_is_like_the_old_one_and_names_it(store: PlainStore) -> None:
    old = make(store).api_key
    made = rotate(store, make(store, seed=2)).api_key
    assert (made.partner, made.scopes, made.created_by) == (old.partner, old.scopes, "person:1")
    stored = store.do(lambda tx: tx.api_keys.get(made.id))
    assert stored is not None
    assert stored.replaces is not None
    assert stored == made


def test_a_key_is_rotated_once(store: PlainStore) -> None:
    old = make(store)
    rotate(store, old)
    assert try_to_rotate(store, old, seed=2) == Refusal("api_key_over")


def test_a_revoked_key_is_not_rotated(store: PlainStore) -> None:
    old = make(store)
    store.do(lambda tx: api_keys.revoke(tx, old.api_key.id))
    assert try_to_rotate(store, old) == Refusal("api_key_over")
    unknown = store.do(lambda tx: api_keys.rotate(tx, random.Random(1), "hz_222222", 30, "a"))
    assert unknown == Refusal("api_key_over")


def test_a_key_in_its_overlap_can_be_revoked_at_once(store: PlainStore) -> None:
    old = make(store)
    made = rotate(store, old)
    store.do(lambda tx: api_keys.revoke(tx, old.api_key.id))
    assert not is_valid(store, old)
    assert is_valid(store, made)


def test_who_has_ten_keys_can_still_rotate_them(store: PlainStore) -> None:
    keys = [make(store, seed=n) for n in range(LIVING_MAX)]
    rotated = [rotate(store, keys[n], seed=100 + n) for n in range(ACTIVE_MAX - LIVING_MAX)]
    assert try_to_rotate(store, keys[-1]) == Refusal.of("api_keys_many", most=ACTIVE_MAX)
    store.wait(days=1)
    rotate(store, rotated[0])


def test_a_successor_that_was_revoked_no_longer_counts_for_its_predecessor(
    store: PlainStore,
) -> None:
    keys = [make(store, seed=n) for n in range(LIVING_MAX)]
    made = rotate(store, keys[0])
    store.do(lambda tx: api_keys.revoke(tx, made.api_key.id))
    refused = store.do(
        lambda tx: api_keys.create(tx, random.Random(99), "FINSAFE", {Scope.READ}, 1, "admin:t:1")
    )
    assert refused == Refusal.of("api_keys_many", most=LIVING_MAX)
