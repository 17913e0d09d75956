"""Batches as partners' systems see them: one status for each state, and six reasons of a stop."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from services.domain.payout_batch import BatchState
from services.domain.public_batch import ROW_STATUSES, BatchStatus, StopReason, stop_reason
from services.domain.public_operation import STATUSES, PublicKind
from storage.sqlite.migrate import migrate


def test_every_state_that_can_be_seen_has_a_status_and_a_stop_its_reason() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        migrate(conn)
        rows = conn.execute(
            "SELECT state, status FROM operation_states WHERE kind = 'payout_batch'"
        ).fetchall()
    assert {state for state, _ in rows} == set(BatchState)
    assert {status for _, status in rows if status} == set(BatchStatus)
    for state, status in rows:
        is_stopped = status == BatchStatus.STOPPED
        assert (stop_reason(BatchState(state), None) is not None) == is_stopped, state


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("STOPPED", "stopped", StopReason.STOPPED),
        ("CANCELLED", "stopped", StopReason.STOPPED),
        ("CANCELLED", None, StopReason.CANCELLED),
        ("OTP_EXPIRED", None, StopReason.EXPIRED),
        ("OTP_LOCKED", None, StopReason.LOCKED),
        ("REFUSED", "second_declined", StopReason.DECLINED),
        ("REFUSED", "second_left", StopReason.DECLINED),
        ("REFUSED", "second_silent", StopReason.EXPIRED),
        ("REFUSED", "second_unused", StopReason.EXPIRED),
        ("REFUSED", "float_short", StopReason.INSUFFICIENT_FUNDS),
        ("REFUSED", "pay_frozen", StopReason.CANCELLED),
        ("RUNNING", None, None),
        ("DONE", None, None),
    ],
)
def test_a_stop_has_one_of_six_reasons(
    state: str, reason: str | None, told: StopReason | None
) -> None:
    assert stop_reason(BatchState(state), reason) is told


def test_a_row_stands_as_a_payout_may() -> None:
    assert set(ROW_STATUSES) <= set(STATUSES[PublicKind.PAYOUT])
