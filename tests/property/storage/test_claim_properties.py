"""However two processes take turns, one operation has one worker, and nothing is sent twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import topup_settlement
from services.domain.lease import Lease
from services.domain.operation import OperationType
from services.domain.topup import NOT_SENT_FOR, TopUp, TopUpState
from tests.kit.plain_store import PlainStore
from tests.kit.topup_driver import TopUpDriver

LEASE = timedelta(seconds=20)
OWNERS = ("one process", "another process")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.sampled_from(OWNERS)),
        st.tuples(st.just("begin"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from([1, 19, 20])),
        st.tuples(st.just("end"), st.sampled_from(OWNERS)),
        st.tuples(st.just("gone"), st.sampled_from(OWNERS)),
    ),
    max_size=30,
)


@dataclass
class Claim:
    owner: str
    topup: TopUp


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_one_operation_has_one_worker(store: PlainStore, steps: list[tuple[str, object]]) -> None:
    store.undo()
    driver = TopUpDriver(store)
    reference = driver.start()
    claims: list[Claim] = []
    begun = 0
    free_at = store.now  # when the last lease ends
    for step, value in steps:
        if step == "wait":
            assert isinstance(value, int)
            store.wait(seconds=value)
        elif step == "claim":
            lease = Lease(str(value), LEASE)
            before = driver.get(reference)
            work, _ = store.do(lambda tx, lease=lease: topup_settlement.claim(tx, lease, 9, 9))
            for topup in work:
                assert store.now >= free_at, "the lease of another had not ended"
                assert topup.attempt == before.attempt + 1
                assert store.now < topup.created_at + NOT_SENT_FOR
                claims.append(Claim(str(value), topup))
                free_at = store.now + LEASE
        elif step == "begin" and claims:
            assert isinstance(value, int)
            claim = claims[value % len(claims)]
            lease = Lease(claim.owner, LEASE)
            before = driver.get(reference)
            sending = store.do(
                lambda tx, claim=claim, lease=lease: topup_settlement.begin_sending(
                    tx, claim.topup, lease
                )
            )
            is_newest = before.attempt == claim.topup.attempt
            assert (sending is not None) == (is_newest and before.state is TopUpState.CREATED)
            if sending is not None:
                begun += 1
                free_at = store.now + LEASE
        elif step == "end":
            owner = str(value)
            ended = store.do(
                lambda tx, owner=owner: tx.claims.end_leases_of_others(OperationType.TOPUP, owner)
            )
            was_others = bool(claims) and claims[-1].owner != owner
            assert ended <= int(was_others)
            if ended:
                free_at = store.now
        elif step == "gone":
            owner = str(value)
            ended = store.do(
                lambda tx, owner=owner: tx.claims.end_leases_of(OperationType.TOPUP, [owner])
            )
            assert ended <= int(bool(claims) and claims[-1].owner == owner)
            if ended:
                free_at = store.now
    assert begun <= 1
