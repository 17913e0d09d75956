"""The statistics count exactly what is stored, from the first operation of a period on."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.observe.statistics import ScreenCount, ScreenCounts
from services.domain.money import Money
from services.domain.operation import OperationType
from storage.time.milliseconds import to_ms
from tests.kit.payer import AMOUNT, Payer, S, in_state
from tests.kit.plain_store import START, PlainStore


def add(store: PlainStore, n: int, at_s: int, state: str, cents: int, took_s: int) -> None:
    began = to_ms(START) + at_s * 1000
    store.conn.execute(
        "INSERT INTO wallet_transactions (reference, partner, channel, address, language, type,"
        " state, standing, amount_cents, currency, phone, idempotency_key, created_at, settled_at)"
        " SELECT ?, 'DEMO', 'telegram', '1', 'en', kind, state, standing, ?, 'KES',"
        " '254712345678', ?, ?, ? FROM operation_states WHERE kind = 'topup' AND state = ?",
        (f"TU-{n}", cents, str(n), began, began + took_s * 1000, state),
    )


states = st.sampled_from(["CREATED", "PENDING", "PAID", "PAID", "NOT_PAID", "UNKNOWN", "PAID_LATE"])
operations = st.lists(
    st.tuples(st.integers(0, 3), states, st.integers(1, 900), st.integers(1, 60)), max_size=25
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(operations=operations, since_s=st.integers(-2, 60), gaps=st.lists(st.integers(0, 25)))
def test_the_figures_are_those_of_the_period(
    store: PlainStore,
    operations: list[tuple[int, str, int, int]],
    since_s: int,
    gaps: list[int],
) -> None:
    store.undo()
    store.person()
    at_s, kept = 0, []
    for n, (step, state, cents, took_s) in enumerate(operations):
        at_s += step
        add(store, n, at_s, state, cents, took_s)
        if n in gaps:  # ids whose rows were deleted again
            store.conn.execute("DELETE FROM wallet_transactions WHERE reference = ?", (f"TU-{n}",))
        elif at_s >= since_s:
            kept.append((state, cents, took_s))
    statistics = store.tx.statistics
    count = statistics.count(
        "topup", statistics.first_operation_since(START + timedelta(seconds=since_s))
    )
    done = [(cents, took_s) for state, cents, took_s in kept if state in ("PAID", "PAID_LATE")]
    assert count.begun == len(kept)
    assert count.decided == sum(state in ("PAID", "PAID_LATE", "NOT_PAID") for state, _, _ in kept)
    assert count.done == len(done)
    assert count.total == Money(sum(cents for cents, _ in done))
    times = sorted(took_s for _, took_s in done)
    assert count.median_s == (times[len(times) // 2] if times else None)


def test_payouts_that_came_back_and_that_nobody_can_tell_of_are_counted(
    fresh_store: PlainStore,
) -> None:
    payer = Payer(fresh_store)
    for state in (S.PAID, S.PAID, S.RETURNED, S.UNKNOWN, S.PAID_AFTER_RETURN):
        in_state(payer, state)
    payer.quoted()
    count = fresh_store.tx.statistics.count(OperationType.PAYOUT, 0)
    assert (count.begun, count.decided, count.done) == (5, 4, 3)
    assert (count.returned, count.unknown, count.total) == (1, 1, Money(3 * AMOUNT.cents))


def turn(store: PlainStore, before: str | None, after: str | None) -> None:
    store.do(lambda tx: tx.trail.add("t", "1", None, "text", before, "x", after, None))


def test_screens_are_counted_when_they_are_come_to(store: PlainStore) -> None:
    store.undo()
    for before, after in (
        (None, "topup.amount"),
        ("topup.amount", "topup.amount"),  # asked again
        ("topup.amount", "topup.payer"),
        (None, "topup.amount"),
        (None, "float.amount"),
        ("topup.amount", None),
    ):
        turn(store, before, after)
    screens = ScreenCounts().brought_up_to_date(store.tx.statistics, START, store.now)
    assert screens.of("topup") == [ScreenCount("amount", 2), ScreenCount("payer", 1)]
    assert screens.of("history") == []
    tomorrow = START + timedelta(days=1)
    screens = screens.brought_up_to_date(store.tx.statistics, tomorrow, tomorrow)
    assert screens.of("topup") == []


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pieces=st.lists(
        st.tuples(
            st.lists(st.sampled_from([None, "topup.amount", "topup.payer", "float.amount"])),
            st.sampled_from([0, 0, 1, 2]),  # weeks that pass
            st.sampled_from([0, 0, 30, 90]),  # and seconds
        ),
        max_size=8,
    )
)
def test_counting_on_comes_to_the_same_as_counting_all(
    store: PlainStore, pieces: list[tuple[list[str | None], int, int]]
) -> None:
    store.undo()
    screens, since, before = ScreenCounts(), START, None
    for screens_seen, weeks, seconds in pieces:
        for after in screens_seen:
            turn(store, before, after)
            before = after
        screens = screens.brought_up_to_date(store.tx.statistics, since, store.now)
        anew = ScreenCounts().brought_up_to_date(store.tx.statistics, since, store.now)
        for flow in ("topup", "float"):
            assert screens.of(flow) == anew.of(flow)
        store.wait(seconds=seconds)
        if weeks:
            store.wait(weeks=weeks)
            since = store.now


def test_a_step_that_commits_late_is_counted(store: PlainStore) -> None:
    """Its number is lower than that of a row that was counted before."""
    store.undo()
    screens = ScreenCounts()
    for number, seconds in ((1, 0), (3, 0), (2, 30), (4, 90)):
        store.wait(seconds=seconds)
        store.do(
            lambda tx, number=number: tx.conn.execute(
                "INSERT INTO trail (id, at, channel, address, input, outcome, after)"
                " VALUES (?, ?, 't', '1', 'text', 'x', 'topup.amount')",
                (number, tx.now_ms),
            )
        )
        screens = screens.brought_up_to_date(store.tx.statistics, START, store.now)
    assert screens.of("topup") == [ScreenCount("amount", 4)]
