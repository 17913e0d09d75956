"""A cached conversation equals the stored one, whatever came in between."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.turns.sessions import SessionCache
from flows.catalogue import all_flows
from flows.engine.session import IDLE_TIMEOUT, Frame, HistoryEntry, Session
from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore

FLOWS = all_flows()
WHO = ("amina", "brian", "carol")
SESSIONS_CACHED_MAX = 2  # of three, so one is always read again


class Failed(Exception):
    """Makes a transaction fail."""


def go_on(session: Session, flow: str) -> None:
    """What a turn may do: open a flow, park the one before it, draw a screen."""
    session.turn += 1
    if session.active is not None:
        session.parked[session.active.flow.name] = session.active
    session.parked.pop(flow, None)
    session.active = frame = Frame.start(FLOWS.newest[flow])
    frame.offered = {f"{flow}-{session.turn}": {"cents": session.turn, "currency": "KES"}}
    frame.history = [HistoryEntry(frame.node, {}, None, None)] * (session.turn % 3)
    frame.waiting = f"TU-{session.turn}" if session.turn % 4 == 0 else None


def turn(ours: SessionCache, who: str, flow: str, ending: str, tx: StoreTx) -> None:
    as_stored = SessionCache(FLOWS).peek(tx, "telegram", who)
    session = ours.load(tx, "telegram", who)
    assert session == as_stored
    go_on(session, flow)
    if ending != "left":
        ours.save(tx, "telegram", who, session)
        assert ours.peek(tx, "telegram", who) == session
    if ending == "failed":
        raise Failed


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(WHO),
            st.sampled_from(["topup", "float", "settings"]),
            st.sampled_from(["saved", "saved", "left", "failed", "by another"]),
            st.sampled_from([timedelta(seconds=1), timedelta(seconds=1), IDLE_TIMEOUT]),
        ),
        max_size=40,
    )
)
def test_what_is_at_hand_is_what_is_stored(
    store: PlainStore, steps: list[tuple[str, str, str, timedelta]]
) -> None:
    store.undo()
    kept = SessionCache(FLOWS, SESSIONS_CACHED_MAX)
    for who, flow, ending, later in steps:
        store.wait(milliseconds=int(later.total_seconds() * 1_000))
        ours = SessionCache(FLOWS) if ending == "by another" else kept
        happens = partial(turn, ours, who, flow, ending)
        if ending == "failed":
            with pytest.raises(Failed):
                store.do(happens)
        else:
            store.do(happens)
        assert len(kept._cached) <= SESSIONS_CACHED_MAX
