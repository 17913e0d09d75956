"""However fast somebody writes, a window answers a limited number of turns and one warning."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.context import ADMIN_FACTOR
from bot.turns import flood
from bot.turns.flood import FloodState
from flows.catalogue import all_flows
from flows.engine.event import Event, EventKind
from flows.engine.session import Session
from services.policy import Policy
from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore

POLICY = Policy(flood_turns=3, flood_window=timedelta(seconds=10))
EVENT = Event("telegram", "1", "1", EventKind.TEXT, text="hello")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    gaps=st.lists(st.sampled_from([0, 0, 1, 500, 3_000, 9_999, 10_000]), max_size=60),
    is_admin=st.booleans(),
)
def test_no_more_than_the_limit_is_answered_in_a_window_and_it_is_told_once(
    store: PlainStore, gaps: list[int], is_admin: bool
) -> None:
    store.undo()
    session, most = Session(), 3 * (ADMIN_FACTOR if is_admin else 1)
    limit = flood.limit_for(POLICY, is_admin=is_admin)
    began_ms = ended_ms = -1
    fine = told = 0

    def turn(tx: StoreTx) -> FloodState:
        speed = flood.count_turn(tx, limit, session, EVENT)
        if speed is FloodState.TOO_FAST:
            seconds = flood.record_flood(tx, limit, session, EVENT)
            assert 1 <= seconds <= 10
        return speed

    for gap in gaps:
        store.wait(milliseconds=gap)
        now_ms = int(store.now.timestamp() * 1000)
        if now_ms >= ended_ms:
            began_ms, ended_ms, fine, told = now_ms, now_ms + 10_000, 0, 0
        before = session.dump()
        speed = store.do(turn)
        if speed is FloodState.SILENCE:
            assert session.dump() == before  # and nothing is written
        else:  # the count survives a restart
            session = Session.load(all_flows(), session.turn, session.dump())
        fine += speed is FloodState.FINE
        told += speed is FloodState.TOO_FAST
        assert fine <= most
        assert told <= 1
        assert (fine == most) or not told
        assert began_ms <= now_ms < ended_ms


def test_an_account_that_is_let_go_is_answered_at_once(store: PlainStore) -> None:
    store.undo()
    session, limit = Session(), flood.limit_for(POLICY)

    def turn(tx: StoreTx) -> FloodState:
        speed = flood.count_turn(tx, limit, session, EVENT)
        if speed is FloodState.TOO_FAST:
            flood.record_flood(tx, limit, session, EVENT)
        return speed

    speeds = [store.do(turn) for _ in range(5)]
    assert speeds == [FloodState.FINE] * 3 + [FloodState.TOO_FAST, FloodState.SILENCE]
    store.do(lambda tx: tx.floods.let_go("telegram", "1"))
    assert store.do(turn) is FloodState.FINE
