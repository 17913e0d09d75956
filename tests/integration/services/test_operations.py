"""Which operations of any kind are open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.domain.float_purchase import PurchaseState
from services.domain.operation import StateBacklog
from services.domain.topup import TopUpState
from storage.stores.operations import OperationStore
from tests.kit import float_buyer as bought
from tests.kit import topup_driver as paid
from tests.kit.plain_store import PlainStore

OPEN_TOPUPS = {"CREATED", "SENDING", "PENDING", "SEND_UNKNOWN", "UNKNOWN"}
OPEN_PURCHASES = {"AUTHORISED", "SUBMITTING", "UNKNOWN"}
LOOKED_AFTER = {"SEND_UNKNOWN", "UNKNOWN"}  # already on the admins' list


def operations(store: PlainStore) -> OperationStore:
    return store.do(lambda tx: tx.operations)


def is_open_as(store: PlainStore, state: str, reference: str) -> None:
    began = operations(store).of_reference(reference)
    assert began is not None
    seconds = (store.now - began.operation.begun_at).total_seconds()
    store.wait(seconds=90)
    assert operations(store).pending_by_state(10) == [(state, 1)]
    assert operations(store).waiting(10) == [
        StateBacklog(began.operation.type, state, 1, seconds + 90)
    ]
    listed = [] if state in LOOKED_AFTER else [reference]
    assert [one.operation.reference for one in operations(store).pending(None, 10)] == listed
    assert operations(store).open_since("DEMO", store.now - timedelta(days=2)) == 1


def is_over(store: PlainStore) -> None:
    assert operations(store).pending_by_state(10) == operations(store).waiting(10) == []
    assert operations(store).pending(None, 10) == []
    assert operations(store).open_since("DEMO", store.now - timedelta(days=2)) == 0


@pytest.mark.parametrize("state", TopUpState)
def test_a_topup_is_open_until_it_has_an_outcome(
    fresh_store: PlainStore, state: TopUpState
) -> None:
    reference = paid.in_state(paid.TopUpDriver(fresh_store), state)
    if state in OPEN_TOPUPS:
        is_open_as(fresh_store, state, reference)
    else:
        is_over(fresh_store)


@pytest.mark.parametrize("state", PurchaseState)
def test_a_purchase_is_open_from_its_code_to_its_outcome(
    fresh_store: PlainStore, state: PurchaseState
) -> None:
    buyer = bought.FloatBuyer(fresh_store)
    buyer.fund()
    reference = bought.in_state(buyer, state)
    if state in OPEN_PURCHASES:
        is_open_as(fresh_store, state, reference)
    else:
        is_over(fresh_store)


def test_the_next_page_of_what_is_open_begins_behind_the_last(fresh_store: PlainStore) -> None:
    worker = paid.TopUpDriver(fresh_store)
    references = [worker.start() for _ in range(3)]
    found = operations(fresh_store).pending(references[0], 1)
    assert [one.operation.reference for one in found] == [references[1]]
    assert operations(fresh_store).pending(references[2], 1) == []


def test_the_newest_state_is_that_of_its_kind(fresh_store: PlainStore) -> None:
    driver = paid.TopUpDriver(fresh_store)
    assert operations(fresh_store).newest_state("topup") is None
    paid.in_state(driver, TopUpState.PAID)
    assert operations(fresh_store).newest_state("topup") == "PAID"
    driver.start(70_000)
    assert operations(fresh_store).newest_state("topup") == "CREATED"
    assert operations(fresh_store).newest_state("b2c_float_purchase") is None
