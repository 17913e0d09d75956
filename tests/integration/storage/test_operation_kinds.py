"""The rows of kinds and states say what the program says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from services.domain import adjustment, float_purchase, payout, payout_batch, topup
from services.domain.float_purchase import PurchaseState
from services.domain.operation import OperationType
from services.domain.payment import PaymentState
from services.domain.payout import PayoutState
from services.domain.payout_batch import BatchState
from services.domain.topup import TopUpState
from tests.kit.plain_store import PlainStore

STATES: Mapping[OperationType, Iterable[str]] = {
    OperationType.TOPUP: TopUpState,
    OperationType.FLOAT: PurchaseState,
    OperationType.PAYOUT: PayoutState,
    OperationType.BATCH: BatchState,
    OperationType.ADJUSTMENT: (adjustment.POSTED,),
    OperationType.PAYMENT: (PaymentState.CREDITED,),
    OperationType.REVERSAL: (adjustment.POSTED,),
}
TRANSITIONS: Mapping[OperationType, Mapping[str, Iterable[str]]] = {
    OperationType.TOPUP: topup.TRANSITIONS,
    OperationType.FLOAT: float_purchase.TRANSITIONS,
    OperationType.PAYOUT: payout.TRANSITIONS,
    OperationType.BATCH: payout_batch.TRANSITIONS,
}
# Where an operation of any kind may go from a standing, besides another state of the same.
LEADS_TO: Mapping[str, set[str]] = {
    "quoted": {"waiting", "ready", "ended"},  # ready: a desk PIN approves it at once
    "waiting": {"ready", "ended"},
    "ready": {"sending", "succeeded", "ended"},  # succeeded: paid by another road before it is sent
    "sending": {"ready", "accepted", "unknown", "succeeded", "ended"},
    "accepted": {"unknown", "succeeded", "ended"},
    "unknown": {"accepted", "succeeded", "ended"},
    "succeeded": set(),
    "ended": {"succeeded"},  # late
}
PENDING = {"ready", "sending", "accepted", "unknown"}


def standings(store: PlainStore) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for kind, state, standing in store.conn.execute(
        "SELECT kind, state, standing FROM operation_states"
    ):
        found.setdefault(kind, {})[state] = standing
    return found


def test_kinds_and_states_are_those_of_the_program(store: PlainStore) -> None:
    kinds = {kind for (kind,) in store.conn.execute("SELECT kind FROM operation_kinds")}
    assert kinds == set(OperationType)
    assert {kind: set(states) for kind, states in standings(store).items()} == {
        kind: set(states) for kind, states in STATES.items()
    }


@pytest.mark.parametrize("kind", TRANSITIONS)
def test_a_standing_means_the_same_for_every_kind(store: PlainStore, kind: OperationType) -> None:
    of = standings(store)[kind]
    for before, then in TRANSITIONS[kind].items():
        for after in then:
            assert of[after] in LEADS_TO[of[before]] | {of[before]}, f"{before} to {after}"


def test_what_the_program_calls_credited_held_and_open_stands_so(store: PlainStore) -> None:
    topups, purchases = standings(store)["topup"], standings(store)["b2c_float_purchase"]
    assert {state for state in topups if topups[state] == "succeeded"} == topup.CREDITED
    assert {topups[state] for state in topup.OPEN} <= PENDING
    assert {state for state in purchases if purchases[state] in PENDING} == float_purchase.HOLDS


def test_every_kind_has_its_prefix(store: PlainStore) -> None:
    prefixes = dict(store.conn.execute("SELECT kind, prefix FROM operation_kinds").fetchall())
    assert prefixes == {
        OperationType.TOPUP: "TU",
        OperationType.FLOAT: "FL",
        OperationType.PAYOUT: "PO",
        OperationType.BATCH: "BA",
        OperationType.ADJUSTMENT: "AD",
        OperationType.PAYMENT: "PB",
        OperationType.REVERSAL: "RV",
    }
